// wtinylfu.go lets a newcomer stay only if it was used more often than the one that would leave.

package policy

// The lists of a wTinyLFU.
const (
	wWindow    = iota // newcomers, least recently used leaves
	wProbation        // the main part, segmented LRU: not hit since it came
	wProtected        // hit since
	wLists
)

// wTinyLFU lets what leaves the window and what would leave the main part compete by their counts.
// Counts of the entries are exact, by slot; a sketch remembers those that have left. So a hit does
// not touch the sketch, and what was used once and is gone crowds it little.
type wTinyLFU struct {
	lists
	hashes    []uint32 // by slot
	counts    []uint8  // by slot, up to maxCount
	left      sketch
	seen      int // uses since all counts were halved, and half of those before
	percent   uint64
	window    uint64 // the weight of the window
	protected uint64 // the weight that protected entries may have, 80 % of the rest
}

// WTinyLFU is W-TinyLFU with a fixed window of 20 %, which serves mixed traffic better than a small
// one does. See Einziger, Friedman and Manes, "TinyLFU: a highly efficient cache admission policy",
// ACM Transactions on Storage 2017. 16 bytes an entry, the history included.
func WTinyLFU(max uint64) Policy { return newWTinyLFU(max, 20) }

// newWTinyLFU makes one whose window is that many percent.
func newWTinyLFU(max, percent uint64) *wTinyLFU {
	p := &wTinyLFU{lists: newLists(wLists, max), percent: percent}
	p.Resize(max)
	return p
}

func (p *wTinyLFU) Admit(slot, hash, weight uint32) {
	p.reach(slot)
	if len(p.counts) < len(p.where) {
		p.hashes = stretch(p.hashes, len(p.where))
		p.counts = stretch(p.counts, len(p.where))
		p.left.reach(len(p.where))
	}
	p.hashes[slot], p.counts[slot] = hash, p.left.take(hash)
	p.count(slot)
	p.weigh(slot, weight)
	p.push(wWindow, slot)
	p.settle()
}

// count notes a use, and ages all counts after ten uses an entry.
func (p *wTinyLFU) count(slot uint32) {
	if p.counts[slot] < maxCount {
		p.counts[slot]++
	}
	if p.seen++; p.seen < 10*len(p.where) {
		return
	}
	p.seen /= 2
	p.left.halve()
	for i := range p.counts {
		p.counts[i] /= 2
	}
}

// settle passes on what the window and the protected part have too much.
func (p *wTinyLFU) settle() {
	for p.weight[wWindow] > p.window {
		slot, _ := p.oldest(wWindow)
		p.move(wProbation, slot)
	}
	for p.weight[wProtected] > p.protected {
		slot, _ := p.oldest(wProtected)
		p.move(wProbation, slot)
	}
}

func (p *wTinyLFU) Touch(slot, _ uint32) {
	p.count(slot)
	if p.where[slot] == wWindow {
		p.move(wWindow, slot)
		return
	}
	p.move(wProtected, slot)
	p.settle()
}

func (p *wTinyLFU) Weigh(slot, weight uint32) { p.reweigh(slot, weight) }

func (p *wTinyLFU) Remove(slot uint32) { p.unlink(slot) }

func (p *wTinyLFU) Victim(uint32) uint32 {
	candidate, full := p.oldest(wWindow)
	full = full && p.weight[wWindow] >= p.window
	slot, ok := p.oldest(wProbation)
	if !ok {
		slot, ok = p.oldest(wProtected)
	}
	switch {
	case !ok:
		slot = candidate
	case full && p.counts[candidate] > p.counts[slot]:
		p.move(wProbation, candidate)
	case full:
		slot = candidate
	}
	p.left.note(p.hashes[slot], p.counts[slot])
	p.unlink(slot)
	return slot
}

func (p *wTinyLFU) Resize(size uint64) {
	p.max, p.window = size, max(1, size/100*p.percent+size%100*p.percent/100)
	rest := size - p.window
	p.protected = rest - (rest+4)/5
	p.settle()
}

// Ranked is by count, of equal ones the protected come first, then the window, each part by
// recency.
func (p *wTinyLFU) Ranked(yield func(slot uint32) bool) {
	var g grades
	p.down(func(slot uint32) bool {
		g.add(slot, uint32(p.counts[slot]))
		return true
	}, wProtected, wWindow, wProbation)
	g.yield(yield)
}
