// options.go is what a cache can be told when it is made.

package larder

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"time"

	"github.com/larder-go/larder/codec"
	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/store"
)

// Forever is a time to live without end.
const Forever = time.Duration(math.MaxInt64)

// DefaultMaxEntries is the bound of a cache that is given none.
const DefaultMaxEntries = 10_000

// ErrNotFound is returned for what is not there and cannot be loaded. A loader returns it, wrapped
// or not, to say that the origin has no such thing. It is the error of package store.
var ErrNotFound = store.ErrNotFound

// Options says what a cache keeps and how. The zero value is a cache of DefaultMaxEntries entries
// that never expire and are only there if they were set.
type Options[K comparable, V any] struct {
	// Name says in errors and Stats which cache it is, and begins the names of its keys and tags in
	// Store. Default: "cache".
	Name string

	// MaxEntries is how many entries are kept at most, at every moment. 0 means DefaultMaxEntries,
	// unless MaxWeight is set: only one of both may be.
	MaxEntries int
	// MaxWeight bounds the sum of what Weigh returns instead, at every moment. An entry heavier
	// than that is not kept. 0 means that entries are counted.
	MaxWeight int64
	// Weigh returns the weight of an entry, for example its size in bytes; less than 1 counts as 1,
	// 4 GiB or more is never kept. It is called at every Set and must not use the cache. It must
	// be set if MaxWeight is, and only then.
	Weigh func(key K, value V) int
	// Policy chooses who leaves when there is no room: policy.LRU, policy.SIEVE, ... nil means
	// policy.Adaptive, which is hard to beat.
	Policy policy.New

	// TTL is how long a value is fresh after it was set or loaded. Then it is gone, unless Stale or
	// StaleOnError keep it. 0 means Forever.
	TTL time.Duration
	// Jitter draws each TTL from [1-Jitter, 1+Jitter] times TTL, so that what was set at once does
	// not expire at once. It must be below 1. What was given a time of its own keeps to that.
	Jitter float64
	// Idle is how long an entry lives after it was used last, whatever else keeps it. 0 means that
	// use does not matter. The last use is known to a thousandth of Idle.
	Idle time.Duration
	// Stale is how long after its TTL a value is still served, while one load refreshes it behind.
	Stale time.Duration
	// StaleOnError is how long after its TTL a value is served if the load fails, or takes longer
	// than SoftTimeout. It may be more or less than Stale.
	StaleOnError time.Duration
	// RetryAfter is how long a value is not loaded again whose refresh began or failed. 0 means one
	// second.
	RetryAfter time.Duration
	// RefreshAhead is the share of the TTL after which a hit refreshes the value behind, so that
	// what is in use never gets stale. It must be below 1; 0 means that nothing is refreshed ahead.
	RefreshAhead float64
	// Early is the beta of XFetch: the nearer the end of its TTL and the slower its load, the more
	// likely a hit refreshes the value behind, so that not all processes do at once. 1 is a good
	// value; 0 means never.
	Early float64
	// NegativeTTL is how long it is remembered that the origin does not have a key: that Load
	// returned ErrNotFound. 0 means not at all.
	NegativeTTL time.Duration
	// OnEvict hears of each entry that left and of each value that was replaced, after the fact and
	// in the goroutine in which it happened, or in one of its own for what expired: several may
	// call it at once. It holds up its caller alone, and may use the cache. Close does not wait for
	// it. If it panics, that reaches the caller; where there is none, as for what expired, the
	// program ends. nil means that nobody wants to know, which makes Set faster.
	OnEvict func(key K, value V, cause Cause)
	// Log gets what happens, one event each: at level debug "miss", "load" and "left" with the key, and
	// at level warn "trouble", which is what OnError hears. Values are never written, and keys become
	// text only where somebody writes them. Hits are not written: they are counted. Departures are
	// written if the level is enabled when the cache is made; for the others it may be changed at any
	// time. nil, or a level that is off, costs nothing on a hit.
	Log *slog.Logger
	// Observe lets the cache look at some of its own requests, so that Curve, Advice and Inspector
	// have answers: what it would do at other sizes and with other policies, why keys were missed,
	// which keys are hit and which loads hurt. It takes up to 1 MiB and a hundredth of a core, besides
	// 5 µs for each miss of a key that it looks at, 20 µs for the first 50 000: all keys up to some
	// hundred entries, fewer of larger caches. Without it only counters are kept.
	Observe bool
	// OnError hears of errors that no caller gets: of a refresh behind, of a store that fails, of
	// writing behind. Several goroutines may call it at once, and a panic of it is dropped. nil means
	// that they are only counted.
	OnError func(err error)

	// Load gets the value of a key that is not there from the origin: Get calls it once for all who
	// ask at the same time. Its context carries the values of the one that asked first, but not its
	// end: a caller who gives up stops waiting, not the load. A panic comes back as an error. A
	// loader that asks caches with a Store for other keys should have a LoadTimeout: two nodes that
	// wait for each other are not noticed. nil means that Get calls Reload or LoadMany, or without
	// those returns ErrNotFound.
	Load func(ctx context.Context, key K) (V, error)
	// LoadMany gets several at once. A key that is not in the map is not found; one that was not
	// asked for is ignored. nil means that GetMany calls Load for each of them, several at a time.
	LoadMany func(ctx context.Context, keys []K) (map[K]V, error)
	// MaxBatch is how many keys LoadMany gets at most; more are loaded by several calls at a time. 0
	// means that it gets all.
	MaxBatch int
	// Reload gets a value that is there in an old version, or was once, and says more of it than
	// Load can: how long it is fresh, its tags, its weight. To say that the old version still
	// holds, return it. Where there is none, old is zero, and Load is called instead if it is set.
	// GetMany calls LoadMany for what is not there, if that is set; where entries need tags or times
	// of their own, leave LoadMany out: then it calls Reload, several at a time.
	// Tags that come with ErrNotFound are those of the absence that NegativeTTL keeps.
	Reload func(ctx context.Context, key K, old Entry[V]) (Entry[V], error)
	// LoadTimeout ends the context of a call of the origin. 0 means no limit.
	LoadTimeout time.Duration
	// CancelAbandoned ends the context of a load as soon as all who waited for it have given up: a
	// picture that was scrolled past, a page that was closed. What refreshes, warms or belongs to a
	// GetMany goes on. Without it every load goes on, and is kept.
	CancelAbandoned bool
	// SoftTimeout is how long Get waits for a load where StaleOnError has a value to serve instead;
	// the load goes on behind. 0 means as long as it takes.
	SoftTimeout time.Duration

	// Store is the second level, asked before the origin and shared with other processes. It never
	// fails a Get: if it is slow or down it is skipped. The cache does not close it. It needs Name.
	Store store.Store
	// Codec turns values into the bytes that Store keeps. nil means codec.Default: the bytes
	// themselves for []byte and string, else JSON. New panics if the codec refuses V.
	Codec codec.Codec
	// Key returns what a key is called in Store, after Name and what V is made of. nil means
	// strings and integers as they are written, what encoding.TextMarshaler makes of them, else the
	// digits of KeyOf. Two keys must not have one name.
	Key func(key K) string
	// Version is part of the names in Store. Another one begins with nothing; so does a V that is
	// made of other fields.
	Version string
	// Leases lets one process at a time load a key, in place of Store: Redlock, for example. nil
	// means that Store does, if it can. It should answer quickly: nothing guards it.
	Leases store.Leaser
	// Watch tells of what changed at the origin, by the names of keys without what Store puts in
	// front of them; so both memory and Store forget it. When its link was lost, what Store had is
	// not read any more. What changed while no process listened is not heard of: that is for the
	// TTL. What other processes do to Store is heard of anyway, if Store can tell.
	Watch store.Watcher
	// LostTTL bounds the TTL of what is kept in memory while the link to Store or Watch is lost, so
	// that changes go unheard. 0 means one second.
	LostTTL time.Duration

	// Write writes a value to the origin. Set calls it first, and keeps nothing if it fails.
	Write func(ctx context.Context, key K, value V) error
	// WriteBehind writes values to the origin some time after Set has returned, many at once.
	WriteBehind WriteBehind[K, V]
}

