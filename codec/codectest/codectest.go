// codectest.go is what every codec of structs has to pass.

// Package codectest tests codecs.
package codectest

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/codec"
)

// Run tests a codec that encodes structs by their fields.
func Run(t *testing.T, c codec.Codec) {
	t.Run("values come back", func(t *testing.T) { values(t, c) })
	t.Run("times come back", func(t *testing.T) { times(t, c) })
	t.Run("what would be lost is refused", func(t *testing.T) { refused(t, c) })
	t.Run("damaged bytes are errors", func(t *testing.T) { damaged(t, c) })
	t.Run("what bites its tail is refused", func(t *testing.T) { endless(t, c) })
	t.Run("deep values come back", func(t *testing.T) { deep(t, c) })
	t.Run("a method that panics is an error", func(t *testing.T) { panics(t, c) })
	t.Run("many at once", func(t *testing.T) { atOnce(t, c) })
}

// Inner is embedded in [Everything].
type Inner struct {
	Depth int
	Notes map[string]string
}

// Grade has methods of its own, one of them of the pointer.
type Grade struct{ grade string }

// MarshalText implements encoding.TextMarshaler.
func (g Grade) MarshalText() ([]byte, error) { return []byte("grade " + g.grade), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (g *Grade) UnmarshalText(b []byte) error {
	rest, ok := strings.CutPrefix(string(b), "grade ")
	if !ok {
		return errors.New("not a grade")
	}
	g.grade = rest
	return nil
}

// ID is an array with methods, as packages for UUIDs have them.
type ID [4]byte

// MarshalText implements encoding.TextMarshaler.
func (id ID) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%x", id[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *ID) UnmarshalText(b []byte) error {
	if len(b) != hex.EncodedLen(len(id)) {
		return errors.New("not an ID")
	}
	_, err := hex.Decode(id[:], b)
	return err
}

// Everything has a field of each kind that codecs take.
type Everything struct {
	Inner
	Bool    bool
	Int     int
	Int8    int8
	Int64   int64
	Uint64  uint64
	Float32 float32
	Float   float64
	Text    string
	Bytes   []byte
	Array   [3]uint16
	Key     [16]byte
	List    []Inner
	Nested  [][]string
	Map     map[int][]string
	ByName  map[string]Inner
	ByID    map[ID]string
	Pointer *Inner
	Grade   Grade
	Grades  map[string]*Grade
	Addr    netip.Addr
	Big     big.Int
	BigList []*big.Int
	Period  time.Duration
}

// Full returns a value with all fields filled in.
func Full() Everything {
	return Everything{
		Inner: Inner{1, map[string]string{"k": "v", "": "empty"}},
		Bool:  true, Int: -1 << 30, Int8: -128, Int64: math.MinInt64, Uint64: math.MaxUint64,
		Float32: 0.1, Float: math.SmallestNonzeroFloat64,
		Text:  "a<b>&\"\\ufffd\u2028 é\ufffd",
		Bytes: []byte{0, 255}, Array: [3]uint16{1, 2, 3}, Key: [16]byte{15: 9},
		List: []Inner{{}, {2, nil}}, Nested: [][]string{nil, {}, {"", "x"}},
		Map: map[int][]string{-1: {"minus"}, 2: nil}, ByName: map[string]Inner{"a": {Depth: 3}},
		ByID: map[ID]string{{1, 2, 3, 255}: "id"}, Pointer: &Inner{Depth: 4}, Grade: Grade{"best"},
		Grades: map[string]*Grade{"x": {"y"}, "none": nil},
		Addr:   netip.MustParseAddr("fe80::1%eth0"), Big: *big.NewInt(-1 << 62),
		BigList: []*big.Int{new(big.Int).Lsh(big.NewInt(1), 200), nil}, Period: time.Hour,
	}
}

// Tree contains itself.
type Tree struct {
	Name string
	Kids []*Tree
	By   map[string]Tree
}

type (
	stamp  struct{ time.Time } // nothing but what it inherits
	named  string
	list   []list
	number int
)

