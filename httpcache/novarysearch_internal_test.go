// novarysearch_internal_test.go checks No-Vary-Search against its draft and the URL Standard.

package httpcache

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseNoVarySearch(t *testing.T) {
	for _, tc := range []struct {
		line string
		want noVarySearch
	}{
		{"", noVarySearch{}},
		{"key-order", noVarySearch{anyOrder: true}},
		{"key-order=?1", noVarySearch{anyOrder: true}},
		{"key-order=?0", noVarySearch{}},
		{"unknown-key, key-order", noVarySearch{anyOrder: true}},
		{`params=("b" "a")`, noVarySearch{names: []string{"a", "b"}}},
		{`params=("a";x);y`, noVarySearch{names: []string{"a"}}},
		{`params=("%C3%A9+%E6%B0%97")`, noVarySearch{names: []string{"é 気"}}},
		{"params=()", noVarySearch{}},
		{`except=("x")`, noVarySearch{except: true, names: []string{"x"}}},
		{"except=()", noVarySearch{except: true}},
		{`except=("x"), key-order`,
			noVarySearch{anyOrder: true, except: true, names: []string{"x"}}},
		// As drafts up to 04 say it.
		{"params", noVarySearch{except: true}},
		{"params=?1", noVarySearch{except: true}},
		{"params=?0", noVarySearch{}},
		{`params, except=("x")`, noVarySearch{except: true, names: []string{"x"}}},
		{`params, key-order, except=("x")`,
			noVarySearch{anyOrder: true, except: true, names: []string{"x"}}},
		// Invalid.
		{`key-order="not a boolean"`, noVarySearch{}},
		{`key-order=1, params=("a")`, noVarySearch{}},
		{`params="not an inner list", key-order`, noVarySearch{}},
		{"params=(not-a-string), key-order", noVarySearch{}},
		{`params=("a"), except=("x"), key-order`, noVarySearch{}},
		{"params=(), except=(), key-order", noVarySearch{}},
		{`params=?0, except=("x"), key-order`, noVarySearch{}},
		{"params, except=(not-a-string)", noVarySearch{}},
		{`params, except="not an inner list"`, noVarySearch{}},
		{"params, except=?1", noVarySearch{}},
		{"except=?1, key-order", noVarySearch{}},
		{`key-order, params=("a"`, noVarySearch{}},
	} {
		if got := parseNoVarySearch([]string{tc.line}); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("parseNoVarySearch(%s) = %+v, want %+v", tc.line, got, tc.want)
		}
	}
}

func TestQueriesThatMeanTheSameHaveOneKey(t *testing.T) {
	for _, tc := range []struct {
		line, a, b string
		same       bool
	}{
		{"", "a=1&b=2", "a=1&b=2", true},
		{"", "a=1&b=2", "b=2&a=1", false},
		{"", "a", "a=", false},
		{"params=()", "a", "a=", false},
		{"key-order", "a=1&b=2", "b=2&a=1", true},
		{"key-order", "a=1&b=2&a=3", "b=2&a=1&a=3", true},
		{"key-order", "a=1&a=2", "a=2&a=1", false}, // that of values counts
		{"key-order", "", "&&", true},
		{"key-order", "a=x", "%61=%78", true},
		{"key-order", "a=é", "a=%C3%A9", true},
		{"key-order", "a=%f6", "a=%ef%bf%bd", true},
		{"key-order", "a=%e2%82", "a=%ef%bf%bd", true}, // a broken character is one
		{"key-order", "a=%e2%82", "a=%ff%ff", false},
		{"key-order", "a=x&&&&", "a=x", true},
		{"key-order", "a=", "a", true},
		{"key-order", "=", "", false},
		{"key-order", "a=%20", "a=+", true},
		{"key-order", "a=%2B", "a=+", false},
		{"key-order", "a=b%26c", "a=b&c", false},
		{"key-order", "a=b=c", "a=b%3Dc", true},
		{"key-order", "a%3Db", "a=b", false},
		{"key-order", "a=%", "a=%25", true},
		{"key-order", "a=%zz", "a=%25zz", true},
		{"key-order", "a;b", "a=&b", false},
		{"key-order", "a=%EF%BB%BF", "a=", false}, // no byte order mark is cut off
		{`params=("utm")`, "a=1&utm=x", "utm=y&a=1&utm", true},
		{`params=("utm")`, "a=1&utm=x", "a=1", true},
		{`params=("utm")`, "a=1&b=2", "b=2&a=1", false},
		{`params=("utm")`, "a=1&UTM=x", "a=1", false},
		{`params=("%C3%A9+%E6%B0%97")`, "é 気=1", "%C3%A9+%E6%B0%97=4", true},
		{`params=("%C3%A9+%E6%B0%97")`, "%C3%A9%20気=1", "", true},
		{`except=("id")`, "id=1&x=2", "y&id=1", true},
		{`except=("id")`, "id=1", "id=2", false},
		{`except=("id" "n")`, "id=1&n=2", "n=2&id=1", false},
		{`except=("id" "n"), key-order`, "id=1&n=2", "n=2&x&id=1", true},
		{`except=()`, "id=1", "", true},
	} {
		n := parseNoVarySearch([]string{tc.line})
		a, b := searchKey(tc.a, n), searchKey(tc.b, n)
		if (a == b) != tc.same {
			t.Errorf("under %q: keys of %q and %q are %q and %q", tc.line, tc.a, tc.b, a, b)
		}
	}
}

func TestFormDecode(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"a+b%20c%2bd", "a b c+d"},
		{"%4a%4A%4g%4", "JJ%4g%4"},
		{"%", "%"},
		{"%c3%a9é", "éé"},
		{"\xc3", "\ufffd"},
		{"%E0%A0", "\ufffd"},       // could begin a character
		{"%E0%80", "\ufffd\ufffd"}, // could not
		{"%ED%A0%80", "\ufffd\ufffd\ufffd"},
		{"%F0%9F%98", "\ufffd"},
		{"%F0%9F%98a", "\ufffda"},
		{"%F5%80", "\ufffd\ufffd"},
		{"%C0%AF", "\ufffd\ufffd"},
		{"%EF%BF%BD", "\ufffd"},
		{"%00", "\x00"},
	} {
		if got := formDecode(tc.in); got != tc.want {
			t.Errorf("formDecode(%q) = %q, want %q", tc.in, got, tc.want)
		}
	}
}

func FuzzSearchKey(f *testing.F) {
	f.Add(`key-order, params=("a" "%C3")`, "b=1&a=2&%c3", "x%e2%82=%+")
	f.Add(`except=("a"), key-order`, "&&=&a", "a=%26")
	f.Fuzz(func(t *testing.T, line, a, b string) {
		n := parseNoVarySearch([]string{line})
		key := searchKey(a, n)
		if again := searchKey(key, n); again != key {
			t.Fatalf("%q under %q: the key is %q, its own is %q", a, line, key, again)
		}
		if n.isDefault() {
			return
		}
		if searchKey("&"+a+"&&", n) != key {
			t.Fatalf("%q under %q: empty parts make a difference", a, line)
		}
		if both := searchKey(a+"&"+b, n); !n.anyOrder &&
			strings.Trim(key+"&"+searchKey(b, n), "&") != both {
			t.Fatalf("%q, %q under %q: together they are %q", a, b, line, both)
		}
	})
}
