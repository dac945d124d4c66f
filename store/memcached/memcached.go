// memcached.go opens a store, and gets, sets and deletes items.

// Package memcached keeps items in Memcached servers.
package memcached

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/larder-go/larder/store"
)

// Options of [Open]; the zero value works.
type Options struct {
	// Name says in a Snapshot which store it is; empty means "memcached".
	Name string
	// Addr is the server's host:port, or the path of its Unix socket; empty means
	// "localhost:11211". Names are looked up at each connection. For several servers see OpenRing.
	Addr string
	// Prefix stands before all keys of this store, so that several can share a server. At most
	// 180 printable ASCII characters without spaces.
	Prefix string
	// Timeout is how long to wait for a connection, and for each piece of an answer; 0 means
	// 500 ms.
	Timeout time.Duration
	// MaxIdle is how many connections are kept open while nobody needs them; 0 means 32. Fewer than
	// calls at a time cost connections made anew.
	MaxIdle int
	// MaxValue is how long an item may be as it is stored, in bytes: its value, tags, validators,
	// and about 50 bytes besides. 0 means 1 MiB less 1 KiB, for a server with the default -I 1m.
	MaxValue int
	// LeaseLimit is how long a lease outlives a process that was killed; 0 means 10 s, at least
	// 100 ms. A living process renews its leases after a third of it.
	LeaseLimit time.Duration
}

// Store keeps items in one Memcached server.
//
// Memcached cannot name what it holds and tells nobody of changes: a Store is no [store.Lister],
// [store.Clearer] or [store.Watcher]. It has tags and leases; see DeleteTag and TryLease for what
// they cost. A key that Memcached would not take (over 250 bytes with the prefix, or with other
// characters than printable ASCII) is stored under its SHA-256.
//
// Errors of the connection wrap [store.ErrUnavailable]. An operation whose context ends returns at
// once; what is on its way is left to end by Timeout.
type Store struct {
	client *memcache.Client
	o      Options

	ctx    context.Context // ends with Close; leases are renewed under it
	cancel context.CancelFunc
	closed atomic.Bool
	mu     sync.Mutex     // held to set closed and to start a renewal
	work   sync.WaitGroup // renewals

	hits, misses, failed, damaged, retried atomic.Uint64
}

// Stats are the counters of a [Store] since it was opened.
type Stats struct {
	Hits    uint64 // keys that were asked for and whose item was returned
	Misses  uint64 // those that were not there
	Failed  uint64 // those of which the server said nothing, or was not waited for
	Damaged uint64 // items that were not what was set: each was a miss
	Retried uint64 // operations that met a connection the server had closed, and were tried again
}

const (
	maxPrefix    = 180
	defaultAddr  = "localhost:11211"
	minLease     = 100 * time.Millisecond
	defaultLease = 10 * time.Second
)

