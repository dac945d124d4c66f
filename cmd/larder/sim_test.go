// sim_test.go tests what sim, size and trace draw and read, without a process.

package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/larder-go/larder/policy"
)

func TestParseCapacity(t *testing.T) {
	for _, c := range []struct {
		text  string
		bytes bool
		want  uint64
	}{
		{"1000", false, 1000}, {"1_000", false, 1000}, {"5%", false, 10}, {"0.1%", false, 1},
		{"100%", false, 200}, {"64MiB", true, 64 << 20}, {"1000", true, 1000}, {"50%", true, 100},
	} {
		if got, err := parseCapacity(c.text, c.bytes, 200); got != c.want || err != nil {
			t.Errorf("%q: got %d, %v, want %d", c.text, got, err, c.want)
		}
	}
	for text, want := range map[string]error{
		"": errCapacity, "0": errNothing, "0%": errNothing, "-1": errCapacity, "1.5": errInBytes,
		"1MB": errInBytes, "x%": errCapacity, "nan%": errCapacity, "-1%": errCapacity,
		"99999999999999999999": errCapacity,
	} {
		if got, err := parseCapacity(text, false, 200); !errors.Is(err, want) {
			t.Errorf("%q: got %d, %v, want %v", text, got, err, want)
		}
	}
}

func TestParseShare(t *testing.T) {
	for text, want := range map[string]float64{"95%": 0.95, "0.95": 0.95, "1": 1, "100 %": 1, "0": 0} {
		if got, err := parseShare(text); math.Abs(got-want) > 1e-12 || err != nil {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "95", "101%", "-1%", "nan", "x", "%"} {
		if got, err := parseShare(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

func TestFormatNumber(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1 000", 1234567: "1 234 567"} {
		if got := formatNumber(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestAPolicyThatWasProbablyMeantIsNamed(t *testing.T) {
	for _, p := range policy.All() {
		if len(p.Name) < 3 {
			continue
		}
		typo := p.Name[:len(p.Name)-1] + "#"
		if got, want := nearPolicy(typo), "did you mean "; !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", typo, got, want)
		}
	}
}

// twoLines is a chart of a policy and the optimum.
func twoLines() chart {
	return chart{
		title: "a<b>", about: "about & more", axis: "entries",
		xs:    []mark{{10, "10", "1%"}, {100, "100", "10%"}, {1000, "1000", "100%"}},
		lines: []line{{"LRU", false, []float64{0, 25, 50}}, {"Optimum", true, []float64{20, 50, 50}}},
	}
}

func TestChartInATerminal(t *testing.T) {
	c := twoLines()
	got := c.text(46, nil)
	want := ` 50%│                    o··················a
    │                  ··                ··
    │                ··                ··
 40%│              ··               ···
    │            ··               ··
    │          ··               ··
    │        ··              ···
 30%│      ··              ··
    │    ··              ··
    │  ··              ··a
 20%│o·              ··
    │             ···
    │           ··
    │         ··
 10%│      ···
    │    ··
    │  ··
  0%│a·
`
	if lines := strings.Count(got, "\n"); lines != chartRows+3 {
		t.Errorf("got %d lines, want %d", lines, chartRows+3)
	}
	if shape := strings.Join(strings.SplitAfter(got, "\n")[:chartRows], ""); shape != want {
		t.Errorf("got\n%s\nwant\n%s", shape, want)
	}
	coloured := c.text(46, []int{33, 208})
	if plain := strings.NewReplacer("\x1b[38;5;33m", "", "\x1b[38;5;208m", "", "\x1b[0m", "").
		Replace(coloured); plain != got {
		t.Errorf("without colours\n%s\nwant\n%s", plain, got)
	}
	one := chart{xs: []mark{{5, "5", "1%"}}, lines: []line{{"LRU", false, []float64{7}}}}
	if got := one.text(40, nil); !strings.Contains(got, "a") {
		t.Errorf("one size: got\n%s", got)
	}
}

func TestSVGIsWellFormed(t *testing.T) {
	c := twoLines()
	same := c
	same.lines = nil
	for _, p := range policy.All() { // all at one height
		same.lines = append(same.lines, line{p.Name, false, []float64{5, 5, 5}})
	}
	text := svgOf([]chart{c, same})
	elements := 0
	for d := xml.NewDecoder(bytes.NewReader(text)); ; elements++ {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{
		"a&lt;b&gt;", "about &amp; more", `class="line optimum"`, `class="line best s0"`,
		"<title>LRU: 25.0 % at 100</title>", "prefers-color-scheme: dark",
	} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("no %q in it", want)
		}
	}
	if bytes.Contains(text, []byte("NaN")) || elements < 100 {
		t.Errorf("%d elements, or a NaN", elements)
	}
}

func TestNamesAreSpreadApart(t *testing.T) {
	for _, c := range []struct{ wanted, want []float64 }{
		{nil, nil},
		{[]float64{50}, []float64{50}},
		{[]float64{10, 50, 90}, []float64{10, 50, 90}},
		{[]float64{50, 50}, []float64{45, 55}},
		{[]float64{50, 50, 56}, []float64{42, 52, 62}},
		{[]float64{0, 0, 0}, []float64{0, 10, 20}},
		{[]float64{100, 100}, []float64{90, 100}},
	} {
		got := spread(c.wanted, 10, 0, 100)
		for i := range got {
			if math.Abs(got[i]-c.want[i]) > 1e-9 {
				t.Errorf("%v: got %v, want %v", c.wanted, got, c.want)
				break
			}
		}
	}
}
