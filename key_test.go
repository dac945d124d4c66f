// key_test.go checks which arguments have the same key, which have none, and that keys stay.

package larder_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/larder-go/larder"
)

func mustKey(t testing.TB, args ...any) larder.Key {
	t.Helper()
	k, err := larder.KeyOf(args...)
	if err != nil {
		t.Fatalf("KeyOf(%v): %v", args, err)
	}
	return k
}

type (
	userID int64
	point  struct{ X, Y int }
	spot   struct{ X, Y int }
	hidden struct {
		at   time.Time
		from netip.Addr
		who  string
	}
	padded struct {
		A int32
		_ int32
	}
	stamped struct { // inherits MarshalText and MarshalBinary, which know nothing of Name
		time.Time
		Name string
	}
	secret   string
	day      time.Time
	tree     map[string]tree
	options  struct{ Callback func() }
	request  struct{ Opts options }
	broken   struct{ p *int }
	failing  []func()
	labels   map[string][]string
	wrapped  struct{ broken broken }
	pair     [2]any
	optional struct{ n *big.Int }
)

var errMarshal = errors.New("no text today")

func (labels) MarshalText() ([]byte, error)   { return []byte("***"), nil }
func (secret) MarshalText() ([]byte, error)   { return []byte("***"), nil }
func (b broken) MarshalText() ([]byte, error) { panic(fmt.Sprint("oops ", b.p)) }
func (failing) MarshalText() ([]byte, error)  { return nil, errMarshal }

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func parsed(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

func TestKeyOfIsTheSameForEqualArguments(t *testing.T) {
	now := time.Now()
	elsewhere := now.Round(0).In(time.FixedZone("X", 3600))
	negative := math.Copysign(0, -1)
	zero := new(big.Int).Sub(big.NewInt(1<<40), big.NewInt(1<<40)) // an empty slice, not a nil one
	for _, tc := range []struct{ a, b []any }{
		{nil, nil},
		{[]any{0.0}, []any{negative}},
		{[]any{[]float64{0}}, []any{[]float64{negative}}},
		{[]any{math.NaN()}, []any{math.Float64frombits(0xfff8000000000000)}},
		{[]any{complex(0, negative)}, []any{complex(0, 0)}},
		{[]any{map[any]int{1: 1, "a": 2, point{}: 3}}, []any{map[any]int{point{}: 3, "a": 2, 1: 1}}},
		{[]any{map[float64]int{0: 1}}, []any{map[float64]int{negative: 1}}},
		{[]any{now}, []any{elsewhere}},
		{[]any{[]time.Time{now}}, []any{[]time.Time{elsewhere}}},
		{[]any{day(now)}, []any{day(elsewhere)}},
		{[]any{hidden{now, addr("::1"), "a"}}, []any{hidden{elsewhere, addr("0::1"), "a"}}},
		{[]any{stamped{now, "a"}}, []any{stamped{elsewhere, "a"}}},
		{[]any{padded{A: 1}}, []any{*(*padded)(unsafe.Pointer(&[2]int32{1, 2}))}},
		{[]any{big.NewInt(7)}, []any{new(big.Int).SetBytes([]byte{0, 7})}},
		{[]any{*zero}, []any{big.Int{}}},
		{[]any{big.NewRat(2, 4)}, []any{big.NewRat(1, 2)}},
		{[]any{optional{zero}}, []any{optional{new(big.Int)}}},
		{[]any{parsed("https://go.dev/a?b")}, []any{parsed("https://go.dev/a?b")}},
		{[]any{tree{"a": {"b": nil}, "c": {}}}, []any{tree{"c": {}, "a": {"b": nil}}}},
	} {
		if got, want := mustKey(t, tc.a...), mustKey(t, tc.b...); got != want {
			t.Errorf("got %v, want %v, for %v and %v", got, want, tc.a, tc.b)
		}
	}
}

// TestKeyOfDiffersForDifferentArguments compares each list with each other.
func TestKeyOfDiffersForDifferentArguments(t *testing.T) {
	now, nobody := time.Now(), (*big.Int)(nil)
	type local struct{ X, Y int }
	keys := map[larder.Key]int{}
	for i, args := range [][]any{
		{}, {nil}, {nil, nil}, {0}, {false}, {true}, {""}, {"", ""}, {[]any{}}, {[]any(nil)},
		{"a", "bc"}, {"ab", "c"}, {"abc"}, {[]string{"a", "bc"}}, {[]string{"ab", "c"}},
		{[2]string{"a", "bc"}}, {[]any{"a", "bc"}}, {pair{"a", "bc"}}, {[]any{[]any{"a"}, "bc"}},
		{1}, {"1"}, {int8(1)}, {int16(1)}, {int32(1)}, {int64(1)}, {uint(1)}, {uint8(1)},
		{uint16(1)}, {uint32(1)}, {uint64(1)}, {uintptr(1)}, {float32(1)}, {1.0}, {complex64(1)},
		{complex(1, 0)}, {complex(0, 1)}, {userID(1)}, {-1}, {math.Inf(1)}, {math.Inf(-1)},
		{math.NaN()}, {[]byte(nil)}, {[]byte{}}, {[]byte("a")}, {"a"}, {secret("a")}, {secret("b")},
		{labels{"a": {"b"}}}, {labels{"a": {"c"}}},
		{[1]byte{'a'}}, {[]int8{'a'}}, {[]int(nil)}, {[]int{}}, {[]string{}}, {[][]int{}},
		{[][]string{}}, {[]int{1}}, {[]int{1, 0}}, {[]int{1}, 0}, {[0]int{}}, {[]userID{}},
		{map[string]int(nil)}, {map[string]int{}}, {map[string]int{"a": 1}}, {map[string]any{"a": 1}},
		{map[int]string{}}, {map[any]int{1: 2, 2: 1}}, {map[any]int{1: 1, 2: 2}},
		{point{1, 2}}, {point{2, 1}}, {spot{1, 2}}, {local{1, 2}}, {struct{ X, Y int }{1, 2}},
		{struct{ X, Z int }{1, 2}}, {struct{ x, y int }{1, 2}}, {[]point{{1, 2}}}, {[]any{point{1, 2}}},
		{[]struct{ A int }{}}, {[]struct{ B int }{}}, {[]struct{ A string }{}},
		{[]struct {
			A int `json:"b"`
		}{}},
		{now}, {day(now)}, {now.Add(1)}, {stamped{now, "a"}}, {stamped{now, "b"}}, {&now},
		{hidden{now, addr("::1"), "a"}}, {hidden{now, addr("::1"), "b"}},
		{hidden{now, addr("::2"), "a"}}, {addr("1.2.3.4")}, {addr("::ffff:1.2.3.4")}, {netip.Addr{}},
		{addr("fe80::1%a")}, {addr("fe80::1%b")}, {"1.2.3.4"}, {netip.AddrPortFrom(addr("::1"), 1)},
		{*big.NewInt(1)}, {big.NewInt(1)}, {big.NewInt(-1)}, {nobody}, {new(big.Int)}, {big.NewRat(1, 1)},
		{optional{}}, {optional{new(big.Int)}}, {*parsed("/a")}, {parsed("/a")}, {parsed("/b")},
		{[]error{}}, {[]any{nil}}, {[]error{nil}}, {[]func(){}}, {[]chan int{}}, {[]*int{}},
		{strings.Repeat("a", 300)}, {strings.Repeat("a", 9000)}, {strings.Repeat("a", 9001)},
		{tree{"a": {"b": nil}}}, {tree{"a": nil, "b": nil}}, {tree{"a": {"b": {}}}},
		{reflect.Bool}, {mustKey(t, 1)}, {[32]byte(mustKey(t, 1))},
	} {
		k := mustKey(t, args...)
		if other, ok := keys[k]; ok {
			t.Errorf("list %d and list %d, %#v, have the same key", other, i, args)
		}
		keys[k] = i
	}
}

func TestKeyOfRefuses(t *testing.T) {
	x := 1
	list := []any{nil}
	list[0] = list
	loop := map[string]any{}
	loop["me"] = loop
	for _, tc := range []struct {
		want string
		args []any
	}{
		{"argument 2, field Opts.Callback: a func cannot be part of a key", []any{1, request{}}},
		{"argument 1: a func cannot be part of a key", []any{func() {}}},
		{"argument 1: a chan cannot be part of a key", []any{make(chan int)}},
		{"argument 1: an unsafe.Pointer cannot be part of a key", []any{unsafe.Pointer(&x)}},
		{"argument 1: a pointer (*int) cannot be part of a key: pass what it points to", []any{&x}},
		{"argument 1: a pointer (*int) cannot be part of a key: pass what it points to",
			[]any{(*int)(nil)}},
		{"argument 1, element [1][0]: a chan cannot be part of a key",
			[]any{[]any{0, [1]chan int{}}}},
		{`argument 1, element ["a"].Callback: a func cannot be part of a key`,
			[]any{map[string]options{"a": {}}}},
		{"argument 1, element [7]: a func cannot be part of a key", []any{map[any]func(){7: nil}}},
		{"argument 1, element [8]: a func cannot be part of a key", []any{map[uint8]func(){8: nil}}},
		{"argument 1, element [larder_test.point]: a func cannot be part of a key",
			[]any{map[point]func(){{1, 2}: nil}}},
		{"argument 1, element [key]: a pointer (*int) cannot be part of a key: " +
			"pass what it points to", []any{map[*int]int{&x: 1}}},
		{"argument 1, element [key]: a NaN in the key of a map cannot be part of a key",
			[]any{map[any]int{[1]float64{math.NaN()}: 1}}},
		{"argument 1, field broken: MarshalText of *larder_test.broken panicked: oops <nil>",
			[]any{wrapped{broken: broken{p: nil}}}},
		{"argument 1: MarshalText of *larder_test.failing: no text today", []any{failing{}}},
		{"argument 1, element " + strings.Repeat("[0]", 33) + "[...: " +
			"data nested deeper than 1000: does it contain itself?", []any{list}},
		{"argument 1, element " + strings.Repeat(`["me"]`, 16) + `["me...: ` +
			"data nested deeper than 1000: does it contain itself?", []any{loop}},
	} {
		k, err := larder.KeyOf(tc.args...)
		if want := "larder: KeyOf: " + tc.want; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s, for %T", err, want, tc.args[len(tc.args)-1])
		}
		if k != (larder.Key{}) {
			t.Errorf("got key %v with error %v, want none", k, err)
		}
	}
}

