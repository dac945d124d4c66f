package shadow

import (
	"runtime"
	"testing"
	"math/rand/v2"

	"github.com/larder-go/larder/policy"
)

func hp() uint64 { runtime.GC(); runtime.GC(); var m runtime.MemStats; runtime.ReadMemStats(&m); return m.HeapAlloc }

func TestTmpMem(t *testing.T) {
	for _, sz := range []uint64{35, 70, 140, 280, 320, 560, 1120} {
			r := rand.New(rand.NewPCG(1, 1))
			b := hp()
			m := &mini{policy: policy.Adaptive(sz), max: sz, fresh: Forever, idle: Forever}
			for i := range 100000 {
				h := r.Uint32N(uint32(8*sz))
				if ok, _ := m.ask(h, uint32(i)); !ok { m.put(h, 1, uint32(i), Loaded) }
			}
			a := hp()
			t.Logf("Adaptive %d %6d KiB", sz,  (a-b)>>10)
			runtime.KeepAlive(m)
	}
	for _, own := range []string{"Adaptive", "LRU"} {
	for _, w := range []uint32{0, 1000} {
	for _, uni := range []uint32{2000, 8000, 40000} {
		p, _ := policy.ByName(own)
		b := hp()
		c := Cache{Policy: own, New: p.New, Max: 560, Entries: 560, Fresh: Forever, Idle: Forever}
		if w > 0 { c.Weighed = true; c.Max = 560*uint64(w) }
		pn := NewPanel(c)
		r := rand.New(rand.NewPCG(1, 1))
		for range 200000 {
			h := uint32(float64(uni)*r.Float64()*r.Float64())
			wt := uint32(1)
			if w > 0 { wt = 1 + (h*2654435761>>8)%(2*w) }
			pn.Miss(h, 0); pn.Put(h, wt, 0, Loaded)
		}
		t.Logf("panel %s weighed %v universe %d: %d KiB", own, w > 0, uni, (hp()-b)>>10)
		runtime.KeepAlive(pn)
	}}}
}
