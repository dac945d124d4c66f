// record_internal_test.go reads records that are none, and checks what is sent as expiration.

package memcached

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/larder-go/larder/store"
)

func samples() []record {
	at := time.Unix(1_700_000_000, 123)
	item := store.Item{
		Value: []byte("value"), Created: at, FreshUntil: at.Add(1), GoneAfter: at.Add(2),
		Tags: []string{"a", ""}, Validators: store.Validators{ETag: `"x"`},
	}
	return []record{
		{},
		{lease: leaseMark{7, at}},
		{present: true, item: store.Item{Value: []byte{}}},
		{present: true, item: item, marks: []uint64{1, 2}},
		{present: true, item: item, marks: []uint64{1, 2}, lease: leaseMark{7, at}},
	}
}

func TestRecordsComeBack(t *testing.T) {
	for _, want := range samples() {
		got, err := parseRecord(appendRecord(nil, "k", want), "k")
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	for _, r := range samples() {
		f.Add(appendRecord(nil, "k", r))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseRecord(b, "k")
		if err != nil {
			if !errors.Is(err, store.ErrNotFound) || !errors.Is(err, store.ErrDamaged) {
				t.Errorf("%v wraps neither ErrNotFound nor ErrDamaged", err)
			}
			return
		}
		again, err := parseRecord(appendRecord(nil, "k", r), "k")
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Errorf("%+v came back as %+v, %v", r, again, err)
		}
	})
}

func FuzzParseMark(f *testing.F) {
	f.Add([]byte("d12"))
	f.Add([]byte("a"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, ok := parseMark(b); ok {
			if again, ok := parseMark([]byte(m.String())); !ok || again != m {
				t.Errorf("%q: %+v came back as %+v", b, m, again)
			}
		}
	})
}

func TestExpirationNeverComesEarly(t *testing.T) {
	now := time.Unix(1_700_000_000, 999_999_999)
	const day = 24 * time.Hour
	for _, c := range []struct {
		left time.Duration
		want int64
	}{
		{0, -1}, {-day, -1}, {1, 2}, {time.Second, 2}, {time.Second + 1, 3},
		{30*day - time.Second, relativeLimit},
		{30 * day, now.Unix() + relativeLimit + 2},
		{365 * day, now.Unix() + 365*24*3600 + 2},
		{100 * 365 * day, 0},
	} {
		if got := expiration(now.Add(c.left), now); int64(got) != c.want {
			t.Errorf("%v left: %d, want %d", c.left, got, c.want)
		}
	}
	if got := expiration(time.Time{}, now); got != 0 {
		t.Errorf("never: %d", got)
	}
}

func TestNamesDiffer(t *testing.T) {
	s := &Store{o: Options{Prefix: "p:"}}
	seen := map[string]string{}
	for _, kind := range []string{kindItem, kindTag} {
		for _, key := range []string{"a", "I", "n", " ", "ä", "", string(make([]byte, 300))} {
			name := s.name(kind, key)
			if other, ok := seen[name]; ok || len(name) > maxName || !printable(name) {
				t.Errorf("%s %q is called %q, as is %q", kind, key, name, other)
			}
			seen[name] = kind + key
		}
	}
	if seen[s.o.Prefix+counterName] != "" {
		t.Error("a key is called as the counter is")
	}
}