func TestKeyOfWrapsTheErrorOfAMarshaler(t *testing.T) {
	if _, err := larder.KeyOf(failing{}); !errors.Is(err, errMarshal) {
		t.Errorf("got %v, want one that is %v", err, errMarshal)
	}
}

// TestKeyOfNeverChanges has keys that others have stored. Do not adapt them: raise keyVersion.
func TestKeyOfNeverChanges(t *testing.T) {
	instant := time.Date(2026, time.March, 1, 12, 0, 0, 5, time.UTC)
	for _, tc := range []struct {
		want string
		args []any
	}{
		{"47dc540c94ceb704a23875c11273e16bb0b8a87aed84de911f2133568115f254",
			[]any{}},
		{"25cd806db1f7ab34c02b791df47cbb41801db1a9f17b03406a814e4ea088d253",
			[]any{nil, true, "a", 7, int64(-7), uint8(255), 1.5, complex64(2i)}},
		{"d9639922f09ef7004d196235da782e75b9c1c02f0bad3f445c530214b76a7215",
			[]any{math.NaN(), float32(math.Inf(1))}},
		{"01bc22145c3ab05e93838197e6bb57780e787178a11a6052ef82a1d9eed13857",
			[]any{instant, day(instant)}},
		{"4163e5b23111540a78bd7c3fb75188570ba77d66a79d7b4e9231dc9b68ce679c",
			[]any{[]string{"a", "bc"}, []byte("d"), []int(nil)}},
		{"b8de9c0507fbabd59030a7922971bd38512b5f8cecc2e08fc51fe4f885289b44",
			[]any{map[any]any{"a": 1, 2: []point{{1, 2}}, point{3, 4}: spot{}}}},
		{"16abb424a79d63738a96ef556dd898365968ab4b9d39b51051d254624fd589ce",
			[]any{userID(1), point{1, 2}, struct{ A int }{1}, [2]point{}}},
		{"ddca5b9b4b8538a4451536fa234d93755f27de84a035fd4f9d7688aeb90c7c52",
			[]any{addr("fe80::1%eth0"), big.NewInt(-5), *big.NewRat(1, 3), parsed("https://go.dev/")}},
		{"458fc5197266bc40c802530c89c3f582b5f77590d7ef11b843cd37349bdb26dd",
			[]any{hidden{instant, addr("::1"), "a"}, stamped{instant, "b"}, tree{"a": {"b": nil}}}},
		{"85250d052b82fcb8c9e26d60e4681b2a169aef4f9982ddfaa82d9985c791ac2c",
			[]any{strings.Repeat("long ", 2000)}},
	} {
		if got := mustKey(t, tc.args...).String(); got != tc.want {
			t.Errorf("got %s, want %s, for %v", got, tc.want, tc.args)
		}
	}
}

