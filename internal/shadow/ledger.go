// ledger.go remembers what loads have cost, by key, and the slowest of them.

package shadow

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	mostKeys    = 160 // keys that are remembered
	mostSlowest = 16
	mostText    = 96 // bytes of a key
)

// Load is one load.
type Load struct {
	Key  string // cut where it is long
	Took time.Duration
	At   time.Time
	Err  string
}

// Account is what the loads of a key have cost.
type Account struct {
	Hash  uint32
	Key   string
	Loads uint64
	Lost  time.Duration
	Last  Load
}

// Ledger holds accounts. Where there are too many, the cheaper half is forgotten. The zero value is
// empty; any number of goroutines may use it.
type Ledger struct {
	mu      sync.Mutex // guards the fields below
	byHash  map[uint32]*Account
	slowest []Load // the slowest first
}

// Charge notes what a load has cost a key.
func (g *Ledger) Charge(hash uint32, l Load) {
	l.Key, l.Err = cut(l.Key), cut(l.Err)
	g.charge(hash, l)
}

// Rank notes a load that may be one of the slowest.
func (g *Ledger) Rank(l Load) {
	l.Key, l.Err = cut(l.Key), cut(l.Err)
	g.rank(l)
}

// cut shortens a text, not in the middle of a character.
func cut(text string) string {
	if len(text) <= mostText {
		return text
	}
	n := mostText
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "…"
}

func (g *Ledger) charge(hash uint32, l Load) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.byHash[hash]
	if a == nil {
		g.thin()
		a = &Account{Hash: hash, Key: l.Key}
		g.byHash[hash] = a
	}
	a.Loads++
	a.Lost += l.Took
	a.Last = l
}

func (g *Ledger) rank(l Load) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at, _ := slices.BinarySearchFunc(g.slowest, l, func(a, b Load) int {
		return cmp.Compare(b.Took, a.Took)
	})
	if at < mostSlowest {
		g.slowest = slices.Insert(g.slowest, at, l)[:min(len(g.slowest)+1, mostSlowest)]
	}
}

// thin makes room for one account more.
func (g *Ledger) thin() {
	if g.byHash == nil {
		g.byHash = map[uint32]*Account{}
	}
	if len(g.byHash) < mostKeys {
		return
	}
	for _, a := range g.ranked()[mostKeys/2:] {
		delete(g.byHash, a.Hash)
	}
}

// ranked returns the accounts, the dearest first.
func (g *Ledger) ranked() []*Account {
	return slices.SortedFunc(maps.Values(g.byHash), func(a, b *Account) int {
		return cmp.Or(cmp.Compare(b.Lost, a.Lost), cmp.Compare(a.Key, b.Key))
	})
}

// Dearest returns the keys whose loads have cost the most time, the dearest first.
func (g *Ledger) Dearest() (all []Account) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, a := range g.ranked() {
		all = append(all, *a)
	}
	return all
}

// Slowest returns the slowest loads, the slowest first.
func (g *Ledger) Slowest() []Load {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.slowest)
}

// Account returns what is remembered of the loads of a key.
func (g *Ledger) Account(hash uint32) (a Account, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if found := g.byHash[hash]; found != nil {
		return *found, true
	}
	return a, false
}
