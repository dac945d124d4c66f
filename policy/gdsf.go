// gdsf.go evicts what serves the fewest hits for the room that it takes.

package policy

import "slices"

// gdsf gives each entry the priority of its uses by its weight, plus the age at the last of them.
// The age is the priority of the last victim, as in LFU. Priorities are fixed point numbers, 32
// bits behind the point, so that the heaviest entry's is above 0.
type gdsf struct {
	heap       []uint32 // slots, the lowest priority first
	places     []uint32 // by slot: where it is in the heap
	priorities []uint64 // by slot
	times      []uint32 // by slot: the order of the last uses, for equal priorities; goes round
	uses       []uint32 // by slot
	weights    []uint32 // by slot
	age        uint64
	now        uint32
	max        uint64
}

// GDSF is greedy dual size with frequency: cost 1, the size is the weight. The lowest priority
// leaves, of several the one that was used least recently; a call takes logarithmic time. See
// Cherkasova, "Improving WWW proxies performance with greedy-dual-size-frequency caching policy",
// HP Laboratories 1998. 28 bytes an entry.
func GDSF(max uint64) Policy { return &gdsf{max: max} }

func (p *gdsf) Admit(slot, _, weight uint32) {
	p.reach(slot)
	p.uses[slot], p.weights[slot] = 0, weight
	p.heap = append(p.heap, slot)
	p.places[slot] = uint32(len(p.heap) - 1)
	p.use(slot)
}

func (p *gdsf) reach(slot uint32) {
	if int(slot) < len(p.places) {
		return
	}
	n := longer(len(p.places), int(slot)+1, p.max)
	p.places, p.times, p.uses = stretch(p.places, n), stretch(p.times, n), stretch(p.uses, n)
	p.priorities, p.weights = stretch(p.priorities, n), stretch(p.weights, n)
	p.heap = append(make([]uint32, 0, n), p.heap...)
}

// mostUses keeps priorities from running over.
const mostUses = 1 << 20

// use notes a use and gives the slot its new priority.
func (p *gdsf) use(slot uint32) {
	p.uses[slot] = min(p.uses[slot]+1, mostUses)
	p.now++
	p.times[slot] = p.now
	p.priorities[slot] = p.age + p.worth(slot)
	p.sift(slot)
}

// worth is uses by weight.
func (p *gdsf) worth(slot uint32) uint64 {
	return uint64(p.uses[slot]) << 32 / uint64(p.weights[slot])
}

func (p *gdsf) Touch(slot, _ uint32) { p.use(slot) }

func (p *gdsf) Weigh(slot, weight uint32) {
	p.priorities[slot] -= p.worth(slot)
	p.weights[slot] = weight
	p.priorities[slot] += p.worth(slot)
	p.sift(slot)
}

func (p *gdsf) Remove(slot uint32) {
	last := p.heap[len(p.heap)-1]
	p.heap = p.heap[:len(p.heap)-1]
	if last != slot {
		p.set(p.places[slot], last)
		p.sift(last)
	}
}

func (p *gdsf) Victim(uint32) uint32 {
	slot := p.heap[0]
	p.age = max(p.age, p.priorities[slot])
	p.Remove(slot)
	return slot
}

func (p *gdsf) Resize(max uint64) { p.max = max }

// below tells whether a leaves before b.
func (p *gdsf) below(a, b uint32) bool {
	if p.priorities[a] != p.priorities[b] {
		return p.priorities[a] < p.priorities[b]
	}
	return int32(p.times[a]-p.times[b]) < 0
}

func (p *gdsf) set(place, slot uint32) { p.heap[place], p.places[slot] = slot, place }

// sift moves slot to where its priority belongs.
func (p *gdsf) sift(slot uint32) {
	i := p.places[slot]
	for i > 0 && p.below(slot, p.heap[(i-1)/2]) {
		p.set(i, p.heap[(i-1)/2])
		i = (i - 1) / 2
	}
	for {
		child := 2*i + 1
		if child+1 < uint32(len(p.heap)) && p.below(p.heap[child+1], p.heap[child]) {
			child++
		}
		if child >= uint32(len(p.heap)) || !p.below(p.heap[child], slot) {
			break
		}
		p.set(i, p.heap[child])
		i = child
	}
	p.set(i, slot)
}

// Ranked is by priority, of equal ones by recency: the order of leaving, backwards.
func (p *gdsf) Ranked(yield func(slot uint32) bool) {
	slots := slices.Clone(p.heap)
	slices.SortFunc(slots, func(a, b uint32) int {
		if p.below(a, b) {
			return 1
		}
		return -1
	})
	for _, slot := range slots {
		if !yield(slot) {
			return
		}
	}
}