// TestKeyOfIsTheHashOfTheEncoding spells two encodings out.
func TestKeyOfIsTheHashOfTheEncoding(t *testing.T) {
	for _, tc := range []struct {
		want string
		args []any
	}{
		{"\x01\x02" + "s\x02ab" + "i\x00\x00\x00\x00\x00\x00\x00\x07", []any{"ab", 7}},
		{"\x01\x06" + "s\x02ab" + "b\x01" + "0" + "g\x3f\xf8\x00\x00\x00\x00\x00\x00" +
			"NS\x00\x00s" + "\x01\x01" + "\x02ab" + "R\x00" + "\x00",
			[]any{"ab", true, nil, 1.5, []string{"ab"}, []string(nil)}},
	} {
		if got, want := mustKey(t, tc.args...), sha256.Sum256([]byte(tc.want)); got != want {
			t.Errorf("got %v, want %x, for %v", got, want, tc.args)
		}
	}
}

// TestKeyOfHashesMuchAtOnce has arguments that are hashed in pieces.
func TestKeyOfHashesMuchAtOnce(t *testing.T) {
	const n = 100_000
	numbers, entries := make([]float64, n), map[int]string{}
	for i := range n {
		numbers[i] = float64(i)
		entries[i] = "some text"
	}
	before := mustKey(t, numbers, entries, make([]byte, n))
	if again := mustKey(t, numbers, entries, make([]byte, n)); again != before {
		t.Errorf("got %v, want %v again", again, before)
	}
	entries[n/2] = "another"
	if after := mustKey(t, numbers, entries, make([]byte, n)); after == before {
		t.Errorf("got %v still, after a change", after)
	}
}

