// models_internal_test.go are the policies as the papers tell them, slow and plain: what the fast
// ones are compared with, victim by victim.

package policytest

import "slices"

// model is a policy that looks after its entries itself. It makes room for a miss, then brings it
// in.
type model interface {
	hit(key uint32)
	miss(key, weight uint32) (victims []uint32)
	remove(key uint32)
}

// item is an entry in a pile, or one that is remembered.
type item struct {
	key, weight uint32
}

// pile is a list, the oldest first.
type pile []item

func (p pile) find(key uint32) int {
	return slices.IndexFunc(p, func(i item) bool { return i.key == key })
}

func (p pile) has(key uint32) bool { return p.find(key) >= 0 }

func (p pile) sum() (weight uint64) {
	for _, i := range p {
		weight += uint64(i.weight)
	}
	return weight
}

// take takes out a key that is there.
func (p *pile) take(key uint32) item {
	n := p.find(key)
	i := (*p)[n]
	*p = slices.Delete(*p, n, n+1)
	return i
}

// drop takes out a key if it is there.
func (p *pile) drop(key uint32) {
	if p.has(key) {
		p.take(key)
	}
}

func (p *pile) shift() item { return p.take((*p)[0].key) }

func (p *pile) push(i item) { *p = append(*p, i) }

// renew makes a key the newest.
func (p *pile) renew(key uint32) { p.push(p.take(key)) }

// trim drops the oldest until the rest weighs no more than max.
func (p *pile) trim(max uint64) {
	for p.sum() > max {
		p.shift()
	}
}

// listModel is LRU, MRU, FIFO.
type listModel struct {
	pile
	max           uint64
	renews, front bool
}

func (m *listModel) hit(key uint32) {
	if m.renews {
		m.renew(key)
	}
}

func (m *listModel) miss(key, weight uint32) (victims []uint32) {
	for len(m.pile) > 0 && m.sum()+uint64(weight) > m.max {
		i := m.pile[0]
		if m.front {
			i = m.pile[len(m.pile)-1]
		}
		m.take(i.key)
		victims = append(victims, i.key)
	}
	m.push(item{key, weight})
	return victims
}

func (m *listModel) remove(key uint32) { m.take(key) }

// rankModel is LFU with dynamic ageing, and GDSF: the lowest priority leaves, the first of several
// in the order of use.
type rankModel struct {
	pile     // in the order of use
	max      uint64
	uses     map[uint32]uint64
	priority map[uint32]uint64
	age      uint64
	most     uint64
	scale    uint64
	byWeight bool
}

func (m *rankModel) hit(key uint32) {
	m.renew(key)
	m.uses[key] = min(m.uses[key]+1, m.most)
	worth := m.uses[key] * m.scale
	if m.byWeight {
		worth /= uint64(m.pile[len(m.pile)-1].weight)
	}
	m.priority[key] = m.age + worth
}

func (m *rankModel) miss(key, weight uint32) (victims []uint32) {
	for len(m.pile) > 0 && m.sum()+uint64(weight) > m.max {
		lowest := m.pile[0].key
		for _, i := range m.pile {
			if m.priority[i.key] < m.priority[lowest] {
				lowest = i.key
			}
		}
		m.age = m.priority[lowest]
		m.take(lowest)
		victims = append(victims, lowest)
	}
	m.push(item{key, weight})
	m.uses[key] = 0
	m.hit(key)
	return victims
}

func (m *rankModel) remove(key uint32) { m.take(key) }

// twoQModel is the pseudo code of Johnson and Shasha, section 3.
type twoQModel struct {
	in, out, main pile
	max           uint64
}

func (m *twoQModel) hit(key uint32) {
	if m.main.has(key) {
		m.main.renew(key)
	}
}

func (m *twoQModel) miss(key, weight uint32) (victims []uint32) {
	back := m.out.has(key)
	m.out.drop(key)
	for len(m.in)+len(m.main) > 0 && m.in.sum()+m.main.sum()+uint64(weight) > m.max {
		var y item
		if m.in.sum() > m.max/4 || len(m.main) == 0 {
			y = m.in.shift()
			m.out.push(y)
		} else {
			y = m.main.shift()
		}
		victims = append(victims, y.key)
	}
	m.out.trim(m.max / 2)
	if back {
		m.main.push(item{key, weight})
	} else {
		m.in.push(item{key, weight})
	}
	return victims
}

func (m *twoQModel) remove(key uint32) { m.in.drop(key); m.main.drop(key) }

