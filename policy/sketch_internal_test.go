// sketch_internal_test.go checks what the sketch forgets and what it does not.

package policy

import "testing"

// spread makes hashes of small numbers.
func spread(i uint32) uint32 { return (i + 1) * 0x9e3779b9 }

func TestSketchForgetsTheRareFirst(t *testing.T) {
	const entries = 20_000
	var s sketch
	s.reach(entries)
	for i := range uint32(entries / 4) {
		s.note(spread(i), 5)
	}
	for i := range uint32(20 * entries) {
		s.note(spread(1<<20+i), 1)
	}
	kept := 0
	for i := range uint32(entries / 4) {
		if s.take(spread(i)) == 5 {
			kept++
		}
	}
	if kept < entries/4*98/100 {
		t.Errorf("%d of %d frequent keys are known, want 98 %%", kept, entries/4)
	}
}

func TestSketchSeldomTakesOneKeyForAnother(t *testing.T) {
	const entries = 20_000
	var s sketch
	s.reach(entries)
	for i := range uint32(2 * entries) {
		s.note(spread(i), 3)
	}
	wrong := 0
	for i := range uint32(entries) {
		if s.take(spread(1<<20+i)) > 0 {
			wrong++
		}
	}
	if wrong > entries/100 {
		t.Errorf("%d of %d strangers are known, want 1 %% at most", wrong, entries)
	}
}

func TestSketchAges(t *testing.T) {
	var s sketch
	s.reach(10)
	s.note(spread(1), 15)
	s.note(spread(2), 1)
	s.halve()
	if a, b := s.take(spread(1)), s.take(spread(2)); a != 7 || b != 0 {
		t.Errorf("15 and 1 became %d and %d, want 7 and 0", a, b)
	}
}

func TestSketchKeepsWhatItKnowsAsItGrows(t *testing.T) {
	var s sketch
	s.reach(1000)
	for i := range uint32(500) {
		s.note(spread(i), 4)
	}
	s.reach(5000)
	known := 0
	for i := range uint32(500) {
		if s.take(spread(i)) == 4 {
			known++
		}
	}
	if known < 250 {
		t.Errorf("%d of 500 are known after it grew, want half at least", known)
	}
}