// source makes values of bytes that a fuzzer chose.
type source struct {
	bytes []byte
	depth int
}

func (s *source) next() byte {
	if len(s.bytes) == 0 {
		return 0
	}
	b := s.bytes[0]
	s.bytes = s.bytes[1:]
	return b
}

// list makes up to three values.
func (s *source) list() []any {
	list := make([]any, s.next()%4)
	for i := range list {
		list[i] = s.value()
	}
	return list
}

func (s *source) text() string {
	n := min(int(s.next()%8), len(s.bytes))
	text := string(s.bytes[:n])
	s.bytes = s.bytes[n:]
	return text
}

// value makes one that reflect.DeepEqual understands as KeyOf does: no NaN, no time, no pointer.
func (s *source) value() any {
	if s.depth++; s.depth > 100 {
		return nil
	}
	kind := s.next() % 16
	if kind >= 10 {
		return s.nested(kind)
	}
	n := s.next()
	return [...]any{
		nil, int(n), int8(n), uint8(n), float64(int8(n)) * 0.5, n%2 == 0, userID(n),
		point{int(n), int(n >> 4)}, [2]uint16{uint16(n), 1}, complex(float64(n), -1),
	}[kind]
}

func (s *source) nested(kind byte) any {
	switch kind {
	case 10:
		return s.text()
	case 11:
		return []byte(s.text())
	case 12:
		return []string{s.text(), s.text()}[:s.next()%3]
	case 13:
		m := map[any]any{}
		for range s.next() % 4 {
			m[s.text()] = s.value()
		}
		return m
	case 14:
		return pair{s.value(), s.value()}
	}
	return s.list()
}

