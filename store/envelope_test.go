// envelope_test.go tries items of all kinds, and bytes that are none.

package store_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/store"
)

// at is a time as it comes back: to the nanosecond, in the local zone.
func at(nanoseconds int64) time.Time { return time.Unix(0, nanoseconds) }

func fullItem() store.Item {
	return store.Item{
		Value:   []byte("value"),
		Created: at(1), FreshUntil: at(1 << 60), GoneAfter: at(1<<62 + 7),
		Tags:       []string{"a", "", strings.Repeat("long", 100)},
		Validators: store.Validators{ETag: `W/"1"`, LastModified: "Mon, 02 Jan 2006 15:04:05 GMT"},
	}
}

func TestItemsComeBackFromTheirEnvelope(t *testing.T) {
	full := fullItem()
	for _, key := range []string{"k", "", "\x00\xff", strings.Repeat("key", 1000)} {
		for _, item := range []store.Item{
			{}, full, {Value: []byte{}}, {Value: make([]byte, 100_000)}, {Created: at(-5)},
			{FreshUntil: full.FreshUntil}, {GoneAfter: full.GoneAfter}, {Tags: []string{""}},
			{Created: at(0), FreshUntil: at(0), GoneAfter: at(0)},
			{Tags: slices.Repeat(full.Tags, 200)}, {Value: []byte("LDR\x01"), Tags: full.Tags},
			{Validators: store.Validators{ETag: "e"}},
			{Validators: store.Validators{LastModified: "l"}},
			{Value: []byte("v"), Validators: full.Validators},
		} {
			b := store.AppendItem([]byte("before"), key, item)
			if string(b[:6]) != "before" {
				t.Fatalf("AppendItem has changed what it appends to: %q", b[:6])
			}
			got, err := store.ParseItem(b[6:], key)
			if err != nil || !sameItem(got, item) {
				t.Errorf("%.20q: %+v came back as %+v, %v", key, item, got, err)
			}
		}
	}
}

// sameItem reports whether two items are the same; no tags and no value may be nil or empty.
func sameItem(a, b store.Item) bool {
	return string(a.Value) == string(b.Value) && slices.Equal(a.Tags, b.Tags) &&
		a.Validators == b.Validators && a.Created.Equal(b.Created) &&
		a.FreshUntil.Equal(b.FreshUntil) && a.GoneAfter.Equal(b.GoneAfter)
}

func TestTimesInAnEnvelopeAreInstants(t *testing.T) {
	for _, zone := range []*time.Location{time.UTC, time.FixedZone("far", 14*3600)} {
		want := time.Date(2024, 2, 29, 1, 2, 3, 4, zone)
		got, err := store.ParseItem(store.AppendItem(nil, "k", store.Item{Created: want}), "k")
		if err != nil || !got.Created.Equal(want) {
			t.Errorf("%v came back as %v, %v", want, got.Created, err)
		}
	}
}

// TestTimesTooFarAwayStayFar: int64 holds nanoseconds from 1678 to 2262, and programs write "never"
// as the year 9999.
func TestTimesTooFarAwayStayFar(t *testing.T) {
	now := time.Now()
	far := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	item := store.Item{Value: []byte("v"), Created: now, FreshUntil: far, GoneAfter: far}
	got, err := store.ParseItem(store.AppendItem(nil, "k", item), "k")
	if err != nil || got.Expired(now) || !got.Fresh(now) || got.GoneAfter.Year() < 2200 {
		t.Errorf("an item to be kept until %v is kept until %v, %v", far, got.GoneAfter, err)
	}
	item.GoneAfter = time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC)
	got, err = store.ParseItem(store.AppendItem(nil, "k", item), "k")
	if err != nil || !got.Expired(now) {
		t.Errorf("an item that was gone in the year 1 is kept until %v, %v", got.GoneAfter, err)
	}
}

// wantDamaged requires that b is no item of key.
func wantDamaged(t *testing.T, what string, b []byte, key string) {
	t.Helper()
	item, err := store.ParseItem(b, key)
	if !errors.Is(err, store.ErrNotFound) || !errors.Is(err, store.ErrDamaged) {
		t.Errorf("%s: %v, want ErrNotFound and ErrDamaged", what, err)
	}
	if !reflect.DeepEqual(item, store.Item{}) {
		t.Errorf("%s: an item beside the error: %+v", what, item)
	}
}

