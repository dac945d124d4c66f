// panel.go leads requests through small copies of a cache, and compares them.

package shadow

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"github.com/larder-go/larder/policy"
)

// Cache says what a cache is like.
type Cache struct {
	Policy  string     // its name, "" if it is none of package policy
	New     policy.New // what makes its policy
	Max     uint64     // its bound, entries or weight; at least 1
	Entries uint64     // how many it will hold, about
	Weighed bool       // Max is a weight
	Fresh   uint32     // ticks for which an entry is a hit; Forever is possible
	Idle    uint32     // ticks without a use after which it is none; Forever is possible
}

// Forever is a tick that does not come.
const Forever = 1<<32 - 1

// How many entries the copy has at most that is as large as the cache, so that all copies take no
// more than a megabyte: Adaptive needs ten times the room of others, and where entries are weighed
// copies may hold several times as many.
const (
	Miniature         = 720
	adaptiveMiniature = 440
	weighedPart       = 0.4
)

// miniature returns how many entries the copy has at most that is as large as the cache.
func (c Cache) miniature() uint64 {
	n := uint64(Miniature)
	if c.roomy() {
		n = adaptiveMiniature
	}
	if c.Weighed {
		n = uint64(weighedPart * float64(n))
	}
	return n
}

// roomy tells whether the policy is Adaptive, or one that may need as much room.
func (c Cache) roomy() bool {
	_, known := policy.ByName(c.Policy)
	return !known || c.Policy == "Adaptive"
}

// Panel holds the small copies of a cache. It is not safe for concurrent use.
type Panel struct {
	cache  Cache
	share  share
	groups []*group // near and far

	half, own, twice *mini   // of the policy of the cache
	quarter          step    // from half the size
	beyond           []step  // from twice the size on
	others           []*mini // all policies, as large as the cache

	warm int     // requests that are not counted, until the copies are filled again
	seen float64 // requests for all keys, while those of the share were counted
}

// share is some of the keys: those whose hash has no bit of mask, and mixed has no bit of thin and
// is at most limit.
type share struct{ mask, thin, limit uint32 }

// shareFor returns a share of which a cache of n entries holds at most some.
func shareFor(n, some uint64) share {
	if n <= some {
		return share{limit: 1<<32 - 1}
	}
	mask := uint32(1)<<(bits.Len64(n/some)-1) - 1
	rest := float64(some) / float64(n) * float64(mask+1)
	return share{mask: mask, limit: uint32(rest * (1<<32 - 1))}
}

// has tells whether a key belongs to the share; mixed is what mix makes of its hash.
func (s share) has(hash, mixed uint32) bool {
	return hash&s.mask == 0 && mixed&s.thin == 0 && mixed <= s.limit
}

// part returns which part of all keys it is.
func (s share) part() float64 {
	return float64(s.limit) / (1<<32 - 1) / float64(s.mask+1) / float64(s.thin+1)
}

// group is copies that see the same keys.
type group struct {
	share share
	asks  float64
	minis []*mini
}

// tiny is how many entries a cache must have before the largest copies see fewer keys than others.
const tiny = 112

// fewer is the share of the keys that the largest copies see, less one, by bits.
const fewer = 3

// NewPanel returns the copies of a cache, which are empty.
//
// The copies of half and of twice the size have the policy of the cache. So have those farther off,
// unless that is Adaptive or unknown: a small copy of Adaptive takes ten times the room of others.
// There S3-FIFO tells how much more or less there is to gain.
func NewPanel(c Cache) *Panel {
	p := &Panel{cache: c, share: shareFor(c.Entries, c.miniature())}
	near, far := &group{share: p.share}, &group{share: p.share}
	if c.Entries > tiny {
		far.share.thin = fewer
	}
	p.groups = []*group{near, far}
	own := policy.Named{Name: c.Policy, New: c.New}
	scout := own
	if c.roomy() {
		scout = policy.Named{Name: "S3-FIFO", New: policy.S3FIFO}
	}
	p.half, p.own, p.twice = near.add(c, own, 0.5), near.add(c, own, 1), near.add(c, own, 2)
	p.quarter = step{near, near.add(c, scout, 0.5), near.add(c, scout, 0.25)}
	p.beyond = []step{{far, far.add(c, scout, 2), far.add(c, scout, 4)}}
	p.beyond = append(p.beyond, step{far, p.beyond[0].to, far.add(c, scout, 8)})
	p.others = []*mini{p.own}
	for _, other := range policy.All() {
		if other.Name != c.Policy {
			p.others = append(p.others, near.add(c, other, 1))
		}
	}
	return p
}