// FuzzKeyOf makes two lists of arguments and compares their keys with what reflect.DeepEqual says.
func FuzzKeyOf(f *testing.F) {
	f.Add([]byte("\x02\x0a\x01a\x0a\x02bc"), []byte("\x02\x0a\x02ab\x0a\x01c"))
	f.Add([]byte("\x01\x0d\x02\x01a\x01\x01\x01b\x01\x02"),
		[]byte("\x01\x0d\x02\x01b\x01\x02\x01a\x01\x01"))
	f.Add([]byte("\x01\x01\x05"), []byte("\x01\x06\x05"))
	f.Add([]byte("\x01\x0f\x01\x0f\x00"), []byte("\x01\x0e\x0f\x00\x00"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		one, two := (&source{bytes: a}).list(), (&source{bytes: b}).list()
		same := mustKey(t, one...) == mustKey(t, two...)
		if want := reflect.DeepEqual(one, two); same != want {
			t.Errorf("got same key: %t, want %t, for %#v and %#v", same, want, one, two)
		}
		again := (&source{bytes: a}).list() // its maps are in another order
		if mustKey(t, one...) != mustKey(t, again...) {
			t.Errorf("got different keys for %#v, twice", one)
		}
	})
}

func BenchmarkKeyOf(b *testing.B) {
	numbers := make([]float64, 1000)
	text, n := "users by team", 100_000
	for _, bb := range []struct {
		name string
		run  func() (larder.Key, error)
	}{
		{"strings and ints", func() (larder.Key, error) { return larder.KeyOf(text, n, "team:7", 42) }},
		{"time", func() (larder.Key, error) { return larder.KeyOf(text, time.Unix(1, 2)) }},
		{"strings", func() (larder.Key, error) { return larder.KeyOf(text, []string{text, text}) }},
		{"struct", func() (larder.Key, error) { return larder.KeyOf(text, point{1, 2}) }},
		{"map", func() (larder.Key, error) { return larder.KeyOf(map[string]int{"a": 1, "b": 2}) }},
		{"1000 floats", func() (larder.Key, error) { return larder.KeyOf(numbers) }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bb.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Arguments that Go cannot compare get a key of their own.
func ExampleKeyOf() {
	ctx := context.Background()
	sums := larder.New(larder.Options[larder.Key, float64]{MaxEntries: 1000})
	defer sums.Close()
	sum := func(column string, numbers []float64) (total float64, err error) {
		key, err := larder.KeyOf(column, numbers)
		if err != nil {
			return 0, err
		}
		if total, ok := sums.Lookup(key); ok {
			return total, nil
		}
		fmt.Println("adding", column)
		for _, n := range numbers {
			total += n
		}
		return total, sums.Set(ctx, key, total)
	}
	fmt.Println(sum("price", []float64{1, 2, 3}))
	fmt.Println(sum("price", []float64{1, 2, 3}))
	// Output:
	// adding price
	// 6 <nil>
	// 6 <nil>
}

// Arguments that Go can compare need no KeyOf: a struct of them is the key, and loads go through
// the cache.
func ExampleKeyOf_struct() {
	type route struct{ From, To string }
	minutes := larder.Memoize(func(_ context.Context, r route) (int, error) {
		fmt.Println("asking for", r.From, "to", r.To)
		return 42, nil
	}, larder.Options[route, int]{MaxEntries: 1000})
	defer minutes.Close()
	for range 2 {
		fmt.Println(minutes.Get(context.Background(), route{"Bern", "Basel"}))
	}
	// Output:
	// asking for Bern to Basel
	// 42 <nil>
	// 42 <nil>
}

// What cannot be data is refused by name.
func ExampleKeyOf_refused() {
	type options struct {
		Depth    int
		Callback func()
	}
	type request struct{ Opts options }
	_, err := larder.KeyOf("crawl", request{options{Depth: 3}})
	fmt.Println(err)
	// Output:
	// larder: KeyOf: argument 2, field Opts.Callback: a func cannot be part of a key
}