func values(t *testing.T, c codec.Codec) {
	for _, v := range []any{
		Everything{}, Full(), new(Full()), (*Everything)(nil),
		0, -7, uint8(200), "", "text", named("n"), true,
		math.Copysign(0, -1), 1e300, float32(1e-40),
		[]byte("b"), []byte{}, []byte(nil), [2]bool{true},
		[]string{}, []string(nil), []string{"", "a"}, map[string]int{}, map[string]int(nil),
		map[number]Inner{1: {}}, []Everything{Full(), {}}, map[string]*Everything{}, ID{1, 2, 3, 4},
		Grade{"g"}, *big.NewInt(5), big.NewInt(6), Tree{"a", []*Tree{{Name: "b"}, nil}, nil},
		list{{}, {{}}}, struct{}{}, [0]int{}, struct{ A, a_ struct{} }{},
	} {
		got, err := roundTrip(c, v)
		if err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%T: %.300v, %v; want %.300v", v, got, err, v)
		}
	}
}

// roundTrip returns what comes back of a value.
func roundTrip(c codec.Codec, v any) (any, error) {
	if err := c.Check(reflect.TypeOf(v)); err != nil {
		return nil, err
	}
	b, err := c.Append([]byte("before"), v)
	if err != nil {
		return nil, err
	}
	rest, ok := strings.CutPrefix(string(b), "before")
	if !ok {
		return nil, fmt.Errorf("what was appended to has changed: %q", b)
	}
	into, b := reflect.New(reflect.TypeOf(v)), []byte(rest)
	err = c.Decode(b, into.Interface())
	for i := range b {
		b[i] = 0xff // it must not refer to them
	}
	return into.Elem().Interface(), err
}

func times(t *testing.T, c codec.Codec) {
	zone := time.FixedZone("", 7200)
	for _, want := range []time.Time{
		{}, time.Now(), time.Unix(0, 0).UTC(), time.Date(2300, 1, 2, 3, 4, 5, 999999999, zone),
		time.Date(1700, 1, 1, 0, 0, 0, 1, time.UTC), time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		for _, v := range []any{want, stamp{want}, struct{ T *time.Time }{&want}} {
			got, err := roundTrip(c, v)
			if err != nil {
				t.Errorf("%T %v: %v", v, want, err)
				continue
			}
			back, ok := got.(time.Time)
			switch got := got.(type) {
			case stamp:
				back, ok = got.Time, true
			case struct{ T *time.Time }:
				back, ok = *got.T, true
			}
			if !ok || !back.Equal(want) || back.IsZero() != want.IsZero() {
				t.Errorf("%T: %v, want %v", v, got, want)
			}
		}
	}
}

// The types of which something would be lost.
type (
	//lint:ignore U1000 it is there to be refused
	secret  struct{ Name, password string }
	outOnly struct{ N int }
	inOnly  struct{ N int }
	event   struct {
		time.Time
		Name string
	}
	loop    *loop
	selfish struct {
		Name string
		//lint:ignore U1000 it is there to be refused
		*selfish
	}
	self struct {
		Name string
		//lint:ignore U1000 it is there to be refused
		*self
	}
	byPointer struct{ n int }
)

func (outOnly) MarshalText() ([]byte, error)      { return nil, nil }
func (*inOnly) UnmarshalText([]byte) error        { return nil }
func (*byPointer) MarshalText() ([]byte, error)   { return nil, nil }
func (p *byPointer) UnmarshalText(b []byte) error { p.n = len(b); return nil }

