// adaptive_lazy.go is a W-TinyLFU of which a hit costs no more than a mark.

package policy

import "slices"

// The parts of a lazy.
const (
	lazyWindow = iota // newcomers
	lazyMain          // what has won against another
	lazyParts
)

// What a lazy keeps in a byte for each slot. A node is a slot's place in a queue. It outlives an
// entry that is removed, since a queue of single links cannot give it up, and then serves the next
// entry of that slot.
const (
	lazyCount  = 15        // the uses that are known of, up to 15
	lazyLive   = 1 << 4    // there is an entry
	lazyLinked = 1 << 5    // there is a node
	lazyInMain = 1 << 6    // the node is in the queue of the main part
	lazyLate   = 1 << 7    // the node was another entry's; this one is in the window
	noSlot     = 1<<32 - 1 // ends a queue
)

// lazyLife is after how many uses an entry all counts are halved. Caffeine takes 10. With 20 a
// small window keeps loops through up to 20 times what fits: 1.6 points on the four traces that
// have them among others, nothing on the other five.
const lazyLife = 20

// lazy has a window and a main part, both clocks: what was hit since it was last looked at goes
// round again. What leaves the window and what would leave the main part compete by their counts,
// as in W-TinyLFU. The counts of entries are brought up to date from the marks when a hand comes
// by; a sketch remembers those of entries that have left.
//
// A window of the whole is a clock, close to LRU. A small window with a margin is hard to move: the
// counts of what goes round in a loop differ by one at most, so no entry pushes another out, and
// those that are there are hit every time.
type lazy struct {
	marks   *Marks
	nodes   []lazyNode // by slot
	states  []uint8    // by slot
	weights []uint32   // by slot; nil while every weight is 1
	queues  [lazyParts]struct{ oldest, newest uint32 }
	weight  [lazyParts]uint64 // of the entries that belong to a part
	left    sketch
	seen    int // uses since all counts were halved, and half of those before
	live    int // entries
	max     uint64
	window  uint64 // the weight that the window should have
	short   bool   // the window was below its size after the last Admit
	wins    int    // of the main part since one had to pay for it
	shape
}

// lazyNode is what is needed of an entry when it leaves.
type lazyNode struct {
	next uint32 // the node that came after it
	hash uint32
}

// shape is in what one lazy differs from another.
type shape struct {
	percent  uint64 // the window's part of the weight
	margin   uint8  // uses that a newcomer must be ahead, beyond one
	patience int    // wins of the main part after which the winner loses a use; 0 is never
	fifo     bool   // the window is no clock: who was hit in it leaves in its turn
}

func newLazy(max uint64, s shape, marks *Marks) *lazy {
	l := &lazy{marks: marks, max: max}
	for i := range l.queues {
		l.queues[i].oldest = noSlot
	}
	l.take(s)
	return l
}

// take changes the shape. The entries follow little by little.
func (l *lazy) take(s shape) {
	l.shape, l.wins = s, 0
	l.window = max(1, l.max/100*s.percent+l.max%100*s.percent/100)
	l.short = l.weight[lazyWindow] < l.window
}

func (l *lazy) Admit(slot, hash, weight uint32) {
	l.reach(slot)
	l.marks.set(slot, 0)
	l.nodes[slot].hash = hash
	if l.weights != nil || weight != 1 {
		l.weigh(slot, weight)
	}
	l.live++
	if l.states[slot]&lazyLinked != 0 {
		l.states[slot] = l.states[slot]&^lazyCount | lazyLive | lazyLate
		l.weight[lazyWindow] += uint64(weight)
	} else {
		l.states[slot] = lazyLive
		l.push(lazyWindow, slot)
	}
	l.states[slot] |= l.left.take(hash)
	l.use(slot, 1)
	l.settle()
}

// reach makes the arrays long enough for slot.
func (l *lazy) reach(slot uint32) {
	l.marks.reach(slot, l.max)
	if int(slot) < len(l.nodes) {
		return
	}
	n := beyond(len(l.nodes), int(slot)+1, l.max)
	l.nodes, l.states = stretch(l.nodes, n), stretch(l.states, n)
	if l.weights != nil {
		l.weights = stretch(l.weights, n)
	}
	l.left.reach(lazyMemory * int(min(uint64(n), l.max)))
}

// lazyMemory is how many of those that have left are remembered for each entry: more than in
// W-TinyLFU, since counts live twice as long.
const lazyMemory = 2

func (l *lazy) weigh(slot, weight uint32) {
	if l.weights == nil {
		l.weights = make([]uint32, len(l.nodes))
		for i := range l.weights {
			l.weights[i] = 1
		}
	}
	l.weights[slot] = weight
}

func (l *lazy) weightOf(slot uint32) uint64 {
	if l.weights == nil {
		return 1
	}
	return uint64(l.weights[slot])
}

// part is the one that an entry belongs to.
func (l *lazy) part(slot uint32) int {
	if l.states[slot]&(lazyInMain|lazyLate) == lazyInMain {
		return lazyMain
	}
	return lazyWindow
}

// push links a slot that has no node.
func (l *lazy) push(part int, slot uint32) {
	q := &l.queues[part]
	if q.oldest == noSlot {
		q.oldest = slot
	} else {
		l.nodes[q.newest].next = slot
	}
	l.nodes[slot].next, q.newest = noSlot, slot
	l.states[slot] |= lazyLinked
	if part == lazyMain {
		l.states[slot] |= lazyInMain
	}
	l.weight[part] += l.weightOf(slot)
}

// pop unlinks the oldest of a part, which is live and not late.
func (l *lazy) pop(part int) (slot uint32) {
	slot = l.unlink(part)
	l.weight[part] -= l.weightOf(slot)
	return slot
}

