// predict_internal_test.go replays walks and looks at what is guessed.

package prefetch

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestPredictorReplaysWalks reads what testdata/walks.txt says of walks and what comes next.
func TestPredictorReplaysWalks(t *testing.T) {
	file, err := os.Open("testdata/walks.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		walk, want, ok := strings.Cut(line, "->")
		if !ok {
			t.Fatalf("line %d: no arrow in %q", n, line)
		}
		if got, want := predicted(t, walk), strings.TrimSpace(want); got != want {
			t.Errorf("line %d: after %s comes %q, want %q", n, walk, got, want)
		}
	}
}

// predicted returns what is expected after a walk, as walks.txt writes it.
func predicted(t *testing.T, walk string) string {
	t.Helper()
	p := newPredictor(func(i int) bool { return i >= 0 && i < 100 })
	for _, word := range strings.Fields(walk) {
		position, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		p.ask(position)
	}
	path, depth := p.ahead()
	out := strings.Trim(fmt.Sprint(path[:min(depth, 8)]), "[]")
	if len(p.aside) > 0 && depth > 0 {
		out += " / " + fmt.Sprint(p.aside[0])
	}
	return strings.TrimSpace(out)
}

func TestPredictorGuessesNothingOutside(t *testing.T) {
	inside := func(i int) bool { return i >= 0 && i < 50 }
	p := newPredictor(inside)
	for i, position := range []int{0, 7, 7, 49, 3, 48, 2, 1, 0, 49, 25, 12, 13, 12, 11, 49, 48} {
		p.ask(position)
		path, depth := p.ahead()
		if depth > len(path) || len(path) > foreseen {
			t.Errorf("ask %d: depth %d of %d", i, depth, len(path))
		}
		for _, at := range append(path[:len(path):len(path)], p.aside...) {
			if !inside(at) {
				t.Errorf("ask %d: expects %d, which is outside", i, at)
			}
		}
	}
}

func TestPredictorRemembersNoMoreThanItShould(t *testing.T) {
	p := newPredictor(func(int) bool { return true })
	for i := range 10 * remembered {
		p.ask(i * i % 1013)
	}
	if n := len(p.steps); n > 2*remembered || len(p.raw) != n {
		t.Errorf("remembers %d, %d steps, want at most %d", n, len(p.raw), 2*remembered)
	}
}

func TestPredictorRecoversFromRandomAsks(t *testing.T) {
	p := newPredictor(func(int) bool { return true })
	for i := range 50 {
		p.ask(i * i * 7919 % 100_003)
	}
	if _, depth := p.ahead(); depth != 0 {
		t.Errorf("depth after random asks is %d, want 0", depth)
	}
	at := p.last
	for step := 1; step <= 3; step++ {
		p.ask(at + step)
	}
	if path, depth := p.ahead(); depth < 2 || path[0] != at+4 {
		t.Errorf("after three steps expects %d of %v, want 2 from %d", depth, path, at+4)
	}
}
