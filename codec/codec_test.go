// codec_test.go runs the acceptance suite and tests what is special to each codec.

package codec_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/codec"
	"github.com/larder-go/larder/codec/codectest"
)

func TestJSON(t *testing.T) { codectest.Run(t, codec.JSON{}) }

// lost is refused by JSON for the tag of a field.
type lost struct {
	Kept string
	Lost string `json:"-"`
}

// odd is written as it is when it is a key, and read by its method.
type odd string

func (o *odd) UnmarshalText(b []byte) error { *o = odd(b); return nil }

type (
	left  struct{ X int }
	right struct{ X int }
	twice struct { // encoding/json leaves out both
		left
		right
	}
)

type withMethods struct{ m map[string]int }

func (w withMethods) MarshalJSON() ([]byte, error)  { return json.Marshal(w.m) }
func (w *withMethods) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &w.m) }

func TestJSONRefusesWhatOnlyItWouldLose(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string // part of the error; "" if it is fine
	}{
		{lost{}, `lost.Lost: tagged json:"-", would be lost`},
		{twice{}, `twice.right.X: a second field of the name "X"`},
		{map[float64]int{}, "cannot be the key"}, {map[odd]int{}, "UnmarshalText"},
		{map[[2]int]int{}, "cannot be the key"}, {url.URL{}, "URL.User.username: unexported"},
		{withMethods{}, ""}, {[]withMethods{}, ""}, {map[string]withMethods{}, ""},
		{net.IP{}, ""}, {json.RawMessage{}, ""}, {json.Number(""), ""},
		{struct {
			//lint:ignore SA5008 the name "-", said so that it is no lost field
			Dash string `json:"-,"`
		}{}, ""},
	} {
		err := codec.JSON{}.Check(reflect.TypeOf(c.value))
		if c.want == "" && err != nil || c.want != "" && !errors.Is(err, codec.ErrRefused) ||
			err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("Check(%T) = %v, want %q", c.value, err, c.want)
		}
	}
}