func TestEveryChangeOfAnEnvelopeIsFound(t *testing.T) {
	for _, item := range []store.Item{{}, {Value: []byte("v")}, fullItem()} {
		b := store.AppendItem(nil, "key", item)
		for i := range 8 * len(b) {
			bad := slices.Clone(b)
			bad[i/8] ^= 1 << (i % 8)
			wantDamaged(t, fmt.Sprintf("bit %d of %d flipped", i, 8*len(b)), bad, "key")
		}
		for n := range b {
			wantDamaged(t, fmt.Sprintf("%d bytes of %d", n, len(b)), b[:n], "key")
		}
		for _, more := range []string{"\x00", "x", string(b)} {
			wantDamaged(t, "more behind it", append(slices.Clone(b), more...), "key")
		}
		for _, key := range []string{"", "ke", "keyy", "kez", "Key", "key\x00", "\x00key"} {
			wantDamaged(t, "under the key "+key, b, key)
		}
	}
	for _, b := range []string{"", "LDR", "LDR\x01", "LDR\x01\x00\x00\x00\x00", `{"json": 1}`} {
		wantDamaged(t, fmt.Sprintf("%q", b), []byte(b), "key")
	}
}

// sealed puts head, version and a right checksum before what is present and the rest.
func sealed(key string, rest []byte) []byte {
	b := append([]byte("LDR\x01\x00\x00\x00\x00"), rest...)
	sum := crc32.Checksum(append([]byte(key), rest...), crc32.MakeTable(crc32.Castagnoli))
	binary.LittleEndian.PutUint32(b[4:], sum)
	return b
}

func TestLengthsThatLieAreFoundAndAllocateLittle(t *testing.T) {
	const most = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
	for _, rest := range []string{
		"\x01", "\x01\x00\x00", "\x07" + strings.Repeat("x", 23), // times
		"\x08", "\x08" + most, "\x08\x01" + most, "\x08\x05\x00", "\x08\xff\xff\xff\x7f", // tags
		"\x08\x01\xff", "\x08" + most + "\x7f", "\x08\x80",
		"\x10", "\x10\x00", "\x10\x00\x01", "\x10" + most + "\x00", // validators
		"\x20", "\xff", "\x40value", // what no version has
	} {
		b := sealed("k", []byte(rest))
		wantDamaged(t, fmt.Sprintf("%q", rest), b, "k")
		n := testing.AllocsPerRun(10, func() { _, _ = store.ParseItem(b, "k") })
		if n > 20 {
			t.Errorf("%q: %.0f allocations", rest, n)
		}
	}
	if item, err := store.ParseItem(sealed("k", []byte("\x00v")), "k"); string(item.Value) != "v" {
		t.Fatalf("an envelope of our own: %v, %v", item, err) // else the above shows nothing
	}
}

func TestParseItemCopiesNoValue(t *testing.T) {
	b := store.AppendItem(nil, "k", store.Item{Value: make([]byte, 1<<20), Created: at(1)})
	r := testing.Benchmark(func(bench *testing.B) {
		bench.ReportAllocs()
		for bench.Loop() {
			if _, err := store.ParseItem(b, "k"); err != nil {
				bench.Fatal(err)
			}
		}
	})
	if r.AllocedBytesPerOp() > 1000 {
		t.Errorf("%d bytes allocated for a value of 1 MiB", r.AllocedBytesPerOp())
	}
}

func FuzzParseItem(f *testing.F) {
	for _, item := range []store.Item{{}, fullItem(), {Tags: []string{"t"}}} {
		f.Add(store.AppendItem(nil, "key", item)[8:], "key")
	}
	f.Add([]byte("\x08\xff\xff\xff\xff\x0f"), "k")
	f.Fuzz(func(t *testing.T, rest []byte, key string) {
		if _, err := store.ParseItem(rest, key); err != nil && !errors.Is(err, store.ErrDamaged) {
			t.Fatalf("%q: %v", rest, err)
		}
		item, err := store.ParseItem(sealed(key, rest), key)
		if err != nil {
			wantDamaged(t, "sealed", sealed(key, rest), key)
			return
		}
		if len(item.Tags) > len(rest) || len(item.Value) > len(rest) {
			t.Fatalf("%d bytes hold %d tags", len(rest), len(item.Tags))
		}
		again, err := store.ParseItem(store.AppendItem(nil, key, item), key)
		if err != nil || !sameItem(item, again) {
			t.Fatalf("%+v became %+v, %v", item, again, err)
		}
	})
}
