// marks_internal_test.go checks the marks alone and in a crowd.

package policy

import (
	"sync"
	"testing"
)

func TestMarksCountToThree(t *testing.T) {
	var m Marks
	m.Mark(7) // before there is room: lost
	m.reach(7, 8)
	for want := range uint32(6) {
		if got := m.of(7); got != min(want, 3) {
			t.Errorf("%d hits are a mark of %d", want, got)
		}
		m.Mark(7)
	}
	m.Mark(1 << 20) // beyond the room: lost
	m.set(7, 1)
	if m.of(7) != 1 || m.of(6) != 0 {
		t.Errorf("marks are %d and %d, want 1 and 0", m.of(7), m.of(6))
	}
}

func TestMarksMeetGrowth(t *testing.T) {
	var m Marks
	m.reach(0, 1000)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range uint32(20_000) {
				m.Mark(i % 1000)
			}
		})
	}
	for slot := range uint32(1000) {
		m.reach(slot, 1000)
		m.set(slot, slot%4)
		m.of(slot)
	}
	all.Wait()
	for slot := range uint32(1000) {
		if m.of(slot) > most {
			t.Fatalf("slot %d has a mark of %d", slot, m.of(slot))
		}
	}
}