// step is two copies that tell what a step from one size to the next is worth.
type step struct {
	group    *group
	from, to *mini
}

// add adds a copy to the group.
func (g *group) add(c Cache, p policy.Named, factor float64) *mini {
	m := g.newMini(c, p, factor)
	g.minis = append(g.minis, m)
	return m
}

// light is how many times as many entries a copy may hold as it would if they weighed what they weigh
// in the cache on average. A policy that keeps what is light would hold very many.
const light = 4

func (g *group) newMini(c Cache, p policy.Named, factor float64) *mini {
	size := max(uint64(float64(c.Max)*factor*g.share.part()+0.5), 1)
	m := &mini{
		name: p.Name, factor: factor, policy: p.New(size), max: size, most: math.MaxInt,
		fresh: c.Fresh, idle: c.Idle,
	}
	if c.Weighed {
		m.weights = []uint32{}
		m.most = light * int(min(float64(c.Entries)*g.share.part(), float64(c.miniature()))*factor+1)
	}
	if c.Fresh != Forever && c.Idle != Forever {
		m.untils = []uint32{}
	}
	return m
}

// Mask returns which keys the panel does not want to hear of: those whose hash has one of its bits.
func (p *Panel) Mask() uint32 { return p.share.mask }

// Wants tells whether the panel wants to hear of a key.
func (p *Panel) Wants(hash uint32) bool { return p.share.has(hash, mix(hash)) }

// Doubt lets the next requests fill the copies and not be counted: some were not heard of, so what
// they hold is out of date.
func (p *Panel) Doubt() { p.warm = 2 * int(min(p.cache.Entries, Miniature)) }

// mix makes the bits that all sampled hashes share worth something again.
func mix(hash uint32) uint32 {
	hash ^= hash >> 16
	hash *= 0x7feb352d
	return hash ^ hash>>15
}

// Hit notes a request for a key that the cache had, at the tick now.
func (p *Panel) Hit(hash, now uint32) {
	weight, count := p.weightOf(hash), p.counts()
	p.visit(hash, count, func(m *mini, h uint32) {
		hit, there := m.ask(h, now)
		switch {
		case hit:
			m.hits += count
		case there:
			m.begin(m.slot(h), now)
		default:
			m.admit(h, weight, now)
		}
	})
}

// Miss notes a request for a key that the cache did not have. What it has then is told by Put.
func (p *Panel) Miss(hash, now uint32) {
	count := p.counts()
	p.visit(hash, count, func(m *mini, h uint32) {
		if hit, _ := m.ask(h, now); hit {
			m.hits += count
		}
	})
}

// Put notes that a value has come into the cache. Where entries are counted weight does not matter.
func (p *Panel) Put(hash, weight, now uint32, how How) {
	if !p.cache.Weighed {
		weight = 1
	}
	p.visit(hash, 0, func(m *mini, h uint32) { m.put(h, weight, now, how) })
}

// Delete notes that a key was deleted.
func (p *Panel) Delete(hash uint32) {
	p.visit(hash, 0, func(m *mini, h uint32) { m.delete(h) })
}

// Seen notes that there were n more requests, for whatever key.
func (p *Panel) Seen(n uint64) {
	if p.warm == 0 {
		p.seen += float64(n)
	}
}

