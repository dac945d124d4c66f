// ranked.go checks what a policy says of the worth of its entries.

package policytest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/larder-go/larder/policy"
)

// rankedOften does random operations with and without looks at the ranking between them. The
// largest size is one at which Adaptive is lazy.
func rankedOften(t *testing.T, new policy.New) {
	if _, ok := new(1).(policy.Ranker); !ok {
		t.Skip("not a policy that ranks its entries")
	}
	for _, max := range []uint64{1, 2, 7, 33, 300, 3000} {
		for _, heaviest := range []uint32{1, 5} {
			p := params{max, heaviest, max + 1}
			want := exercise(t, new, p)
			got := observe(t, new, p, seldom(max, func(c *cache) error {
				return errors.Join(rankedOnce(c), rankedAlike(c))
			}))
			if !slices.Equal(got, want) {
				t.Errorf("max %d, weights to %d: Ranked changed the victims", max, heaviest)
			}
		}
	}
}

// seldom looks the more seldom the more there is to be seen.
func seldom(max uint64, look func(*cache) error) func(*cache) error {
	calls := uint64(0)
	return func(c *cache) error {
		if calls++; calls%(1+max/16) != 0 {
			return nil
		}
		return look(c)
	}
}

// rankedOnce fails unless all entries are ranked, once each. It says nothing of a policy that is no
// Ranker.
func rankedOnce(c *cache) error {
	r, ok := c.policy.(policy.Ranker)
	if !ok {
		return nil
	}
	seen := make(map[uint32]bool, len(c.entries))
	for slot := range r.Ranked {
		if _, ok := c.entries[slot]; !ok {
			return fmt.Errorf("%d was ranked and is not there", slot)
		}
		if seen[slot] {
			return fmt.Errorf("%d was ranked twice", slot)
		}
		seen[slot] = true
	}
	if len(seen) != len(c.entries) {
		return fmt.Errorf("%d entries were ranked, want %d", len(seen), len(c.entries))
	}
	return nil
}

// rankedAlike fails unless the first of the ranking are those of the whole, and nothing comes after
// them.
func rankedAlike(c *cache) error {
	whole := firstRanked(c, len(c.entries))
	for _, n := range []int{1, len(whole) / 2, len(whole)} {
		n = min(max(n, 1), len(whole))
		got := firstRanked(c, n)
		if len(got) != n {
			return fmt.Errorf("%d were ranked after %d had been enough", len(got)-n, n)
		}
		if !slices.Equal(got, whole[:n]) {
			return fmt.Errorf("the first %d of the ranking are others the second time", n)
		}
	}
	return nil
}

// firstRanked are the first n that are ranked, and what comes after yield returned false.
func firstRanked(c *cache, n int) (slots []uint32) {
	c.policy.(policy.Ranker).Ranked(func(slot uint32) bool {
		slots = append(slots, slot)
		return len(slots) < n
	})
	return slots
}
