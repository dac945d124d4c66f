// msgpack_test.go runs the acceptance suite, and tries bytes that want more memory than there is.

package msgpack_test

import (
	"bytes"
	"errors"
	"net/url"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	library "github.com/vmihailenco/msgpack/v5"
	"go.uber.org/goleak"

	"github.com/larder-go/larder/codec"
	"github.com/larder-go/larder/codec/codectest"
	"github.com/larder-go/larder/codec/msgpack"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMsgpack(t *testing.T) { codectest.Run(t, msgpack.Codec{}) }

type tagged struct {
	A     int    `msgpack:"a"`
	B     string `msgpack:"b,omitempty"`
	Plain bool
}

type asArray struct {
	//lint:ignore U1000 msgpack reads its tag
	_msgpack struct{} `msgpack:",as_array"`
	A, B     int
}

type inner struct{ N int }

// custom uses the library's own interface.
type custom struct{ at time.Time }

func (c *custom) EncodeMsgpack(e *library.Encoder) error { return e.EncodeTime(c.at) }
func (c *custom) DecodeMsgpack(d *library.Decoder) (err error) {
	c.at, err = d.DecodeTime()
	return err
}

func TestWhatOnlyMsgpackCanDo(t *testing.T) {
	c := msgpack.Codec{}
	for _, v := range []any{
		tagged{1, "b", true}, tagged{}, asArray{A: 1, B: 2}, "\xff", []string{"\xc3"},
		map[float64]string{0.5: "a"}, map[[2]int]bool{{1, 2}: true}, map[inner]int{{1}: 2},
		url.URL{Host: "h", Path: "/p"}, []custom{{time.Unix(5, 0)}, {time.Unix(6, 7)}},
		struct{ P *custom }{&custom{time.Unix(1<<33, 1)}},
	} {
		if err := c.Check(reflect.TypeOf(v)); err != nil {
			t.Errorf("%T: %v", v, err)
			continue
		}
		b, err := c.Append(nil, v)
		into := reflect.New(reflect.TypeOf(v))
		if err == nil {
			err = c.Decode(b, into.Interface())
		}
		if got := into.Elem().Interface(); err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%T: %v, %v; want %v", v, got, err, v)
		}
	}
}

func TestMsgpackRefusesWhatTheLibraryCannotDo(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{uintptr(1), "uintptr"}, {struct{ *inner }{}, "an embedded pointer"},
		{struct {
			inner `msgpack:"in"`
		}{}, "embedded with a tag"},
		{struct {
			A int `msgpack:"-"`
		}{}, "would be lost"},
		{struct {
			A int `msgpack:"-,omitempty"`
		}{}, "would be lost"},
		{struct {
			A string `msgpack:"a,intern"`
		}{}, "interned"},
		{map[string]custom{}, "only a pointer"},
	} {
		err := msgpack.Codec{}.Check(reflect.TypeOf(c.value))
		if !errors.Is(err, codec.ErrRefused) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Check(%T) = %v, want %q", c.value, err, c.want)
		}
	}
}

// wide has all that bytes can ask memory for.
type wide struct {
	Ints  []int64
	Lists [][]string
	Bytes []byte
	Text  string
	Texts map[string]string
	Maps  map[int64]map[string]*wide
	Time  time.Time
	Times []time.Time
	Grade codectest.Grade
}

// decodeAllocs returns how many bytes were allocated to decode b, and the error.
func decodeAllocs(b []byte) (uint64, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := msgpack.Codec{}.Decode(b, new(wide))
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, err
}

func TestBytesThatLieAllocateLittle(t *testing.T) {
	head := func(field, rest string) string {
		return "\x81" + string([]byte{0xa0 | byte(len(field))}) + field + rest
	}
	const huge = "\xff\xff\xff\xff"
	for what, b := range map[string]string{
		"a long array":         head("Ints", "\xdd"+huge),
		"long arrays inside":   head("Lists", "\x91\xdd"+huge),
		"long bytes":           head("Bytes", "\xc6"+huge),
		"a long text":          head("Text", "\xdb"+huge),
		"a long map":           head("Texts", "\xdf"+huge),
		"a long map of maps":   head("Maps", "\xdf\x00\x10\x00\x00"),
		"unknown, deep":        head("?", strings.Repeat("\x91", 1<<20)+"\xc0"),
		"lists for a list":     head("Ints", strings.Repeat("\x91", 1<<20)+"\xc0"),
		"a map inside a time":  head("Texts", "\xd6\xff\xdf\x00\x0f\x40") + "\x00",
		"a map in a long time": head("Maps", "\xc7\x0c\xff\xdf\x00\x0f\x42"+string(make([]byte, 8))),
		"a list after a time":  head("Maps", "\xd7\xff\x81\x00\x81\xa1x\x81\xa1x\xdd"+huge),
		"another extension":    head("Time", "\xd4\x80\x00"),
		"a long extension":     head("Time", "\xc9"+huge+"\xff"),
		"a time of 5 bytes":    head("Time", "\xc7\x05\xff\x00\x00\x00\x00\x00"),
		"a text's time":        head("Grade", "\xd6\xff\x00\x00\x00\x00"),
		"a code without":       "\xc1", "nothing": "", "garbage": "\xc0\xc0",
	} {
		n, err := decodeAllocs([]byte(b))
		if err == nil || n > 1<<16+uint64(len(b)) {
			t.Errorf("%s: %d bytes allocated for %d, error %v", what, n, len(b), err)
		}
	}
}

func FuzzMsgpack(f *testing.F) {
	at := time.Unix(1<<33, 5)
	b, err := msgpack.Codec{}.Append(nil, wide{
		Ints: []int64{1, -5000}, Lists: [][]string{{"a"}, nil}, Bytes: []byte{1}, Text: "t",
		Texts: map[string]string{"a": "b"}, Maps: map[int64]map[string]*wide{1: {"x": {}}},
		Time: at, Times: []time.Time{at, {}, time.Unix(1, 0)},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("\x81\xa4Maps\xd6\xff\xdf\x00\x0f\x42"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var first, second wide
		if (msgpack.Codec{}).Decode(b, &first) != nil {
			return
		}
		again, err := msgpack.Codec{}.Append(nil, first)
		if err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		if err := (msgpack.Codec{}).Decode(again, &second); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		third, err := msgpack.Codec{}.Append(nil, second)
		if err != nil || len(third) != len(again) {
			t.Fatalf("%q: %q became %q, %v", b, again, third, err)
		}
	})
}

func TestDecodeUsesNoBufferOfAnother(t *testing.T) {
	long := strings.Repeat("x", 1<<17)
	for _, text := range []string{long, "short", long[:100]} {
		b, err := msgpack.Codec{}.Append(nil, wide{Text: text, Bytes: []byte(text)})
		if err != nil {
			t.Fatal(err)
		}
		var got wide
		if err := (msgpack.Codec{}).Decode(b, &got); err != nil {
			t.Fatal(err)
		}
		clear(b)
		if got.Text != text || !bytes.Equal(got.Bytes, []byte(text)) {
			t.Errorf("a text of %d bytes came back as %d", len(text), len(got.Text))
		}
	}
}