// arcModel is figure 4 of Megiddo and Modha, letter by letter; it cannot weigh or remove.
type arcModel struct {
	t1, t2, b1, b2 pile
	p, c           int
}

func (m *arcModel) hit(key uint32) { // case I
	m.t1.drop(key)
	m.t2.drop(key)
	m.t2.push(item{key, 1})
}

func (m *arcModel) replace(inB2 bool) uint32 {
	var i item
	if len(m.t1) > 0 && (len(m.t1) > m.p || inB2 && len(m.t1) == m.p) {
		i = m.t1.shift()
		m.b1.push(i)
	} else {
		i = m.t2.shift()
		m.b2.push(i)
	}
	return i.key
}

func (m *arcModel) miss(key, _ uint32) (victims []uint32) {
	x := item{key, 1}
	switch {
	case m.b1.has(key): // case II
		m.p = min(m.c, m.p+max(1, len(m.b2)/len(m.b1)))
		victims = append(victims, m.replace(false))
		m.b1.take(key)
		m.t2.push(x)
		return victims
	case m.b2.has(key): // case III
		m.p = max(0, m.p-max(1, len(m.b1)/len(m.b2)))
		victims = append(victims, m.replace(true))
		m.b2.take(key)
		m.t2.push(x)
		return victims
	}
	l1 := len(m.t1) + len(m.b1) // case IV
	all := l1 + len(m.t2) + len(m.b2)
	switch {
	case l1 == m.c && len(m.t1) < m.c: // A
		m.b1.shift()
		victims = append(victims, m.replace(false))
	case l1 == m.c:
		victims = append(victims, m.t1.shift().key)
	case all >= m.c: // B
		if all == 2*m.c {
			m.b2.shift()
		}
		victims = append(victims, m.replace(false))
	}
	m.t1.push(x)
	return victims
}

func (m *arcModel) remove(uint32) { panic("not in the paper") }

// lirsModel is section 3 of Jiang and Zhang, with a bound to those that have left.
type lirsModel struct {
	s, q, gone pile            // S with its bottom first; gone in the order they left
	low        map[uint32]bool // LIR
	weights    map[uint32]uint32
	max, bound uint64
}

func (m *lirsModel) lowWeight() (sum uint64) {
	for key := range m.low {
		sum += uint64(m.weights[key])
	}
	return sum
}

// settle demotes until the LIR entries have room; then the bottom of S is LIR, or S is empty.
func (m *lirsModel) settle() {
	m.prune()
	for m.lowWeight() > m.bound {
		m.demote()
	}
}

func (m *lirsModel) demote() {
	i := m.s.shift()
	delete(m.low, i.key)
	m.q.push(i)
	m.prune()
}

func (m *lirsModel) prune() {
	for len(m.s) > 0 && !m.low[m.s[0].key] {
		m.gone.drop(m.s.shift().key)
	}
}

// use puts key on top of S. If it was there, or comes back, it is LIR.
func (m *lirsModel) use(i item, lower bool) {
	m.q.drop(i.key)
	m.s.drop(i.key)
	m.s.push(i)
	if lower {
		m.low[i.key] = true
	} else {
		m.q.push(i)
	}
	m.settle()
}

func (m *lirsModel) hit(key uint32) {
	m.use(item{key, m.weights[key]}, m.low[key] || m.s.has(key))
}

func (m *lirsModel) miss(key, weight uint32) (victims []uint32) {
	for len(m.low)+len(m.q) > 0 && m.lowWeight()+m.q.sum()+uint64(weight) > m.max {
		if len(m.q) == 0 {
			m.demote()
		}
		v := m.q.shift()
		victims = append(victims, v.key)
		if m.s.has(v.key) {
			m.gone.push(v)
		}
		for m.gone.sum() > m.max {
			m.s.drop(m.gone.shift().key)
		}
	}
	lower := m.gone.has(key) || m.lowWeight()+uint64(weight) <= m.bound
	m.gone.drop(key)
	m.weights[key] = weight
	m.use(item{key, weight}, lower)
	return victims
}

func (m *lirsModel) remove(key uint32) {
	delete(m.low, key)
	m.s.drop(key)
	m.q.drop(key)
	m.settle()
}

// sieveModel is algorithm 1 of Zhang et al.
type sieveModel struct {
	pile
	max     uint64
	visited map[uint32]bool
	hand    int // an index, the end if it begins anew
}

func (m *sieveModel) hit(key uint32) { m.visited[key] = true }

