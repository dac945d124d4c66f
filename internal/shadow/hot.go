// hot.go finds the keys that are hit most, from bursts in which all hits are heard.

package shadow

import (
	"cmp"
	"maps"
	"slices"
)

const (
	burst    = 2048 // hits that are heard in a row
	between  = 1 << 15
	favorite = 256 // keys that are remembered between bursts
)

// hot counts hits by hash in bursts. Older bursts count less by and by.
type hot struct {
	counts map[uint32]float64
	total  float64
	heard  int // hits of this burst, or since it ended
	off    bool
}

// wants tells whether a burst goes on.
func (h *hot) wants() bool { return !h.off }

// begin begins a burst, if none goes on.
func (h *hot) begin() {
	if h.off {
		h.off, h.heard = false, 0
	}
}

// hit counts a hit, and tells whether a burst has begun or ended by it.
func (h *hot) hit(hash uint32) (changed bool) {
	h.heard++
	if h.off {
		if h.heard < between {
			return false
		}
		h.begin()
		return true
	}
	if h.counts == nil {
		h.counts = make(map[uint32]float64, favorite)
	}
	h.counts[hash]++
	h.total++
	if h.heard < burst {
		return false
	}
	h.off, h.heard = true, 0
	h.fade()
	return true
}

// fade forgets all but the favourites, and lets the past count less.
func (h *hot) fade() {
	if h.total > 16*burst {
		for hash := range h.counts {
			h.counts[hash] /= 2
		}
		h.total /= 2
	}
	if len(h.counts) <= favorite {
		return
	}
	all := h.ranked()
	h.counts = make(map[uint32]float64, favorite)
	for _, f := range all[:favorite] {
		h.counts[f.Hash] = f.Share
	}
}

// Favorite is a key that is hit often.
type Favorite struct {
	Hash  uint32
	Share float64 // of all hits
}

// ranked returns the counts, the largest first.
func (h *hot) ranked() []Favorite {
	all := make([]Favorite, 0, len(h.counts))
	for _, hash := range slices.Sorted(maps.Keys(h.counts)) {
		all = append(all, Favorite{hash, h.counts[hash]})
	}
	slices.SortStableFunc(all, func(a, b Favorite) int { return cmp.Compare(b.Share, a.Share) })
	return all
}

// Favorites returns the keys that are hit most, and what share of the hits is theirs.
func (o *Observer) Favorites() []Favorite {
	o.work.Lock()
	defer o.work.Unlock()
	all := o.hot.ranked()
	for i := range all {
		all[i].Share /= o.hot.total
	}
	return all
}
