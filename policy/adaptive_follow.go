// adaptive_follow.go takes the shape that does best in miniature: the form for large caches.

package policy

// miniature is how many entries an expert has at most.
const miniature = 1536

// follow is one lazy cache. A panel of lazies of other shapes sees a sample of the keys, each in a
// cache smaller by the same factor, so it has about the hit ratio that the whole would have in that
// shape (Waldspurger et al., "Efficient MRC construction with SHARDS", FAST 2015). The cache takes
// the shape of the best.
type follow struct {
	*lazy
	panel  *panel // of sampled keys; nil until the cache was full once
	mask   uint32 // a key is in the sample if hash&mask == 0
	marked bool   // the hits are in the marks already when Touch is called
}

// followShapes are the shapes that are tried, first the one to begin with. Patience matters where
// all changes at once: without it one made-up trace stays for a whole phase at 26 % that could have
// 100 %. At 4 a window of 20 % alone loses 0.8 points on traffic of all kinds.
var followShapes = [...]shape{
	{percent: 20, patience: 16},              // mixed traffic
	{percent: 1, margin: 1},                  // loops, and what is popular for long
	{percent: 60, patience: 16},              // recency
	{percent: 100, patience: 16},             // nothing but recency
	{percent: 100, patience: 16, fifo: true}, // what is used once more and never again
}

func newFollow(max uint64, marks *Marks) *follow {
	return &follow{lazy: newLazy(max, followShapes[0], marks)}
}

func (p *follow) Admit(slot, hash, weight uint32) {
	p.lazy.Admit(slot, hash, weight)
	p.judge(hash, weight)
}

// judge tells the panel of a use, and follows it.
func (p *follow) judge(hash, weight uint32) {
	if p.panel == nil || hash&p.mask != 0 || uint64(weight) > p.panel.max {
		return
	}
	id, ok := p.panel.find(hash)
	if !ok {
		id = p.panel.fresh(hash, weight)
	}
	p.panel.weigh(id, weight)
	p.panel.access(id)
	p.sweep()
	if lead := followShapes[p.panel.elect(p.cost)]; lead != p.shape {
		p.take(lead)
	}
}

// sweep frees the ids of the keys that no expert holds any more.
func (p *follow) sweep() {
	for _, id := range p.panel.dropped {
		p.panel.free(id)
	}
	p.panel.dropped = p.panel.dropped[:0]
}

// cost is half of the part of the sample that changes sides for another shape: not all of it will
// be missed. A quarter lets noise lead, the whole learns too late (measured on made-up traffic of
// changing kinds; on real traces neither matters).
func (p *follow) cost(expert int) int {
	percent := int(followShapes[expert].percent) - int(p.percent)
	return p.live / int(p.mask+1) * max(percent, -percent) / 200
}

func (p *follow) Touch(slot, hash uint32) {
	if !p.marked || p.marks.of(slot) == 0 {
		p.marks.Mark(slot)
	}
	p.judge(hash, uint32(p.weightOf(slot)))
}

func (p *follow) Weigh(slot, weight uint32) {
	p.lazy.Weigh(slot, weight)
	if id, ok := p.sampled(p.nodes[slot].hash); ok {
		p.panel.weigh(id, weight)
		p.sweep()
	}
}

func (p *follow) Remove(slot uint32) {
	if id, ok := p.sampled(p.nodes[slot].hash); ok {
		p.panel.remove(id)
		p.sweep()
	}
	p.lazy.Remove(slot)
}

// sampled finds the id of a key that an expert holds.
func (p *follow) sampled(hash uint32) (id uint32, ok bool) {
	if p.panel == nil || hash&p.mask != 0 {
		return 0, false
	}
	return p.panel.find(hash)
}

func (p *follow) Victim(incoming uint32) uint32 {
	if p.panel == nil {
		p.convene()
	}
	return p.lazy.Victim(incoming)
}

// convene makes the panel as soon as something must leave. By then it is known how many entries
// there are. The experts begin with what is there, in the shape in which it was taken in.
func (p *follow) convene() {
	mask, max := uint32(0), p.max
	for p.live/int(mask+1) > miniature {
		mask = mask<<1 | 1
	}
	max /= uint64(mask) + 1
	var experts []Policy
	for _, s := range followShapes {
		experts = append(experts, newLazy(max, s, new(Marks)))
	}
	p.panel, p.mask = newPanel(max, p.live/int(mask+1), experts...), mask
	p.each(func(slot, hash, weight uint32) {
		p.judge(hash, weight)
		if p.states[slot]&lazyCount > 1 || p.marks.of(slot) > 0 {
			p.judge(hash, weight)
		}
	})
	clear(p.panel.won)
}

// Resize lets the panel begin anew, in the scale of the new size.
func (p *follow) Resize(max uint64) {
	p.lazy.Resize(max)
	p.panel = nil
}
