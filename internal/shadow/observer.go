// observer.go hears what happens in a cache, within a budget of time, and lets nobody wait.

package shadow

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Host is the cache that is observed. Its functions may be called by any goroutine, with none of the
// cache's locks held.
type Host struct {
	Cache   Cache
	Life    time.Duration                    // for which an entry is a hit; 0 for ever
	Idle    time.Duration                    // without a use after which it is none; 0 for ever
	Totals  func() (hits, misses uint64)     // so far; it may be called with locks held, and takes none
	Shape   func() (max, used, count uint64) // the bound, what is used of it, the entries
	Listens func(mask uint32, some bool)     // which hits are to be told: those with hash&mask == 0
}

const (
	// share of one core that observing may take, besides what misses earn.
	costShare = 100
	// missEarns is how long it may take for a miss: little beside most loads. The first ones, while
	// a cache is filled, earn more, so that there is something to say soon.
	missEarns      = 5 * time.Microsecond
	firstMissEarns = 20 * time.Microsecond
	firstMisses    = 50_000
	// reopens is how much time must have been earned before it looks again.
	reopens = 40 * time.Millisecond
	// savings is the most time that it puts by.
	savings = 200 * time.Millisecond
	// begins is what it begins with.
	begins = 5 * time.Millisecond
)

const (
	batch    = 16      // hits that a goroutine puts down before it passes them on
	wakes    = 256     // events that are worth the work
	most     = 4096    // events that may wait
	together = 128     // events that are worked off at once
	fades    = 1 << 22 // requests, after which the older ones count half
)

// Observer keeps a Panel fed, and notes why keys are missed, which are hit and which loads hurt.
// Any number of goroutines may use it. It runs no goroutine while nothing happens.
type Observer struct {
	Ledger
	host    Host
	tick    time.Duration
	ghosts  ghosts
	reasons [reasons]atomic.Uint64
	stripes []stripe
	shift   uint32

	closed atomic.Bool // nothing is heard, since there is no time
	all    atomic.Bool // everything is heard, since somebody records it
	burst  atomic.Bool // all hits are heard, to find the favourites
	ended  atomic.Bool
	earned atomic.Int64 // nanoseconds that may be spent
	first  atomic.Int64 // misses that have earned more
	share  atomic.Pointer[share]

	mu      sync.Mutex // guards the fields below; held for moments
	queue   []event
	spare   []event
	working bool   // a goroutine works the queue off, or is about to
	gap     bool   // events are dropped until the queue is empty
	doubt   bool   // some were
	marked  uint64 // all requests when they were last queued; 0: since then some events are missing
	paid    time.Time
	timer   *time.Timer
	// unmarked is how many events were queued since requests were.
	unmarked int

	telling sync.Mutex // held while the host is told what is wanted, so that the last word is true

	work   sync.Mutex // guards the fields below; held while some events are worked off
	began  time.Time  // when it was tick 0
	panel  *Panel
	hot    hot
	base   struct{ hits, misses float64 }
	unit   time.Duration // what an event has cost at least, lately
	record *recording
}

// NewObserver returns the observer of a cache, which has seen nothing yet. It tells the host what it
// wants to hear.
func NewObserver(h Host, stripes int) *Observer {
	o := &Observer{host: h, began: time.Now(), paid: time.Now()}
	o.tick = tickOf(h.Life, h.Idle)
	o.stripes, o.shift = newStripes(stripes)
	o.ghosts = newGhosts(h.Cache.Entries)
	o.earned.Store(int64(begins))
	o.renew(h.Cache.Max, h.Cache.Entries)
	o.listen()
	return o
}

// tickOf returns how finely time is told: a thousandth of a life, at least a millisecond. Where all
// live for ever no tick ever comes.
func tickOf(life, idle time.Duration) time.Duration {
	least := life
	if idle > 0 && (idle < least || least == 0) {
		least = idle
	}
	if least <= 0 {
		return math.MaxInt64
	}
	return max(least/1000, time.Millisecond)
}

func (o *Observer) ticks(d time.Duration) uint32 {
	if d <= 0 || d/o.tick >= Forever {
		return Forever
	}
	return uint32(max(d/o.tick, 1))
}

// now returns the ticks since it began. It is called with the work.
func (o *Observer) now() uint32 { return uint32(min(time.Since(o.began)/o.tick, lastTick)) }

// lastTick is when ticks begin anew: after 25 days at least.
const lastTick = Forever / 2

// renew begins with empty copies of a cache of another size.
func (o *Observer) renew(max, entries uint64) {
	c := o.host.Cache
	c.Max, c.Entries = max, entries
	c.Fresh, c.Idle = o.ticks(o.host.Life), o.ticks(o.host.Idle)
	o.panel = NewPanel(c)
	o.share.Store(&o.panel.share)
}

