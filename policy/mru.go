// mru.go evicts the most recently used.

package policy

// mru is an lru that evicts at the other end: in a loop that is longer than the cache, what was
// just used is what is needed last.
type mru struct{ lru }

// MRU is most recently used: one list, a hit moves to its front, the front leaves. It is best where
// everything is read in turn, and bad elsewhere. See Chou and DeWitt, "An evaluation of buffer
// management strategies for relational database systems", VLDB 1985. 9 bytes an entry.
func MRU(max uint64) Policy { return &mru{lru{newLists(1, max)}} }

func (p *mru) Victim(uint32) uint32 {
	slot, _ := p.newest(0)
	p.unlink(slot)
	return slot
}

// Ranked is by recency, which is the order of leaving, not backwards: what stays longest is,
// outside of a loop, what nobody asks for. In a loop all are worth the same to the next process.
func (p *mru) Ranked(yield func(slot uint32) bool) { p.lru.Ranked(yield) }