// counts returns 1 for a request that is to be counted.
func (p *Panel) counts() float64 {
	if p.warm > 0 {
		p.warm--
		return 0
	}
	return 1
}

func (p *Panel) visit(hash uint32, asks float64, do func(*mini, uint32)) {
	h := mix(hash)
	for _, g := range p.groups {
		if !g.share.has(hash, h) {
			continue
		}
		g.asks += asks
		for _, m := range g.minis {
			do(m, h)
		}
	}
}

// weightOf returns what an entry weighs that the cache has: one of the copies may know.
func (p *Panel) weightOf(hash uint32) uint32 {
	if !p.cache.Weighed {
		return 1
	}
	h := mix(hash)
	for _, g := range p.groups {
		for _, m := range slices.Backward(g.minis) {
			if slot, ok := m.index.find(h); ok {
				return m.weights[slot]
			}
		}
	}
	return uint32(max(p.cache.Max/max(p.cache.Entries, 1), 1))
}

func after(now, d uint32) uint32 {
	if d >= Forever-now {
		return Forever
	}
	return now + d
}

// Asks returns from how many requests the estimates are made.
func (p *Panel) Asks() float64 { return p.groups[0].asks }

// Fade lets what was counted so far count half.
func (p *Panel) Fade() {
	p.seen /= 2
	for _, g := range p.groups {
		g.asks /= 2
		for _, m := range g.minis {
			m.hits /= 2
		}
	}
}

// Estimate is a hit ratio of a copy.
type Estimate struct {
	Policy string
	Factor float64 // of the cache's size
	Ratio  float64
}

// Sizes estimates the ratios at other sizes of a cache whose own is actual, from small to large.
func (p *Panel) Sizes(actual float64) (all []Estimate) {
	half, twice := p.compare(p.half, actual), p.compare(p.twice, actual)
	at := func(m *mini, ratio float64) {
		all = append(all, Estimate{p.cache.Policy, m.factor, min(max(ratio, 0), 1)})
	}
	at(p.quarter.to, half+p.worth(p.quarter))
	at(p.half, half)
	at(p.own, actual)
	at(p.twice, twice)
	ratio := twice
	for _, s := range p.beyond {
		ratio += p.worth(s)
		at(s.to, ratio)
	}
	return all
}

// Policies estimates the ratios of all policies at the size of a cache whose own is actual, the best
// first.
func (p *Panel) Policies(actual float64) (all []Estimate) {
	for _, m := range p.others {
		ratio := min(max(p.compare(m, actual), 0), 1)
		all = append(all, Estimate{m.name, m.factor, ratio})
	}
	slices.SortStableFunc(all, func(a, b Estimate) int { return cmp.Compare(b.Ratio, a.Ratio) })
	return all
}

// compare estimates the ratio of a copy by the one that is like the cache, whose ratio is actual. The
// difference is divided by how many requests there should have been for the share of the keys: a
// favourite more or less in the share changes how many there were, and no difference (the correction
// of SHARDS-adj, Waldspurger et al., FAST 2015). It is made larger where the share had fewer misses
// than the cache, by a tenth at most: those tell how many keys it has that may be hit or missed,
// unless its copy is unlike the cache.
func (p *Panel) compare(m *mini, actual float64) float64 {
	near := p.groups[0]
	misses := (1 - actual) * p.asksOf(near) // that there should have been
	more := (misses + fewToTell) / (max(near.asks-p.own.hits, 0) + fewToTell)
	return actual + min(max(more, 0.9), 1.1)*(m.hits-p.own.hits)/p.asksOf(near)
}

// worth estimates what a step adds to the ratio.
func (p *Panel) worth(s step) float64 { return (s.to.hits - s.from.hits) / p.asksOf(s.group) }

// asksOf returns how many requests there should have been for the keys of a group.
func (p *Panel) asksOf(g *group) float64 { return max(p.seen*g.share.part(), 1) }

// fewToTell is how many misses are too few to tell something by.
const fewToTell = 50