func refused(t *testing.T, c codec.Codec) {
	for _, r := range []struct {
		value any
		path  string // what the error names
	}{
		{secret{}, "secret.password: unexported"},
		{[]map[string]*secret{}, "[][].password: unexported"},
		{struct{ A any }{}, ".A: an interface"}, {struct{ E error }{}, ".E: an interface"},
		{struct{ C chan int }{}, ".C: chan"}, {struct{ F func() }{}, ".F: func"},
		{complex(1, 2), "complex128"}, {map[string]complex64{}, "[]: complex64"},
		{struct{ M sync.Mutex }{}, ".M."}, {outOnly{}, "but no"}, {[]inOnly{}, "[]: has"},
		{event{}, "event: is"}, {map[*int]int{}, "key"}, {map[any]int{}, ""},
		{new([]int), "nil"}, {new(*int), "nil"}, {loop(nil), "nil"}, {selfish{}, ""}, {self{}, ""},
		{map[string]Everything{}, "[].Big: only a pointer"},
		{map[string]byPointer{}, "only a pointer"}, {map[string][1]byPointer{}, "only a pointer"},
		{struct{ F *big.Float }{}, ".F: its precision"}, {make(chan int), "chan"},
		{struct{ T map[event]int }{}, ".T[key]"},
	} {
		err := c.Check(reflect.TypeOf(r.value))
		if !errors.Is(err, codec.ErrRefused) || !strings.Contains(err.Error(), r.path) {
			t.Errorf("Check(%T) = %v, want it refused for %q", r.value, err, r.path)
		}
	}
	if err := c.Check(nil); !errors.Is(err, codec.ErrRefused) {
		t.Errorf("Check(nil) = %v", err)
	}
	if err := c.Decode(nil, Everything{}); err == nil {
		t.Error("decoded into what is no pointer")
	}
	for _, v := range []any{[]byPointer{{1}}, map[string]*byPointer{}} { // these have an address
		if err := c.Check(reflect.TypeOf(v)); err != nil {
			t.Errorf("Check(%T) = %v", v, err)
		}
	}
}

func damaged(t *testing.T, c codec.Codec) {
	b, err := c.Append(nil, Full())
	if err != nil {
		t.Fatal(err)
	}
	for n := range b {
		if err := c.Decode(b[:n:n], new(Everything)); err == nil {
			t.Errorf("the first %d bytes of %d are a value", n, len(b))
		}
	}
	for _, more := range []string{"0", "}", "\x00", "\xc0", string(b)} {
		if err := c.Decode(append(b[:len(b):len(b)], more...), new(Everything)); err == nil {
			t.Errorf("%.10q behind a value is read", more)
		}
	}
	for i := range b {
		for _, flip := range []byte{1, 0x20, 0x80, 0xff} {
			bad := append([]byte(nil), b...)
			bad[i] ^= flip
			_ = c.Decode(bad, new(Everything)) // it may be a value; it must not panic
		}
	}
}

func endless(t *testing.T, c codec.Codec) {
	tree := &Tree{Name: "a"}
	tree.Kids = []*Tree{tree}
	itself := make(list, 1)
	itself[0] = itself
	for _, v := range []any{tree, itself} {
		if _, err := c.Append(nil, v); err == nil {
			t.Errorf("%T: encoded", v)
		}
	}
}

func deep(t *testing.T, c codec.Codec) {
	nest := func(n int) any {
		l := list{}
		for range n - 1 {
			l = list{l}
		}
		return l
	}
	for _, n := range []int{100, 5000, 10_000} {
		v := nest(n)
		if got, err := roundTrip(c, v); err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%d levels: %v", n, err)
		}
	}
	if _, err := c.Append(nil, nest(10_002)); err == nil {
		t.Error("10,002 levels are encoded, and could not be decoded")
	}
}

// bomb panics.
type bomb struct{ N int }

func (bomb) MarshalText() ([]byte, error) { panic("out") }
func (*bomb) UnmarshalText([]byte) error  { panic("in") }

func panics(t *testing.T, c codec.Codec) {
	if _, err := c.Append(nil, []bomb{{1}}); err == nil {
		t.Error("Append: no error")
	}
	b, err := c.Append(nil, []string{"text"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Decode(b, new([]bomb)); err == nil {
		t.Error("Decode: no error")
	}
	values(t, c) // it goes on
}

func atOnce(t *testing.T, c codec.Codec) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 50 {
				v := Full()
				v.Int, v.Text = i*1000+n, strings.Repeat("x", n*i)
				got, err := roundTrip(c, v)
				if err != nil || !reflect.DeepEqual(got, v) {
					t.Errorf("%d %d: %v, %v", i, n, got, err)
				}
			}
		})
	}
	wg.Wait()
}