// Entry is a value and what there is to say about it.
type Entry[V any] struct {
	Value V
	// TTL is how long the value is fresh: 0 means as the options say, Forever is possible. A loader
	// that returns less than 0 has a value that is not to be kept.
	TTL time.Duration
	// Tags are names under which DeleteTag finds the entry.
	Tags []string
	// Weight counts in place of what Weigh returns, if it is not 0.
	Weight int64
	// Validators identify the version at the origin, for Reload.
	Validators store.Validators
	// Created is when the load of an old version began; zero if there is none. What is returned or
	// set is created when it is.
	Created time.Time
}

// Cause says why an entry left.
type Cause uint8

// The causes of leaving.
const (
	Evicted  Cause = iota + 1 // to make room
	Expired                   // its time was up
	Replaced                  // its key was set again; only the value left
	Deleted                   // somebody deleted it
	Cleared                   // the cache was cleared, closed, or did not trust what it held
)

// String returns the cause in a word.
func (c Cause) String() string {
	names := [...]string{"none", "evicted", "expired", "replaced", "deleted", "cleared"}
	return names[min(int(c), len(names)-1)]
}

// complete returns o with defaults in place of zeros, and panics on what makes no sense: options
// are written by programmers.
func (o Options[K, V]) complete() Options[K, V] {
	refuse := func(bad bool, why string) {
		if bad {
			panic(fmt.Sprintf("larder: options of %q: %s", o.Name, why))
		}
	}
	refuse(o.MaxEntries < 0, "MaxEntries is negative")
	refuse(o.MaxWeight < 0, "MaxWeight is negative")
	refuse(o.MaxBatch < 0, "MaxBatch is negative")
	refuse(o.MaxEntries > 0 && o.MaxWeight > 0, "MaxEntries and MaxWeight are both set: choose one")
	refuse(o.MaxWeight > 0 && o.Weigh == nil, "MaxWeight needs Weigh")
	refuse(o.MaxWeight == 0 && o.Weigh != nil, "Weigh needs MaxWeight")
	refuse(o.TTL < 0, "TTL is negative")
	refuse(o.Idle < 0, "Idle is negative")
	o.refuseTimes(refuse)
	o.refuseStore(refuse)
	o.Name = cmp.Or(o.Name, "cache")
	if o.MaxEntries == 0 && o.MaxWeight == 0 {
		o.MaxEntries = DefaultMaxEntries
	}
	if o.TTL == 0 {
		o.TTL = Forever
	}
	if o.Policy == nil {
		o.Policy = policy.Adaptive
	}
	o.RetryAfter = cmp.Or(o.RetryAfter, time.Second)
	o.LostTTL = cmp.Or(o.LostTTL, time.Second)
	if o.Store != nil && o.Codec == nil {
		var err error
		o.Codec, err = codec.Default(reflect.TypeFor[V]())
		refuse(err != nil, fmt.Sprint(err))
	}
	return o
}

