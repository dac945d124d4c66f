// s3fifo.go makes do with three queues: a small one for newcomers, a main one, and a history.

package policy

// The lists of an s3FIFO; the third queue is ghosts.
const (
	s3Small = iota
	s3Main
	s3Lists
)

// s3FIFO lets newcomers prove themselves in a small queue, so that what is used once is soon gone.
// Two hits there lead to the main queue, in which every hit, up to three, is worth another round.
// What left the small queue and comes back goes to the main queue at once.
type s3FIFO struct {
	lists
	marks  Marks
	hashes []uint32 // by slot
	left   ghosts   // of the small queue
	small  uint64   // the weight at which the small queue gives
}

// S3FIFO is S3-FIFO with the paper's sizes: a tenth is the small queue, the history is as long as
// the main one. See Yang, Zhang, Qiu, Yue and Rashmi, "FIFO queues are all you need for cache
// eviction", SOSP 2023. 14 bytes an entry, 24 with the history. It is a Marker.
func S3FIFO(max uint64) Policy {
	p := &s3FIFO{lists: newLists(s3Lists, max), left: newGhosts(max)}
	p.Resize(max)
	return p
}

func (p *s3FIFO) Admit(slot, hash, weight uint32) {
	p.reach(slot)
	p.marks.reach(slot, p.max)
	p.marks.set(slot, 0)
	p.hashes = stretch(p.hashes, len(p.where))
	p.hashes[slot] = hash
	p.weigh(slot, weight)
	if p.left.take(hash) {
		p.push(s3Main, slot)
	} else {
		p.push(s3Small, slot)
	}
	p.left.trim(p.left.most)
}

func (p *s3FIFO) Touch(slot, _ uint32) { p.marks.Mark(slot) }

func (p *s3FIFO) Weigh(slot, weight uint32) { p.reweigh(slot, weight) }

func (p *s3FIFO) Remove(slot uint32) { p.unlink(slot) }

// Victim leaves the trimming of the history to Admit: what comes in now may be its oldest.
func (p *s3FIFO) Victim(uint32) uint32 {
	for {
		slot, ok := p.oldest(s3Main)
		if !ok || p.weight[s3Small] >= p.small {
			slot, ok = p.fromSmall()
		} else {
			ok = p.fromMain(slot)
		}
		if ok {
			return slot
		}
	}
}

// fromSmall looks at the oldest newcomer; ok is false if it stays.
func (p *s3FIFO) fromSmall() (slot uint32, ok bool) {
	slot, _ = p.oldest(s3Small)
	if p.marks.of(slot) > 1 {
		p.marks.set(slot, 0)
		p.move(s3Main, slot)
		return 0, false
	}
	p.left.add(p.hashes[slot], p.weightOf(slot))
	p.unlink(slot)
	return slot, true
}

// fromMain looks at the oldest of the main queue; ok is false if it stays.
func (p *s3FIFO) fromMain(slot uint32) (ok bool) {
	if hits := p.marks.of(slot); hits > 0 {
		p.marks.set(slot, hits-1)
		p.move(s3Main, slot)
		return false
	}
	p.unlink(slot)
	return true
}

func (p *s3FIFO) Resize(size uint64) {
	p.max, p.small = size, max(1, size/10)
	p.left.most = size - p.small
	p.left.trim(p.left.most)
}

// Marks is where hits are marked.
func (p *s3FIFO) Marks() *Marks { return &p.marks }

// Watches is none: the marks say it all.
func (p *s3FIFO) Watches() (mask uint32, ok bool) { return 0, false }

// Ranked is by hits that were not used up, of equal ones the main queue comes first, each from the
// oldest on. The hottest go round together, and marks are soon full; from the newest on, the first
// fifth was at times worth no more than any (measured, on popular keys).
func (p *s3FIFO) Ranked(yield func(slot uint32) bool) {
	var g grades
	add := func(slot uint32) { g.add(slot, p.marks.of(slot)) }
	p.up(add, s3Main)
	p.up(add, s3Small)
	g.yield(yield)
}