func (m *sieveModel) miss(key, weight uint32) (victims []uint32) {
	for len(m.pile) > 0 && m.sum()+uint64(weight) > m.max {
		for ; m.hand < 0 || m.visited[m.pile[m.hand].key]; m.hand++ {
			if m.hand >= 0 {
				m.visited[m.pile[m.hand].key] = false
			}
			if m.hand == len(m.pile)-1 {
				m.hand = -1
			}
		}
		victims = append(victims, m.pile[m.hand].key)
		m.remove(m.pile[m.hand].key)
	}
	m.visited[key] = false
	m.push(item{key, weight})
	return victims
}

func (m *sieveModel) remove(key uint32) {
	n := m.find(key)
	m.take(key)
	if m.hand > n {
		m.hand--
	}
	if m.hand == len(m.pile) {
		m.hand = -1
	}
}

// s3Model is algorithm 1 of Yang et al.
type s3Model struct {
	small, main, ghost pile
	freq               map[uint32]int
	max                uint64
}

func (m *s3Model) hit(key uint32) { m.freq[key] = min(m.freq[key]+1, 3) }

func (m *s3Model) miss(key, weight uint32) (victims []uint32) {
	back := m.ghost.has(key)
	m.ghost.drop(key)
	share := max(1, m.max/10)
	for len(m.small)+len(m.main) > 0 && m.small.sum()+m.main.sum()+uint64(weight) > m.max {
		if m.small.sum() >= share || len(m.main) == 0 {
			victims = append(victims, m.evictSmall()...)
		} else {
			victims = append(victims, m.evictMain()...)
		}
	}
	m.ghost.trim(m.max - share)
	m.freq[key] = 0
	if back {
		m.main.push(item{key, weight})
	} else {
		m.small.push(item{key, weight})
	}
	return victims
}

func (m *s3Model) evictSmall() (victim []uint32) {
	i := m.small.shift()
	if m.freq[i.key] > 1 {
		m.freq[i.key] = 0
		m.main.push(i)
		return nil
	}
	m.ghost.push(i)
	return []uint32{i.key}
}

func (m *s3Model) evictMain() (victim []uint32) {
	i := m.main.shift()
	if m.freq[i.key] > 0 {
		m.freq[i.key]--
		m.main.push(i)
		return nil
	}
	return []uint32{i.key}
}

func (m *s3Model) remove(key uint32) { m.small.drop(key); m.main.drop(key) }

// tinyModel is W-TinyLFU with exact counts of every key, even of those that have left.
type tinyModel struct {
	window, probation, protected pile
	counts                       map[uint32]int
	seen                         int
	max, share                   uint64 // share is the window's
}

func (m *tinyModel) count(key uint32) {
	m.counts[key] = min(m.counts[key]+1, 15)
	if m.seen++; m.seen == 10*int(m.max) {
		m.seen /= 2
		for k := range m.counts {
			m.counts[k] /= 2
		}
	}
}

func (m *tinyModel) hit(key uint32) {
	m.count(key)
	if m.window.has(key) {
		m.window.renew(key)
		return
	}
	if m.probation.has(key) {
		m.protected.push(m.probation.take(key))
	} else {
		m.protected.renew(key)
	}
	for m.protected.sum() > (m.max-m.share)*8/10 {
		m.probation.push(m.protected.shift())
	}
}

func (m *tinyModel) full(weight uint32) bool {
	sum := m.window.sum() + m.probation.sum() + m.protected.sum()
	return sum > 0 && sum+uint64(weight) > m.max
}

func (m *tinyModel) miss(key, weight uint32) (victims []uint32) {
	for m.full(weight) {
		victims = append(victims, m.evict())
	}
	m.count(key)
	m.window.push(item{key, weight})
	for m.window.sum() > m.share {
		m.probation.push(m.window.shift())
	}
	return victims
}

func (m *tinyModel) evict() uint32 {
	from := &m.probation
	if len(*from) == 0 {
		from = &m.protected
	}
	if len(*from) == 0 {
		return m.window.shift().key
	}
	if m.window.sum() < m.share {
		return from.shift().key
	}
	candidate := m.window.shift()
	if m.counts[candidate.key] <= m.counts[(*from)[0].key] {
		return candidate.key
	}
	victim := from.shift()
	m.probation.push(candidate)
	return victim.key
}

func (m *tinyModel) remove(key uint32) {
	m.window.drop(key)
	m.probation.drop(key)
	m.protected.drop(key)
	m.counts[key] = 0 // it leaves no history
}
