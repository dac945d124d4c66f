// structured_internal_test.go checks the reading of Structured Fields against RFC 9651.

package httpcache

import (
	"fmt"
	"strings"
	"testing"
)

// spelled writes what was read in a form of its own, in which every type looks different.
func (v sfValue) spelled() string {
	switch v.kind {
	case sfInteger, sfBoolean:
		return fmt.Sprintf("%d:%d", v.kind, v.number)
	case sfDecimal:
		return fmt.Sprintf("%d/1000", v.number)
	case sfDate:
		return fmt.Sprintf("@%d", v.number)
	case sfInner:
		return "inner"
	}
	return fmt.Sprintf("%d:%s", v.kind, v.text)
}

func (i sfItem) spelled() string {
	s := i.sfValue.spelled()
	for _, p := range i.params {
		s += ";" + p.key + "=" + p.value.spelled()
	}
	return s
}

func spelledList(list []sfMember) string {
	var all []string
	for _, m := range list {
		s := m.sfItem.spelled()
		if m.key != "" {
			s = m.key + "=" + s
		}
		for _, item := range m.inner {
			s += "(" + item.spelled() + ")"
		}
		all = append(all, s)
	}
	return strings.Join(all, ", ")
}

const failed9651 = "failed"

// structuredItem reads the lines of a field that is an Item (RFC 9651, section 4.2.3).
func structuredItem(lines []string) (item sfItem, ok bool) {
	p, ok := newSFParser(lines)
	if !ok {
		return sfItem{}, false
	}
	item, ok = p.item()
	if !ok || p.rest != "" {
		return sfItem{}, false
	}
	return item, true
}