func TestJSONRefusesValuesThatItWouldChange(t *testing.T) {
	before := []byte("before")
	for _, v := range []any{
		"\xff", []string{"a\xc3"}, map[string]int{"\x80": 1}, `\` + "\xff", `\\` + "\xff",
		math.NaN(), math.Inf(1), []float32{float32(math.NaN())},
	} {
		b, err := codec.JSON{}.Append(before, v)
		if err == nil || !bytes.Equal(b, before) {
			t.Errorf("Append(%q) = %q, %v; want an error", v, b, err)
		}
	}
	for _, want := range []string{`\ufffd`, `\\ufffd`, "\ufffd", `\\\ufffd`, `ufffd`} {
		b, err := codec.JSON{}.Append(nil, want)
		var got string
		if err == nil {
			err = codec.JSON{}.Decode(b, &got)
		}
		if err != nil || got != want {
			t.Errorf("%q came back as %q, %v", want, got, err)
		}
	}
}

type (
	blob  []byte
	title string
)

func TestBytesKeepsBytesAsTheyAre(t *testing.T) {
	var c codec.Bytes
	for _, v := range []any{
		[]byte("\xff\x00"), "\xff", blob("b"), title("t"), "", []byte{}, net.IP{1},
	} {
		b, err := c.Append([]byte("before"), v)
		if err == nil {
			err = c.Check(reflect.TypeOf(v))
		}
		into := reflect.New(reflect.TypeOf(v))
		if err == nil {
			b = b[len("before"):]
			err = c.Decode(b, into.Interface())
			clear(b)
		}
		if got := into.Elem().Interface(); err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%T: %q, %v; want %q", v, got, err, v)
		}
	}
	for _, v := range []any{1, []int{}, [2]byte{}, new([]byte), struct{}{}, nil} {
		if err := c.Check(reflect.TypeOf(v)); !errors.Is(err, codec.ErrRefused) {
			t.Errorf("Check(%T) = %v", v, err)
		}
		if _, err := c.Append(nil, v); !errors.Is(err, codec.ErrRefused) {
			t.Errorf("Append(%T): %v", v, err)
		}
	}
	for _, into := range []any{new(int), "", (*title)(nil), nil} {
		if err := c.Decode([]byte("x"), into); !errors.Is(err, codec.ErrRefused) {
			t.Errorf("Decode into %T: %v", into, err)
		}
	}
}

// point has both methods on the pointer, and fields that JSON would lose.
type point struct{ x, y byte }

func (p *point) MarshalBinary() ([]byte, error) {
	if p.x == 13 {
		panic("thirteen")
	}
	return []byte{p.x, p.y}, nil
}

func (p *point) UnmarshalBinary(b []byte) error {
	p.x, p.y = b[0], b[1] // panics for fewer
	return nil
}

// message stands for what a generator of protobuf has made.
type message struct{ text []byte }

// wrapped is how such a message is adapted.
type wrapped struct{ *message }

func (w wrapped) MarshalBinary() ([]byte, error) { return w.text, nil }
func (w *wrapped) UnmarshalBinary(b []byte) error {
	w.message = &message{bytes.Clone(b)}
	return nil
}

type inheritsBinary struct {
	wrapped
	Name string
}

func TestBinaryUsesTheMethodsOfTheType(t *testing.T) {
	var c codec.Binary
	for _, v := range []any{
		point{1, 2}, &point{3, 4}, wrapped{&message{[]byte("m")}}, url.URL{Host: "h", Path: "/p"},
	} {
		b, err := c.Append([]byte("before"), v)
		if err == nil {
			err = c.Check(reflect.TypeOf(v))
		}
		into := reflect.New(reflect.TypeOf(v))
		if err == nil {
			err = c.Decode(b[len("before"):], into.Interface())
		}
		if got := into.Elem().Interface(); err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%T: %v, %v; want %v", v, got, err, v)
		}
	}
	for _, v := range []any{1, message{}, new(*point), inheritsBinary{}, nil, []point{}} {
		if err := c.Check(reflect.TypeOf(v)); !errors.Is(err, codec.ErrRefused) {
			t.Errorf("Check(%T) = %v", v, err)
		}
	}
	for _, v := range []any{1, (*point)(nil), nil, point{13, 0}} {
		if b, err := c.Append([]byte("b"), v); err == nil || string(b) != "b" {
			t.Errorf("Append(%T) = %q, %v", v, b, err)
		}
	}
	for _, into := range []any{new(point), new(*point), new(int), point{}, nil} {
		if err := c.Decode([]byte("x"), into); err == nil {
			t.Errorf("Decode into %T worked", into)
		}
	}
}

func TestDefaultTakesWhatLosesNothing(t *testing.T) {
	for _, c := range []struct {
		value any
		want  codec.Codec // nil: none
	}{
		{"", codec.Bytes{}}, {blob{}, codec.Bytes{}},
		{1, codec.JSON{}}, {time.Time{}, codec.JSON{}},
		{codectest.Everything{}, codec.JSON{}}, {point{}, codec.Binary{}},
		{&point{}, codec.Binary{}}, {wrapped{}, codec.Binary{}}, {url.URL{}, codec.Binary{}},
		{lost{}, nil}, {make(chan int), nil}, {nil, nil},
	} {
		got, err := codec.Default(reflect.TypeOf(c.value))
		if got != c.want || (err == nil) != (c.want != nil) {
			t.Errorf("Default(%T) = %T, %v; want %T", c.value, got, err, c.want)
		}
		if err != nil && !errors.Is(err, codec.ErrRefused) {
			t.Errorf("Default(%T): %v does not wrap ErrRefused", c.value, err)
		}
	}
}

// fuzzed is what bytes that anyone may have written are decoded into.
type fuzzed struct {
	Name  string
	Lists [][]int64
	Maps  map[string]map[int]*fuzzed
	Time  time.Time
	Bytes []byte
	Small [4]byte
}

func FuzzJSON(f *testing.F) {
	full := fuzzed{"n", [][]int64{{1}}, nil, time.Unix(1, 2), []byte("b"), [4]byte{}}
	b, err := codec.JSON{}.Append(nil, full)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"Maps":{"a":{"1":{"Lists":[[[[`))
	f.Fuzz(func(t *testing.T, b []byte) { decodeAgain[fuzzed](t, codec.JSON{}, b) })
}

// decodeAgain decodes arbitrary bytes; what is a value must come back as it is.
func decodeAgain[T any](t *testing.T, c codec.Codec, b []byte) {
	var first, second T
	if c.Decode(b, &first) != nil {
		return
	}
	again, err := c.Append(nil, first)
	if err != nil {
		return // a time that JSON cannot have
	}
	if err := c.Decode(again, &second); err != nil || !reflect.DeepEqual(first, second) {
		t.Fatalf("%q: %+v became %+v, %v", b, first, second, err)
	}
}