func (o Options[K, V]) refuseTimes(refuse func(bool, string)) {
	for name, d := range map[string]time.Duration{
		"LoadTimeout": o.LoadTimeout, "SoftTimeout": o.SoftTimeout, "Stale": o.Stale,
		"StaleOnError": o.StaleOnError, "RetryAfter": o.RetryAfter, "NegativeTTL": o.NegativeTTL,
		"LostTTL": o.LostTTL, "WriteBehind.Delay": o.WriteBehind.Delay,
	} {
		refuse(d < 0, name+" is negative")
	}
	refuse(!(o.Jitter >= 0 && o.Jitter < 1), "Jitter is not in [0, 1)")
	refuse(!(o.RefreshAhead >= 0 && o.RefreshAhead < 1), "RefreshAhead is not in [0, 1)")
	refuse(!(o.Early >= 0 && o.Early <= math.MaxFloat32), "Early is not a number of at least 0")
	refuse(o.SoftTimeout > 0 && o.StaleOnError == 0, "SoftTimeout needs StaleOnError")
}

func (o Options[K, V]) refuseStore(refuse func(bool, string)) {
	refuse(o.Store != nil && o.Name == "", "Store needs Name: it is part of the keys in it")
	refuse(o.Store == nil && o.Codec != nil, "Codec needs Store")
	refuse(o.Store == nil && o.Leases != nil, "Leases needs Store")
	refuse(o.Write != nil && o.WriteBehind.Write != nil, "Write and WriteBehind are both set")
	b := o.WriteBehind
	refuse(b.Write == nil && (b.Delay != 0 || b.MaxBatch != 0 || b.MaxQueue != 0 || b.Tries != 0),
		"WriteBehind needs Write")
	refuse(b.MaxBatch < 0 || b.MaxQueue < 0 || b.Tries < 0, "WriteBehind has a negative number")
	if o.Codec != nil {
		err := o.Codec.Check(reflect.TypeFor[V]())
		refuse(err != nil, fmt.Sprint(err))
	}
}

// shape returns what entries have to carry.
func (o Options[K, V]) shape() (s shape) {
	if o.TTL != Forever {
		s.times = 1
	}
	if o.Idle > 0 {
		s.times = 2
	}
	if !o.freshness().trivial() || o.Reload != nil {
		s = shape{max(s.times, 1), true}
	}
	return s
}

// usualLife returns how short the lives are that hits have to be quick in.
func (o Options[K, V]) usualLife() time.Duration {
	d := cmp.Or(o.Idle, o.TTL)
	if o.Store != nil || o.Watch != nil {
		d = min(d, o.LostTTL)
	}
	return d
}

// freshness returns how values age.
func (o Options[K, V]) freshness() freshness {
	return freshness{o.Stale, o.StaleOnError, o.RefreshAhead, o.Early}
}
