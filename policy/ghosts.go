// ghosts.go remembers what has left.

package policy

// ghosts are the hashes of entries that have left, from the oldest to the newest, with the weight
// each had. They lie in a ring in which those that came back leave gaps. A sweep moves the others
// up, a few at each call, so that the gaps gather at the oldest; there is never a pause to tidy up.
// A ghost takes up to 13 bytes. The hash 0 is not remembered.
type ghosts struct {
	index            // its numbers are places in the ring; a hash of 0 is a gap
	weights []uint32 // by place; nil while every weight is 1
	head    int      // the place of the oldest
	span    int      // places from there to the newest, gaps too
	weight  uint64

	sweeping bool
	from     int // the place at which the sweep is, on its way to the oldest
	open     int // the gaps that it pushes along, at the places after from
}

func newGhosts(max uint64) ghosts { return ghosts{index: index{most: max}} }

// add remembers hash as the newest.
func (g *ghosts) add(hash uint32, weight uint64) {
	if hash == 0 {
		return
	}
	g.sweep()
	if g.span == len(g.hashes) {
		g.grow()
	}
	g.push(hash, uint32(weight))
}

func (g *ghosts) push(hash, weight uint32) {
	place := g.place(g.head + g.span)
	g.hashes[place] = hash
	g.weigh(place, weight)
	if same, ok := g.insert(uint32(place)); !ok { // two keys may have one hash
		g.remove(same)
		g.insert(uint32(place))
	}
	g.span++
	g.weight += uint64(weight)
}

// place goes round the ring, once.
func (g *ghosts) place(i int) int {
	if i >= len(g.hashes) {
		return i - len(g.hashes)
	}
	return i
}

func (g *ghosts) weigh(place int, weight uint32) {
	if g.weights == nil {
		if weight == 1 {
			return
		}
		g.weights = make([]uint32, len(g.hashes))
		for i := range g.weights {
			g.weights[i] = 1
		}
	}
	g.weights[place] = weight
}

func (g *ghosts) weightOf(place uint32) uint64 {
	if g.weights == nil {
		return 1
	}
	return uint64(g.weights[place])
}

// remove forgets what is at place.
func (g *ghosts) remove(place uint32) {
	g.del(place)
	g.weight -= g.weightOf(place)
	g.hashes[place] = 0
	for g.span > 0 && g.hashes[g.head] == 0 {
		gaps := 1
		if g.sweeping && g.head == g.from {
			g.sweeping = false
			gaps += g.open
		}
		g.skip(gaps)
	}
}

// skip leaves out gaps at the oldest.
func (g *ghosts) skip(gaps int) {
	g.head = g.place(g.head + gaps)
	g.span -= gaps
}

// take forgets hash and tells whether it was there.
func (g *ghosts) take(hash uint32) bool {
	place, ok := g.find(hash)
	if ok {
		g.remove(place)
	}
	return ok
}

// trim forgets the oldest until the rest weighs no more than max.
func (g *ghosts) trim(max uint64) {
	for g.weight > max {
		g.remove(uint32(g.head))
	}
}

// sweepSteps are enough for the gaps not to use up a ring of half as many places again as ghosts:
// a sweep begins at an eighth and takes an eighth of the ring in calls, as does the next one.
const sweepSteps = 8

// sweep goes a few places on; it begins where an eighth of the ring is gaps.
func (g *ghosts) sweep() {
	if !g.sweeping {
		if 8*(g.span-g.live) <= len(g.hashes) {
			return
		}
		g.sweeping, g.from, g.open = true, g.place(g.head+g.span-1), 0
	}
	for range sweepSteps {
		g.step()
		if g.from == g.head {
			g.sweeping = false
			g.skip(g.open)
			return
		}
		if g.from--; g.from < 0 {
			g.from = len(g.hashes) - 1
		}
	}
}

// step moves what is at from to the far end of the open gaps, or adds it to them.
func (g *ghosts) step() {
	hash, to := g.hashes[g.from], g.place(g.from+g.open)
	switch {
	case hash == 0:
		g.open++
	case g.open > 0:
		g.hashes[to] = hash
		g.renumber(uint32(g.from), uint32(to))
		g.weigh(to, uint32(g.weightOf(uint32(g.from))))
		g.hashes[g.from] = 0
	}
}

// grow makes the ring half as long again as what is in it.
func (g *ghosts) grow() {
	old := *g
	*g = newGhosts(old.most)
	g.room(old.live + old.live/2 + 16)
	g.rehash(len(old.cells), g.shift)
	for i := range old.span {
		place := old.place(old.head + i)
		if old.hashes[place] != 0 {
			g.push(old.hashes[place], uint32(old.weightOf(uint32(place))))
		}
	}
}
