// life_test.go looks at predictions where entries expire, change their weight or are deleted.

package shadow_test

import (
	"container/list"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/larder-go/larder/internal/shadow"
)

// mortal is an LRU whose entries are gone once their time is up.
type mortal struct {
	max         int
	fresh, idle uint32
	recent      list.List // of *mortalEntry, the most recent first
	byKey       map[uint32]*list.Element

	hits, misses uint64
}

type mortalEntry struct{ key, loaded, used uint32 }

func (m *mortal) alive(e *mortalEntry, now uint32) bool {
	return now-e.loaded < m.fresh && now-e.used < m.idle
}

// expire takes out what is no hit any more.
func (m *mortal) expire(now uint32) {
	for key, element := range m.byKey {
		if !m.alive(element.Value.(*mortalEntry), now) {
			m.delete(key)
		}
	}
}

func (m *mortal) delete(key uint32) {
	if element, ok := m.byKey[key]; ok {
		m.recent.Remove(element)
		delete(m.byKey, key)
	}
}

// ask tells whether key is a hit. If not it is loaded.
func (m *mortal) ask(key, now uint32) bool {
	if element, ok := m.byKey[key]; ok {
		if e := element.Value.(*mortalEntry); m.alive(e, now) {
			m.recent.MoveToFront(element)
			e.used = now
			m.hits++
			return true
		}
		m.delete(key)
	}
	m.misses++
	if m.byKey == nil {
		m.byKey = map[uint32]*list.Element{}
	}
	if len(m.byKey) == m.max {
		m.delete(m.recent.Back().Value.(*mortalEntry).key)
	}
	m.byKey[key] = m.recent.PushFront(&mortalEntry{key, now, now})
	return false
}

func (m *mortal) ratio() float64 { return float64(m.hits) / float64(m.hits+m.misses) }

func TestPanelPredictsWhereEntriesExpire(t *testing.T) {
	s := seed(t)
	for _, c := range []struct{ fresh, idle uint32 }{
		{shadow.Forever, shadow.Forever}, {500, shadow.Forever}, {50, shadow.Forever},
		{shadow.Forever, 50}, {shadow.Forever, 10}, {500, 50}, {50, 20}, {100, 99},
	} {
		for _, kind := range streams() {
			name := fmt.Sprintf("%s, fresh %d, idle %d", kind.name, c.fresh, c.idle)
			t.Run(name, func(t *testing.T) {
				keys := kind.make(rand.New(rand.NewPCG(s, 4)), 200, 8_000)
				checkMortal(t, keys, s, 200, c.fresh, c.idle)
			})
		}
	}
}

// checkMortal runs keys, twenty a tick, through caches of some sizes. It allows 1.5 points: the copies
// do not find at once what has ended.
func checkMortal(t *testing.T, keys []uint32, seed uint64, size int, fresh, idle uint32) {
	c := counted(named(t, "LRU"), size)
	c.Fresh, c.Idle = fresh, idle
	panel := shadow.NewPanel(c)
	all := map[float64]*mortal{}
	for _, factor := range []float64{0.25, 0.5, 1, 2} {
		all[factor] = &mortal{max: int(factor * float64(size)), fresh: fresh, idle: idle}
	}
	for i, k := range keys {
		now := uint32(i / 20)
		for _, m := range all {
			if i%20 == 0 {
				m.expire(now)
			}
			if hit := m.ask(k, now); m == all[1] {
				tellAt(panel, hashOf(seed, k), now, hit)
			}
		}
	}
	for _, e := range panel.Sizes(all[1].ratio()) {
		if m := all[e.Factor]; m != nil && math.Abs(e.Ratio-m.ratio()) > 0.015 {
			t.Errorf("%gx: predicted %.4f, is %.4f", e.Factor, e.Ratio, m.ratio())
		}
	}
}

func tellAt(p *shadow.Panel, hash, now uint32, hit bool) {
	p.Seen(1)
	if hit {
		p.Hit(hash, now)
		return
	}
	p.Miss(hash, now)
	p.Put(hash, 1, now, shadow.Loaded)
}