// listen tells the host which hits are wanted now.
func (o *Observer) listen() {
	o.telling.Lock()
	defer o.telling.Unlock()
	if o.ended.Load() {
		o.host.Listens(0, false)
		return
	}
	o.work.Lock()
	mask := o.panel.Mask()
	o.burst.Store(o.hot.wants())
	if o.burst.Load() || o.all.Load() {
		mask = 0
	}
	o.work.Unlock()
	o.host.Listens(mask, o.hears())
}

// hears tells whether anything is heard now.
func (o *Observer) hears() bool { return !o.closed.Load() || o.all.Load() }

// wants tells whether what happens to a key is to be told now.
func (o *Observer) wants(hash uint32) bool {
	return o.all.Load() || !o.closed.Load() && o.share.Load().has(hash, mix(hash))
}

// Hit notes a hit of a goroutine whose stack is at here.
func (o *Observer) Hit(here uintptr, hash uint32) {
	if !o.hears() {
		return
	}
	if s := o.stripe(here); s.note(hash) {
		o.passOn(s)
	}
}

// passOn queues what a goroutine has put down.
func (o *Observer) passOn(s *stripe) {
	var hashes [batch]uint32
	n := s.take(&hashes)
	if n == 0 {
		return
	}
	events := make([]event, 0, batch)
	everything, share := o.burst.Load() || o.all.Load(), o.share.Load()
	for _, h := range hashes[:n] {
		if everything || share.has(h, mix(h)) {
			events = append(events, eventOf(hit, h, 0))
		}
	}
	if len(events) > 0 {
		o.enqueue(events...)
	}
}

// Miss notes a miss. Whoever misses helps where too much waits: a load takes longer.
func (o *Observer) Miss(here uintptr, hash uint32, reason Reason) {
	o.reasons[reason].Add(1)
	if o.share.Load().has(hash, mix(hash)) {
		o.earn()
	}
	if !o.wants(hash) {
		return
	}
	o.passOn(o.stripe(here))
	if waiting := o.enqueue(eventOf(miss, hash, 0)); waiting > most/2 {
		o.workOff(together)
	}
}

// earn adds what a miss earns, and looks again where that is enough.
func (o *Observer) earn() {
	earns := missEarns
	if o.first.Load() < firstMisses {
		o.first.Add(1)
		earns = firstMissEarns
	}
	if left := o.earned.Add(int64(earns)); left >= int64(reopens) && o.closed.Load() {
		o.open()
	}
}

// How tells how a value came into a cache.
type How bool

// The ways.
const (
	Loaded How = false // after a miss
	Set    How = true  // over a value that could be served: a use of its own
)

// Put notes that a value came into the cache.
func (o *Observer) Put(hash, weight uint32, how How) {
	if !o.wants(hash) {
		return
	}
	what := loaded
	if how == Set {
		what = set
	}
	o.enqueue(eventOf(what, hash, weight))
}

// Delete notes that a key was deleted.
func (o *Observer) Delete(hash uint32) {
	if o.wants(hash) {
		o.enqueue(eventOf(deleted, hash, 0))
	}
}

// Clear notes that nothing is left.
func (o *Observer) Clear() { o.enqueue(eventOf(cleared, 0, 0)) }

// Curve estimates hit ratios at other sizes and with other policies. ok is false while it has seen
// too little.
func (o *Observer) Curve() (c Estimates, ok bool) {
	for i := range o.stripes {
		o.passOn(&o.stripes[i])
	}
	o.mu.Lock()
	o.markLocked()
	o.mu.Unlock()
	o.workOff(2 * most) // all that waits; what comes meanwhile would keep it here for ever
	o.work.Lock()
	defer o.work.Unlock()
	hits, misses := o.recent()
	if o.panel.seen*o.panel.share.part() < enough || hits+misses == 0 {
		return c, false
	}
	actual := hits / (hits + misses)
	return Estimates{
		Actual: actual, Sizes: o.panel.Sizes(actual), Policies: o.panel.Policies(actual),
		Seen: uint64(o.panel.seen), Part: o.panel.share.part(),
	}, true
}

// enough is how many requests there must have been for the keys that are looked at.
const enough = 500

// Estimates is what a cache would do.
type Estimates struct {
	Actual          float64 // what it does
	Sizes, Policies []Estimate
	Seen            uint64  // requests for all keys, while it looked
	Part            float64 // of the keys
}

// recent returns how many hits and misses there were lately.
func (o *Observer) recent() (hits, misses float64) {
	h, m := o.host.Totals()
	return float64(h) - o.base.hits, float64(m) - o.base.misses
}

// Close ends it. It hears nothing any more.
func (o *Observer) Close() {
	o.ended.Store(true)
	o.closed.Store(true)
	o.listen()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = nil
	if o.timer != nil {
		o.timer.Stop()
	}
}