// Open returns a store on the server of o. It does not connect yet: a server that is down is no
// reason for a program not to start.
func Open(o Options) (*Store, error) {
	if err := checkOptions(o); err != nil {
		return nil, err
	}
	o.Name, o.Addr = cmp.Or(o.Name, "memcached"), cmp.Or(o.Addr, defaultAddr)
	if o.Timeout == 0 {
		o.Timeout = 500 * time.Millisecond
	}
	if o.MaxIdle == 0 {
		o.MaxIdle = 32
	}
	if o.MaxValue == 0 {
		o.MaxValue = 1<<20 - 1<<10
	}
	if o.LeaseLimit == 0 {
		o.LeaseLimit = defaultLease
	}
	s := &Store{client: memcache.NewFromSelector(oneServer{addrOf(o.Addr)}), o: o}
	s.client.Timeout, s.client.MaxIdleConns = o.Timeout, o.MaxIdle
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

func checkOptions(o Options) error {
	switch {
	case o.Timeout < 0 || o.MaxIdle < 0 || o.MaxValue < 0 || o.LeaseLimit < 0:
		return errors.New("memcached: negative option")
	case len(o.Prefix) > maxPrefix || !printable(o.Prefix):
		return fmt.Errorf("memcached: prefix %.200q: want at most %d printable ASCII characters",
			o.Prefix, maxPrefix)
	case o.LeaseLimit > 0 && o.LeaseLimit < minLease:
		return fmt.Errorf("memcached: lease limit %v: want at least %v", o.LeaseLimit, minLease)
	}
	return nil
}

// OpenRing spreads items over the servers at addrs, each a node of weight 1 that is named by its
// address. For other names or weights give the stores to [store.NewRing] yourself. o.Addr is
// ignored.
func OpenRing(addrs []string, o Options) (*store.Ring, error) {
	var nodes []store.Node
	seen := map[string]bool{}
	for _, addr := range addrs {
		if addr == "" || seen[addr] {
			return nil, fmt.Errorf("memcached: address %q: empty or given twice", addr)
		}
		seen[addr] = true
		o.Addr = addr
		s, err := Open(o)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, store.Node{Name: addr, Store: s})
	}
	return store.NewRing(nodes, store.RingOptions{}), nil
}

// Stats returns the numbers so far.
func (s *Store) Stats() Stats {
	return Stats{
		Hits: s.hits.Load(), Misses: s.misses.Load(), Failed: s.failed.Load(),
		Damaged: s.damaged.Load(), Retried: s.retried.Load(),
	}
}

// asked counts keys that were asked for, of which some were found.
func (s *Store) asked(keys, found int, err error) {
	s.hits.Add(uint64(found))
	rest := uint64(max(0, keys-found))
	if err == nil || errors.Is(err, store.ErrNotFound) {
		s.misses.Add(rest)
	} else {
		s.failed.Add(rest)
	}
}

// Ping asks whether the server answers.
func (s *Store) Ping(ctx context.Context) error {
	_, err := call(ctx, s, again, func() (struct{}, error) { return struct{}{}, s.client.Ping() })
	return wrap("ping", "", err)
}

// Close implements [store.Store]. It ends the renewal of leases: those that are held end at their
// limit.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed.Store(true)
	s.mu.Unlock()
	s.cancel()
	s.work.Wait()
	_ = s.client.Close() // of connections that nobody will use again
	return nil
}

// ready is what every operation asks first.
func (s *Store) ready(ctx context.Context, key string) error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return store.CheckKey(key)
}

// Get implements [store.Store]. An item with tags takes a second round trip, for their marks.
func (s *Store) Get(ctx context.Context, key string) (store.Item, error) {
	if err := s.ready(ctx, key); err != nil {
		return store.Item{}, err
	}
	item, err := s.get(ctx, key)
	if err != nil {
		s.asked(1, 0, err)
		return store.Item{}, err
	}
	s.asked(1, 1, nil)
	return item, nil
}

func (s *Store) get(ctx context.Context, key string) (store.Item, error) {
	r, _, err := s.read(ctx, key)
	if err != nil {
		return store.Item{}, err
	}
	if !r.alive(time.Now()) {
		return store.Item{}, store.ErrNotFound
	}
	if len(r.marks) > 0 {
		marks, err := s.readMarks(ctx, r.item.Tags)
		if err != nil {
			return store.Item{}, err
		}
		if !r.untouched(marks) {
			return store.Item{}, store.ErrNotFound
		}
	}
	return r.item, nil
}

// read returns the record of key as it is, and the entry it stands in. Where there is none the
// error wraps ErrNotFound; one that is damaged is counted.
func (s *Store) read(ctx context.Context, key string) (record, *memcache.Item, error) {
	name := s.name(kindItem, key)
	found, err := call(ctx, s, again, func() (*memcache.Item, error) { return s.client.Get(name) })
	if err != nil {
		return record{}, nil, wrap("get", key, err)
	}
	r, err := s.parse(found.Value, key)
	return r, found, err
}

