// fingerprint_test.go pins fingerprints: another one is a miss for all that is kept.

package codec_test

import (
	"math/big"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/larder-go/larder/codec"
	"github.com/larder-go/larder/codec/codectest"
)

type (
	user  struct{ Name string }
	buyer struct{ Name string }
	chain struct {
		N    int
		Next *chain
	}
	links struct {
		N    int
		Next *links
	}
	ping        struct{ Pong []pong }
	pong        struct{ Ping map[string]*ping }
	box         struct{ u user } // of which JSON sees its methods alone
	cell        struct{ u user }
	pair[T any] struct{ A, B T }
)

func (b box) MarshalText() ([]byte, error)     { return []byte(b.u.Name), nil }
func (b *box) UnmarshalText(text []byte) error { b.u.Name = string(text); return nil }

func (c cell) MarshalText() ([]byte, error)     { return []byte(c.u.Name), nil }
func (c *cell) UnmarshalText(text []byte) error { c.u.Name = string(text); return nil }

func print[T any]() string { return codec.Fingerprint(reflect.TypeFor[T]()) }

func TestFingerprintsStayAsTheyAre(t *testing.T) {
	for _, c := range []struct{ name, got, want string }{
		{"int", print[int](), "db9f46c9"},
		{"string", print[string](), "5516f664"},
		{"[]byte", print[[]byte](), "da93e0c9"},
		{"time", print[time.Time](), "510d7787"},
		{"addr", print[netip.Addr](), "55cecd4d"},
		{"*big.Int", print[*big.Int](), "9fe9fefd"},
		{"user", print[user](), "abda895a"},
		{"chain", print[chain](), "1eb6396c"},
		{"ping", print[ping](), "0011f413"},
		{"everything", print[codectest.Everything](), "3960a857"},
		{"nil", codec.Fingerprint(nil), "ee434797"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
}

func TestFingerprintsOfEqualLayoutsAreEqual(t *testing.T) {
	type renamed struct{ Name string }
	for _, c := range []struct{ what, a, b string }{
		{"another name", print[user](), print[buyer]()},
		{"no name", print[user](), print[struct{ Name string }]()},
		{"another name that contains itself", print[chain](), print[links]()},
		{"another name inside", print[pair[user]](), print[pair[buyer]]()},
		{"another tag", print[user](), print[struct {
			Name string `xml:"n"`
		}]()},
		{"a name in a function", print[renamed](), print[user]()},
	} {
		if c.a != c.b {
			t.Errorf("%s: %s and %s", c.what, c.a, c.b)
		}
	}
}

func TestFingerprintsOfOtherLayoutsDiffer(t *testing.T) {
	seen := map[string]reflect.Type{}
	for _, v := range []any{
		struct{}{}, user{}, struct{ name string }{}, struct{ Nome string }{},
		struct{ Name []byte }{}, struct{ Name *string }{}, struct{ Name []string }{},
		struct{ Name, More string }{}, struct{ More, Name string }{},
		struct{ user }{}, struct{ User user }{}, chain{}, ping{}, pong{},
		struct {
			Name string `json:"name"`
		}{},
		struct {
			Name string `msgpack:"name"`
		}{},
		struct {
			Name string `json:"Name,omitempty"`
		}{},
		0, int64(0), uint(0), 0.5, [1]int{}, [2]int{}, []int{}, [][]int{}, map[string]int{},
		map[int]string{}, &user{}, []user{}, pair[int]{}, pair[string]{}, pair[*int]{},
		time.Time{}, time.Duration(0), netip.Addr{}, netip.Prefix{}, big.Int{},
		box{}, cell{}, pair[box]{}, pair[time.Time]{}, struct{ A, B struct{} }{},
	} {
		typ := reflect.TypeOf(v)
		print := codec.Fingerprint(typ)
		if typ == reflect.TypeFor[time.Duration]() { // laid out as what it is made of
			if print != codec.Fingerprint(reflect.TypeFor[int64]()) {
				t.Errorf("%v is not laid out as int64", typ)
			}
			continue
		}
		if other, ok := seen[print]; ok {
			t.Errorf("%v and %v: %s", typ, other, print)
		}
		seen[print] = typ
	}
}