func TestStructuredItems(t *testing.T) { // sections 3.3 and 4.2.3
	for _, tc := range []struct{ line, want string }{
		{"42", "1:42"},
		{"  42  ", "1:42"},
		{"-0", "1:0"},
		{"-999999999999999", "1:-999999999999999"},
		{"9999999999999999", failed9651}, // 16 digits
		{"00000000000000001", failed9651},
		{"--1", failed9651},
		{"+1", failed9651},
		{"1 2", failed9651},
		{"4.5", "4500/1000"},
		{"-0.125", "-125/1000"},
		{"123456789012.1", "123456789012100/1000"},
		{"1234567890123.1", failed9651},
		{"1.", failed9651},
		{".5", failed9651},
		{"1.2345", failed9651},
		{"1.2.3", failed9651},
		{`"a b"`, "3:a b"},
		{`"a\"b\\c"`, `3:a"b\c`},
		{`"\\"`, `3:\`},
		{`""`, "3:"},
		{`"a\n"`, failed9651},
		{`"a`, failed9651},
		{`"a\`, failed9651},
		{"\"a\tb\"", failed9651},
		{`"é"`, failed9651},
		{"a/b:c*", "4:a/b:c*"},
		{"*foo", "4:*foo"},
		{"a b", failed9651},
		{"a(b", failed9651},
		{":aGVsbG8=:", "5:hello"},
		{":aGVsbG8:", "5:hello"},
		{"::", "5:"},
		{":aGVsbG8", failed9651},
		{":aG=sbG8=:", failed9651},
		{":a\nGVs:", failed9651},
		{"?1", "6:1"},
		{"?0", "6:0"},
		{"?2", failed9651},
		{"?", failed9651},
		{"@1659578233", "@1659578233"},
		{"@-1", "@-1"},
		{"@1.5", failed9651},
		{`%"f%c3%bc"`, "8:fü"},
		{`%"f%C3%BC"`, failed9651},
		{`%"%ff"`, failed9651},
		{`%"%f`, failed9651},
		{`%a`, failed9651},
		{"1;a;b=2; c=?0", "1:1;a=6:1;b=1:2;c=6:0"},
		{"1;a=1;b;a=2", "1:1;a=1:2;b=6:1"},
		{"1 ;a", failed9651},
		{"1;", failed9651},
		{"1;A", failed9651},
		{"1;a=", failed9651},
		{"1;a =2", failed9651},
		{"", failed9651},
		{"(1 2)", failed9651},
		{"\x00", failed9651},
	} {
		got := failed9651
		if item, ok := structuredItem([]string{tc.line}); ok {
			got = item.spelled()
		}
		if got != tc.want {
			t.Errorf("structuredItem(%q) = %s, want %s", tc.line, got, tc.want)
		}
	}
}

func TestStructuredLists(t *testing.T) { // sections 3.1 and 4.2.1
	for _, tc := range []struct {
		lines []string
		want  string
	}{
		{nil, ""},
		{[]string{""}, ""},
		{[]string{"  "}, ""},
		{[]string{"a,b \t,\t c"}, "4:a, 4:b, 4:c"},
		{[]string{"a", "b, c"}, "4:a, 4:b, 4:c"},
		{[]string{"a", ""}, failed9651},
		{[]string{"", "a"}, failed9651},
		{[]string{"a,"}, failed9651},
		{[]string{",a"}, failed9651},
		{[]string{"a,,b"}, failed9651},
		{[]string{"a b"}, failed9651},
		{[]string{`a, "b`}, failed9651},
		{[]string{`"a`, `b"`}, "3:a, b"}, // as section 4.2 warns
		{[]string{`( 1  "b";x );y=2, ()`}, "inner;y=1:2(1:1)(3:b;x=6:1), inner"},
		{[]string{"(1 2"}, failed9651},
		{[]string{"(1,2)"}, failed9651},
		{[]string{"(1\t2)"}, failed9651},
		{[]string{`("a""b")`}, failed9651},
		{[]string{"((1))"}, failed9651},
	} {
		got := failed9651
		if list, ok := structuredList(tc.lines); ok {
			got = spelledList(list)
		}
		if got != tc.want {
			t.Errorf("structuredList(%q) = %s, want %s", tc.lines, got, tc.want)
		}
	}
}

func TestStructuredDictionaries(t *testing.T) { // sections 3.2 and 4.2.2
	for _, tc := range []struct {
		lines []string
		want  string
	}{
		{[]string{""}, ""},
		{[]string{`a=1, b;x=2, c=("u" v);w`}, "a=1:1, b=6:1;x=1:2, c=inner;w=6:1(3:u)(4:v)"},
		{[]string{"a=1, b=2", "a=3"}, "a=1:3, b=1:2"},
		{[]string{"a=?0"}, "a=6:0"},
		{[]string{"*a-_.9=b"}, "*a-_.9=4:b"},
		{[]string{"a =1"}, failed9651},
		{[]string{"a= 1"}, failed9651},
		{[]string{"A=1"}, failed9651},
		{[]string{"1=1"}, failed9651},
		{[]string{"a=1,"}, failed9651},
		{[]string{"a=1, &&&"}, failed9651},
		{[]string{"a=1 b=2"}, failed9651},
	} {
		got := failed9651
		if list, ok := structuredDictionary(tc.lines); ok {
			got = spelledList(list)
		}
		if got != tc.want {
			t.Errorf("structuredDictionary(%q) = %s, want %s", tc.lines, got, tc.want)
		}
	}
}

func TestStructuredFieldsAreBounded(t *testing.T) {
	list := func(n int) []string { return []string{strings.Repeat("a,", n-1) + "a"} }
	if _, ok := structuredList(list(maxMembers)); !ok {
		t.Errorf("a list of %d members is refused", maxMembers)
	}
	if _, ok := structuredList(list(maxMembers + 1)); ok {
		t.Errorf("a list of %d members is read", maxMembers+1)
	}
	inner := func(n int) []string { return []string{"(" + strings.Repeat("1 ", n) + ")"} }
	if _, ok := structuredList(inner(maxInnerMembers)); !ok {
		t.Errorf("an inner list of %d is refused", maxInnerMembers)
	}
	if _, ok := structuredList(inner(maxInnerMembers + 1)); ok {
		t.Errorf("an inner list of %d is read", maxInnerMembers+1)
	}
	params := "1"
	for i := range maxParameters {
		params += fmt.Sprintf(";a%d", i)
	}
	if _, ok := structuredItem([]string{params}); !ok {
		t.Errorf("%d parameters are refused", maxParameters)
	}
	if _, ok := structuredItem([]string{params + ";b"}); ok {
		t.Errorf("%d parameters are read", maxParameters+1)
	}
	if _, ok := structuredItem([]string{`"` + strings.Repeat("x", maxStructured) + `"`}); ok {
		t.Error("a field over its bound is read")
	}
}

func TestStructuredValuesAreWritten(t *testing.T) { // section 4.1
	for _, tc := range []struct{ in, want string }{
		{"larder", "larder"},
		{"*a/b:c", "*a/b:c"},
		{"", `""`},
		{"9a", `"9a"`},
		{"a b", `"a b"`},
		{`a"\`, `"a\"\\"`},
		{"a\r\nX: y", `"a%0D%0AX: y"`},
		{"é", `"%C3%A9"`},
	} {
		if got := string(appendSFWord(nil, tc.in)); got != tc.want {
			t.Errorf("appendSFWord(%q) = %s, want %s", tc.in, got, tc.want)
		}
	}
	if got := string(appendSFInteger(nil, -1<<63)); got != "-999999999999999" {
		t.Errorf("the smallest number is written as %s", got)
	}
}

func FuzzStructured(f *testing.F) {
	for _, s := range []string{
		`a=1, b;x=2, c=("u" v);w`, `"a\"b"`, "1.5;a;b=:aGVs:", `%"f%c3%bc"`, "@1", "(1 (",
		"a,\t b", "((((((", ";;;;", "-", "?1;a=?0",
		strings.Repeat("a,", 2000), strings.Repeat(`\"`, 100),
	} {
		f.Add(s, "x=2")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		list, ok := structuredList([]string{a})
		joined, alike := structuredList([]string{a + ", " + b})
		if two, ok := structuredList([]string{a, b}); ok != alike || ok &&
			spelledList(two) != spelledList(joined) {
			t.Fatalf("%q, %q: two lines differ from one", a, b)
		}
		if !ok && list != nil || len(list) > maxMembers {
			t.Fatalf("%q: %d members, %v", a, len(list), ok)
		}
		structuredDictionary([]string{a, b})
		if item, ok := structuredItem([]string{a}); ok {
			spelledList([]sfMember{{sfItem: item}})
		}
		again, ok := structuredItem([]string{string(appendSFWord(nil, a))})
		if len(a) < 1000 && (!ok || len(again.params) > 0) {
			t.Fatalf("%q is written as %s, which is no item", a, appendSFWord(nil, a))
		}
	})
}
