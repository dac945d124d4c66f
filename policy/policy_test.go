// policy_test.go checks the list of policies, what they keep in memory, and how fast they are.

package policy_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/larder-go/larder/policy"
)

func TestByNameTakesAnySpelling(t *testing.T) {
	for name, want := range map[string]string{
		"2q": "2Q", "s3fifo": "S3-FIFO", "S3_FIFO": "S3-FIFO", "w tinylfu": "W-TinyLFU",
	} {
		if got, ok := policy.ByName(name); !ok || got.Name != want {
			t.Errorf("ByName(%q) is %q, want %q", name, got.Name, want)
		}
	}
	if _, ok := policy.ByName("none"); ok {
		t.Error(`ByName("none") found one`)
	}
}

func TestMarkersSayWhatTheyWant(t *testing.T) {
	for _, name := range []string{"FIFO", "SIEVE", "S3-FIFO"} {
		p, _ := policy.ByName(name)
		m, ok := p.New(10).(policy.Marker)
		if !ok {
			t.Errorf("%s is no Marker", name)
			continue
		}
		if _, ok := m.Watches(); ok {
			t.Errorf("%s watches keys, want none", name)
		}
		if hasMarks, want := m.Marks() != nil, name != "FIFO"; hasMarks != want {
			t.Errorf("%s has marks: %v, want %v", name, hasMarks, want)
		}
	}
}

// simulate asks for keys and returns the hits; keys are below 4*max.
func simulate(p policy.Policy, keys []uint32, max uint32) (hits int) {
	slots, used := make([]uint32, 4*max), uint32(0) // by key; 0 is absent
	owners := make([]uint32, max+1)
	for _, key := range keys {
		hash := (key + 1) * 0x9e3779b1
		if slots[key] != 0 {
			p.Touch(slots[key]-1, hash)
			hits++
			continue
		}
		slot := used
		if used < max {
			used++
		} else {
			slot = p.Victim(hash)
			slots[owners[slot]] = 0
		}
		p.Admit(slot, hash, 1)
		slots[key], owners[slot] = slot+1, key
	}
	return hits
}

// skewed are keys of which the first are asked for often.
func skewed(n int, max uint32) []uint32 {
	r := rand.New(rand.NewPCG(1, 2))
	keys := make([]uint32, n)
	for i := range keys {
		keys[i] = min(uint32(math.Exp(r.Float64()*math.Log(float64(4*max)))), 4*max-1)
	}
	return keys
}

func TestPoliciesAreFrugal(t *testing.T) {
	const max = 50_000
	keys := make([]uint32, 4*max)
	for i := range keys {
		keys[i] = uint32(i) * 7 % (4 * max) // a loop fills every history
	}
	for name, want := range map[string]float64{
		"LRU": 10, "MRU": 10, "FIFO": 10, "LFU": 11, "2Q": 20, "ARC": 26, "LIRS": 64, "SIEVE": 11,
		"S3-FIFO": 25, "W-TinyLFU": 17, "GDSF": 29,
	} {
		named, _ := policy.ByName(name)
		before := heap()
		p := named.New(max)
		simulate(p, keys, max)
		if got := float64(heap()-before) / max; got > want {
			t.Errorf("%s keeps %.1f bytes an entry, want at most %.0f", name, got, want)
		}
		runtime.KeepAlive(p)
	}
}

// heap is what is reachable.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkPolicies(b *testing.B) {
	const max = 100_000
	keys := skewed(1_000_000, max)
	for _, named := range policy.All() {
		b.Run(named.Name, func(b *testing.B) {
			hits := 0
			for b.Loop() {
				hits = simulate(named.New(max), keys, max)
			}
			n := float64(len(keys))
			b.ReportMetric(100*float64(hits)/n, "%hits")
			b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mreq/s")
		})
	}
}
