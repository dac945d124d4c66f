// top_test.go tests what larder top shows, without a terminal.

package main

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/stats"
)

func TestNumbersFitTheirColumns(t *testing.T) {
	for n, want := range map[float64]string{
		0: "0", 0.54: "0.5", 7.04: "7", 12.34: "12.3", 99.96: "100", 9999: "9999", 9999.7: "10.0k",
		12345: "12.3k", 999_499: "999k", 999_600: "1.00M", 4.56e6: "4.56M", math.Inf(1): unknown,
		math.NaN(): unknown, -1: unknown, 1e300: "1e+300",
	} {
		if got := shortCount(n); got != want {
			t.Errorf("%v: got %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: unknown, -1: unknown, 850: "850ns", 1234: "1.23µs", 999_600: "1.00ms",
		1234567: "1.23ms", 12_345_678: "12.3ms", 999_700_000: "1.00s", 99_960_000_000: "1.7m",
		time.Hour: "1.0h", 100 * time.Hour: "4d",
	} {
		if got := shortTime(d); got != want {
			t.Errorf("%d: got %s, want %s", d, got, want)
		}
	}
	for range 100_000 {
		n := math.Exp(rand.Float64()*80 - 20)
		if got := shortCount(n); columns(got) > 5 {
			t.Fatalf("%v is written %s", n, got)
		}
		if got := shortTime(time.Duration(min(n, math.MaxInt64/2))); columns(got) > 6 {
			t.Fatalf("%v ns is written %s", n, got)
		}
	}
}

func TestAddressesOfPrograms(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.1:6060":            "http://127.0.0.1:6060/debug/cache",
		"localhost":                 "http://localhost/debug/cache",
		":6060":                     "http://127.0.0.1:6060/debug/cache",
		"[::1]:6060":                "http://[::1]:6060/debug/cache",
		"https://a.example/":        "https://a.example/debug/cache",
		"a.example/x/debug/cache/":  "http://a.example/x/debug/cache",
		"http://u:secret@a/b?x=y#z": "http://u:xxxxx@a/b",
		"unix:/run/a.sock":          "unix:/run/a.sock",
	} {
		if got, err := parseDebugAddress(text); err != nil || got.String() != want {
			t.Errorf("%q: got %v, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "unix:", "ftp://a", "http://", "http://a b/", "://x"} {
		if got, err := parseDebugAddress(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

func TestKeysAreTakenOutOfWhatTerminalsSend(t *testing.T) {
	for _, c := range []struct {
		text string
		want []press
		more bool
	}{
		{"q", []press{pressEnd}, false},
		{"\x1b[A\x1bOBk", []press{pressUp, pressDown, pressUp}, false},
		{"\x1b[1;5A\x1b[6~\r", []press{noPress, pressPageDown, pressOpen}, false},
		{"\x1bq", []press{pressBack, pressEnd}, false},
		{"\x1b", []press{pressBack}, true}, {"\x1b[", []press{pressBack}, true},
		{"\x1b[1;", []press{noPress}, true},
		{"é", []press{noPress, noPress}, false},
	} {
		rest, more := c.text, false
		for i := 0; rest != ""; i++ {
			var got press
			got, rest, more = nextPress(rest)
			if i >= len(c.want) || got != c.want[i] {
				t.Errorf("%q: key %d is %v, want %v", c.text, i, got, c.want)
				break
			}
		}
		if more != c.more {
			t.Errorf("%q: more is %v, want %v", c.text, more, c.more)
		}
	}
}

// TestFramesFitTheirTerminal draws every sheet in terminals of many sizes.
func TestFramesFitTheirTerminal(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {1, 1}, {10, 3}, {40, 10}, {79, 24}, {200, 60}, {300, 5}} {
		width, height := size[0], size[1]
		for _, n := range []int{0, 1, 3, 9, 40} {
			v := sampleView(n)
			v.trouble = hostile + strings.Repeat("no answer ", 50)
			checkFrame(t, v, width, height)
			v.trouble = ""
			for _, p := range []press{pressDown, pressLast, pressSort, pressOpen, pressPageDown,
				pressHelp} {
				v.press(p)
				if v.sheet == sheetPart {
					v.take(told{of: v.chosen, detail: sampleDetail()})
				}
				checkFrame(t, v, width, height)
			}
		}
	}
}

func sampleDetail() *detail {
	c, _ := users{}.Curve()
	d := &detail{
		Part: observed{Snapshot: users{hostile}.Snapshot(), Curve: &c, Saved: time.Hour},
		Top:  map[stats.Order][]stats.Key{}, Slowest: keysOf{}.Slowest(),
	}
	for _, by := range []stats.Order{stats.ByHits, stats.ByLost, stats.ByWeight} {
		d.Top[by] = keysOf{}.Top(by, 20)
	}
	return d
}

func checkFrame(t *testing.T, v *view, width, height int) {
	t.Helper()
	lines := v.frame(width, height)
	if len(lines) > max(height, 3) {
		t.Errorf("%dx%d: %d lines", width, height, len(lines))
	}
	for _, line := range lines {
		text := line.render(width, false)
		noControls(t, text)
		if columns(text) > width {
			t.Errorf("%dx%d: %d columns: %q", width, height, columns(text), text)
		}
	}
}

func textOf(lines []spans, width int) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(line.render(width, false) + "\n")
	}
	return b.String()
}

func TestTheChosenRowIsSeenAndStaysChosen(t *testing.T) {
	v := sampleView(40)
	for range 30 {
		v.press(pressDown)
		if text := textOf(v.frame(80, 24), 80); strings.Count(text, "\n> ") != 1 {
			t.Fatalf("no row is marked:\n%s", text)
		}
	}
	before := v.chosen
	v.press(pressSort)
	if v.chosen != before {
		t.Errorf("sorting chose %v instead of %v", v.chosen, before)
	}
	v.overview.Parts = v.overview.Parts[:2] // the part has gone
	if text := textOf(v.frame(80, 24), 80); !strings.Contains(text, "> ") {
		t.Errorf("no row is marked:\n%s", text)
	}
}

func TestKeysLeadFromSheetToSheet(t *testing.T) {
	v := sampleView(3)
	for _, step := range []struct {
		press press
		want  sheet
		helps bool
		then  effect
	}{
		{pressBack, sheetParts, false, effectNone}, {pressOpen, sheetPart, false, effectAsk},
		{pressOpen, sheetPart, false, effectNone}, {pressHelp, sheetPart, true, effectNone},
		{noPress, sheetPart, true, effectNone}, {pressBack, sheetPart, false, effectNone},
		{pressDown, sheetPart, false, effectNone}, {pressBack, sheetParts, false, effectAsk},
		{pressHelp, sheetParts, true, effectNone}, {pressOpen, sheetParts, false, effectNone},
		{pressSort, sheetParts, false, effectNone}, {pressEnd, sheetParts, false, effectEnd},
	} {
		got := v.press(step.press)
		if got != step.then || v.sheet != step.want || v.helps != step.helps {
			t.Fatalf("key %v: effect %v, sheet %v, help %v; want %+v",
				step.press, got, v.sheet, v.helps, step)
		}
	}
}

func TestALateAnswerIsNotShownForAnotherPart(t *testing.T) {
	v := sampleView(3)
	v.press(pressOpen)
	v.take(told{of: partName{"memory", "another"}, detail: sampleDetail()})
	if v.detail != nil {
		t.Error("the detail of another part is shown")
	}
	v.take(told{of: v.chosen, detail: sampleDetail()})
	if text := textOf(v.frame(80, 60), 80); !strings.Contains(text, "← here") {
		t.Errorf("the curve does not say where the cache is:\n%s", text)
	}
}

func TestNumbersThatNobodyKnowsAreNotShownAsZero(t *testing.T) {
	v := &view{overview: overview{Parts: []observed{{Snapshot: stats.Snapshot{Name: "a", Kind: "guard"}}}}}
	text := textOf(newTable(v.overview.Parts, 80).lines(v.overview.Parts), 80)
	if got := strings.Count(text, unknown); got != 7 {
		t.Errorf("%d of 7 numbers are not known:\n%s", got, text)
	}
}
