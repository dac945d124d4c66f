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
	mostKeys    = 512 // keys that are remembered
	mostSlowest = 16
	mostText    = 128 // bytes of a key
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

// ledger holds accounts. Where there are too many, the cheaper half is forgotten.
type ledger struct {
	mu      sync.Mutex // guards the fields below
	byHash  map[uint32]*Account
	slowest []Load // the slowest first
}

// Charge notes what a load has cost a key.
func (o *Observer) Charge(hash uint32, l Load) {
	l.Key, l.Err = cut(l.Key), cut(l.Err)
	o.ledger.charge(hash, l)
}

// Rank notes a load that may be one of the slowest.
func (o *Observer) Rank(l Load) {
	l.Key, l.Err = cut(l.Key), cut(l.Err)
	o.ledger.rank(l)
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

func (g *ledger) charge(hash uint32, l Load) {
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

func (g *ledger) rank(l Load) {
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
func (g *ledger) thin() {
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
func (g *ledger) ranked() []*Account {
	return slices.SortedFunc(maps.Values(g.byHash), func(a, b *Account) int {
		return cmp.Or(cmp.Compare(b.Lost, a.Lost), cmp.Compare(a.Key, b.Key))
	})
}

// Dearest returns the keys whose loads have cost the most time, the dearest first.
func (o *Observer) Dearest() (all []Account) {
	g := &o.ledger
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, a := range g.ranked() {
		all = append(all, *a)
	}
	return all
}

// Slowest returns the slowest loads, the slowest first.
func (o *Observer) Slowest() []Load {
	o.ledger.mu.Lock()
	defer o.ledger.mu.Unlock()
	return slices.Clone(o.ledger.slowest)
}

// Account returns what is remembered of the loads of a key.
func (o *Observer) Account(hash uint32) (a Account, ok bool) {
	o.ledger.mu.Lock()
	defer o.ledger.mu.Unlock()
	if found := o.ledger.byHash[hash]; found != nil {
		return *found, true
	}
	return a, false
}