func (l *lazy) unlink(part int) (slot uint32) {
	q := &l.queues[part]
	slot = q.oldest
	q.oldest = l.nodes[slot].next
	l.states[slot] &^= lazyLinked | lazyInMain
	return slot
}

// oldest returns the oldest entry of a part, and does on the way what was put off: nodes without an
// entry go, those of a later one begin anew in the window.
func (l *lazy) oldest(part int) (slot uint32, ok bool) {
	for {
		slot := l.queues[part].oldest
		if slot == noSlot {
			return 0, false
		}
		switch l.states[slot] & (lazyLive | lazyLate) {
		case lazyLive:
			return slot, true
		case lazyLive | lazyLate:
			l.unlink(part)
			l.states[slot] &^= lazyLate
			l.weight[lazyWindow] -= l.weightOf(slot)
			l.push(lazyWindow, slot)
		default:
			l.unlink(part)
		}
	}
}

// settle passes on to the main part what the window has too much: while the cache fills, and after
// the window was made smaller. It does a few at a time, so that no call takes long.
func (l *lazy) settle() {
	for range 8 {
		slot, ok := l.oldest(lazyWindow)
		if !ok || l.weight[lazyWindow]-l.weightOf(slot) < l.window {
			break
		}
		l.push(lazyMain, l.pop(lazyWindow))
	}
	l.short = l.weight[lazyWindow] < l.window
}

// use counts uses of an entry, and ages all counts in time.
func (l *lazy) use(slot, uses uint32) {
	state := l.states[slot]
	l.states[slot] = state&^lazyCount | min(state&lazyCount+uint8(uses), lazyCount)
	if l.seen += int(uses); l.seen < lazyLife*max(l.live, len(l.nodes)/4) {
		return // a quarter, so that a large cache which is nearly empty does not age all the time
	}
	l.seen /= 2
	l.left.halve()
	for i, state := range l.states {
		l.states[i] = state&^lazyCount | state&lazyCount/2
	}
}

// Touch marks.
func (l *lazy) Touch(slot, _ uint32) { l.marks.Mark(slot) }

func (l *lazy) Weigh(slot, weight uint32) {
	part := l.part(slot)
	l.weight[part] -= l.weightOf(slot)
	l.weigh(slot, weight)
	l.weight[part] += uint64(weight)
}

func (l *lazy) Remove(slot uint32) {
	l.weight[l.part(slot)] -= l.weightOf(slot)
	l.states[slot] &^= lazyLive | lazyLate
	l.live--
}

// Victim lets the oldest of the window and of the main part compete. While the window is below its
// size the main part gives. That it is while a heavy entry waits for room does not count.
func (l *lazy) Victim(uint32) uint32 {
	old, ok := l.unmarked(lazyMain)
	if ok && l.short {
		return l.leave(lazyMain)
	}
	newer, any := l.first()
	switch {
	case !any:
		return l.leave(lazyMain)
	case ok && l.states[newer]&lazyCount > l.states[old]&lazyCount+l.margin:
		victim := l.leave(lazyMain)
		l.push(lazyMain, l.pop(lazyWindow))
		return victim
	}
	if ok {
		l.wear(old)
	}
	return l.leave(lazyWindow)
}

// first is who would leave the window.
func (l *lazy) first() (slot uint32, ok bool) {
	if l.fifo {
		return l.oldest(lazyWindow)
	}
	return l.unmarked(lazyWindow)
}

// wear lets an entry of the main part that wins again and again without a hit grow weaker, so that
// what was popular before everything changed does not stay for as long as its count says.
func (l *lazy) wear(slot uint32) {
	if l.wins++; l.wins == l.patience {
		l.wins = 0
		l.states[slot] -= min(1, l.states[slot]&lazyCount)
	}
}

// unmarked returns the oldest of a part that was not hit since it was looked at. Others may set
// marks all the while, so it takes what it gets after one round.
func (l *lazy) unmarked(part int) (slot uint32, ok bool) {
	for range l.live {
		slot, ok = l.oldest(part)
		if !ok {
			return 0, false
		}
		hits := l.marks.of(slot)
		if hits == 0 {
			return slot, true
		}
		l.marks.set(slot, 0)
		l.use(slot, hits)
		l.push(part, l.pop(part))
	}
	return l.oldest(part)
}

// leave evicts the oldest of a part.
func (l *lazy) leave(part int) (slot uint32) {
	slot = l.pop(part)
	l.left.note(l.nodes[slot].hash, l.states[slot]&lazyCount)
	l.states[slot] = 0
	l.live--
	return slot
}

func (l *lazy) Resize(max uint64) {
	l.max = max
	l.take(l.shape)
}

// each visits the entries in the order in which they would leave.
func (l *lazy) each(visit func(slot, hash, weight uint32)) {
	for _, part := range []int{lazyMain, lazyWindow} {
		for slot := l.queues[part].oldest; slot != noSlot; slot = l.nodes[slot].next {
			if l.states[slot]&lazyLive != 0 {
				visit(slot, l.nodes[slot].hash, uint32(l.weightOf(slot)))
			}
		}
	}
}

// Ranked is by count, with the marks that are not counted yet. Of equal ones the window comes
// first, each part from the newest on.
func (l *lazy) Ranked(yield func(slot uint32) bool) {
	slots := make([]uint32, 0, l.live)
	l.each(func(slot, _, _ uint32) { slots = append(slots, slot) })
	var g grades
	for _, slot := range slices.Backward(slots) {
		g.add(slot, uint32(l.states[slot]&lazyCount)+l.marks.of(slot))
	}
	g.yield(yield)
}