func (s *Store) parse(b []byte, key string) (record, error) {
	r, err := parseRecord(b, key)
	if err != nil {
		s.damaged.Add(1)
	}
	return r, err
}

// Set implements [store.Store]. An item with tags takes a second round trip, for their marks.
func (s *Store) Set(ctx context.Context, key string, item store.Item) error {
	if err := s.ready(ctx, key); err != nil {
		return err
	}
	if item.Created.IsZero() {
		item.Created = time.Now()
	}
	if err := s.checkSize(item); err != nil {
		return err
	}
	marks, err := s.makeMarks(ctx, item.Tags)
	if err != nil {
		return err
	}
	entry, err := s.entry(key, newRecord(item, marks), time.Now())
	if err != nil {
		return err
	}
	_, err = call(ctx, s, again, func() (struct{}, error) {
		return struct{}{}, s.client.Set(entry)
	})
	return wrap("set", key, err)
}

// checkSize refuses what is too large before anything is sent for it.
func (s *Store) checkSize(item store.Item) error {
	if len(item.Value) > s.o.MaxValue {
		return fmt.Errorf("memcached: %w: a value of %d bytes, the limit is %d",
			store.ErrTooLarge, len(item.Value), s.o.MaxValue)
	}
	return nil
}

// entry is r as it is sent.
func (s *Store) entry(key string, r record, now time.Time) (*memcache.Item, error) {
	value := appendRecord(nil, key, r)
	if len(value) > s.o.MaxValue {
		return nil, fmt.Errorf("memcached: %w: %d bytes, the limit is %d",
			store.ErrTooLarge, len(value), s.o.MaxValue)
	}
	return &memcache.Item{
		Key: s.name(kindItem, key), Value: value, Expiration: expiration(r.neededUntil(), now),
	}, nil
}

// Delete implements [store.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := s.ready(ctx, key); err != nil {
		return err
	}
	name := s.name(kindItem, key)
	_, err := call(ctx, s, again, func() (struct{}, error) {
		return struct{}{}, s.client.Delete(name)
	})
	if errors.Is(err, memcache.ErrCacheMiss) {
		return nil
	}
	return wrap("delete", key, err)
}

// manyAtOnce is how many keys one request asks for.
const manyAtOnce = 256

// GetMany implements [store.ManyGetter]: 256 keys a round trip, and those of the tags.
func (s *Store) GetMany(ctx context.Context, keys []string) (map[string]store.Item, error) {
	names := make([]string, len(keys))
	for i, key := range keys {
		if err := s.ready(ctx, key); err != nil {
			return nil, err
		}
		names[i] = s.name(kindItem, key)
	}
	found, failed := s.readMany(ctx, names)
	now := time.Now()
	records, tags := map[string]record{}, []string{}
	for i, key := range keys {
		entry, ok := found[names[i]]
		if _, twice := records[key]; !ok || twice {
			continue
		}
		if r, err := s.parse(entry.Value, key); err == nil && r.alive(now) {
			records[key] = r
			tags = append(tags, r.item.Tags...)
		}
	}
	marks, err := s.readMarks(ctx, tags)
	items := make(map[string]store.Item, len(records))
	for key, r := range records {
		if r.untouched(marks) {
			items[key] = r.item
		}
	}
	err = errors.Join(failed, err)
	s.asked(len(keys), len(items), err)
	return items, err
}

// readMany returns what was found although something went wrong.
func (s *Store) readMany(
	ctx context.Context, names []string,
) (map[string]*memcache.Item, error) {
	all := make(map[string]*memcache.Item, len(names))
	for len(names) > 0 {
		some := names[:min(len(names), manyAtOnce)]
		names = names[len(some):]
		found, err := call(ctx, s, again, func() (map[string]*memcache.Item, error) {
			return s.client.GetMulti(some)
		})
		for name, entry := range found {
			all[name] = entry
		}
		if err != nil {
			return all, wrap("get", "many keys", err)
		}
	}
	return all, nil
}
