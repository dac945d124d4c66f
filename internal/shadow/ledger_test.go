// ledger_test.go looks at what is remembered of loads, also where keys are many, long or no text.

package shadow_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/larder-go/larder/internal/shadow"
)

// TestLedgerIsBounded charges far more keys than it remembers: the dear ones stay.
func TestLedgerIsBounded(t *testing.T) {
	var o shadow.Observer // of which the ledger may be used without the rest
	for i := range uint32(100_000) {
		took := time.Millisecond
		if i%1000 == 0 {
			took = time.Second + time.Duration(i)
		}
		l := shadow.Load{Key: fmt.Sprint(i), Took: took}
		o.Charge(hashOf(1, i), l)
		o.Rank(l)
	}
	all := o.Dearest()
	if len(all) > 160 || len(all) < 80 {
		t.Fatalf("%d keys are remembered", len(all))
	}
	for i, a := range all[:60] {
		want := uint32(99_000 - 1000*i)
		if a.Hash != hashOf(1, want) || a.Key != fmt.Sprint(want) || a.Loads != 1 {
			t.Errorf("place %d is %+v, want key %d", i, a, want)
		}
	}
	checkSlowest(t, o.Slowest())
}

func checkSlowest(t *testing.T, all []shadow.Load) {
	t.Helper()
	if len(all) != 16 || cap(all) > 64 {
		t.Fatalf("%d loads are remembered, of %d", len(all), cap(all))
	}
	for i, l := range all {
		if want := fmt.Sprint(99_000 - 1000*i); l.Key != want {
			t.Errorf("place %d of the slowest is %+v, want key %s", i, l, want)
		}
	}
}

func TestLedgerAddsUpTheLoadsOfAKey(t *testing.T) {
	var o shadow.Observer
	if _, ok := o.Account(7); ok || o.Dearest() != nil || len(o.Slowest()) != 0 {
		t.Error("it remembers what never was")
	}
	at := time.Unix(1_000_000, 0)
	o.Charge(7, shadow.Load{Key: "seven", Took: time.Second, At: at, Err: "no"})
	o.Charge(7, shadow.Load{Key: "seven", Took: 2 * time.Second, At: at.Add(time.Hour)})
	a, ok := o.Account(7)
	last := shadow.Load{Key: "seven", Took: 2 * time.Second, At: at.Add(time.Hour)}
	want := shadow.Account{Hash: 7, Key: "seven", Loads: 2, Lost: 3 * time.Second, Last: last}
	if !ok || a != want {
		t.Errorf("got %+v, want %+v", a, want)
	}
}

func TestSlowestKeepsTheOrder(t *testing.T) {
	var o shadow.Observer
	for _, ms := range []int{5, 1, 9, 5, 7, 3, 9, 2, 8, 6, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9} {
		o.Rank(shadow.Load{Took: time.Duration(ms)})
	}
	var got []int
	for _, l := range o.Slowest() {
		got = append(got, int(l.Took))
	}
	if want := []int{9, 9, 9, 8, 8, 7, 7, 6, 6, 5, 5, 5, 4, 4, 3, 3}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLongTextsAreCut(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"short":           {"key", "key"},
		"empty":           {"", ""},
		"just fits":       {strings.Repeat("a", 96), strings.Repeat("a", 96)},
		"one too many":    {strings.Repeat("a", 97), strings.Repeat("a", 96) + "…"},
		"a letter in two": {"a" + strings.Repeat("é", 100), "a" + strings.Repeat("é", 47) + "…"},
		"no text":         {strings.Repeat("\xff", 1<<20), strings.Repeat("\xff", 96) + "…"},
		"no beginning":    {strings.Repeat("\x80", 1<<20), "…"},
		"short, no text":  {"\xff\x00", "\xff\x00"},
	} {
		var o shadow.Observer
		o.Charge(1, shadow.Load{Key: c.text, Err: c.text})
		o.Rank(shadow.Load{Key: c.text, Err: c.text})
		a, _ := o.Account(1)
		for _, got := range []string{a.Key, a.Last.Key, a.Last.Err, o.Slowest()[0].Key} {
			if got != c.want || utf8.ValidString(c.text) && !utf8.ValidString(got) {
				t.Errorf("%s: got %q, want %q", name, got, c.want)
			}
		}
	}
}
