// redis.go opens and closes the store, and says what it promises.

// Package redis keeps items in Redis, Valkey or what speaks their protocol.
//
// It works with one server, with a Cluster, behind Sentinel, over TLS and with the users of an
// ACL. Besides [store.Store] it can read and write many items at once, list, clear, delete by tag,
// lease keys and tell what others change.
//
// What stands in the server, behind the prefix:
//
//	v:{key}  the item, as store.AppendItem writes it, with the expiry of the item
//	l:{key}  who holds the lease of the key, with the expiry of the lease
//	n:{key}  the last fencing token of the key, for an hour
//	s:{key}  an item on its way into v:{key}, by way of r:{key}; neither outlives a transaction
//	t:{tag}  the mark of a tag: its generation and when it was last deleted
//	d:{tag}  the sign that a tag was deleted; it goes as it comes
//	events   the channel on which changes are told, in [Channel] mode
//
// The braces make Redis Cluster keep what belongs to one key on one server. A user of an ACL needs
// the keys and the channels that start with the prefix, and the commands of @read, @write,
// @connection, @transaction, @scripting, TIME (and in Cluster "cluster|slots").
//
// An item whose server forgets a mark of its tags (by an eviction, a restart) is gone: the store
// rather forgets than returns what somebody deleted.
package redis

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/store"
	"github.com/redis/rueidis"
)

// Invalidation says how a store hears what others change, for Watch and AwaitLease.
type Invalidation uint8

const (
	// Auto is Tracking where the server can do it, else Channel. All who share a prefix must come
	// to the same answer: name one of them where servers or users differ.
	Auto Invalidation = iota
	// Tracking lets the server tell of every key that changes or expires, whoever changed it
	// (RESP3, Redis 6, CLIENT TRACKING in BCAST mode). Writers pay nothing for it.
	Tracking
	// Channel lets every write publish a message. What expires, is evicted, or is changed by
	// anybody but this package goes unheard.
	Channel
	// None hears nothing: Watch tells Linked and no more, and AwaitLease asks again and again.
	None
)

// Options configure [Open]. Addrs is needed; the zero value of all others works.
type Options struct {
	// Name says in a Snapshot which store it is; empty: "redis".
	Name string
	// Addrs are host:port of the server, of some servers of a Cluster, or of Sentinels. Several
	// addresses without Master are a Cluster.
	Addrs    []string
	Username string      // of an ACL; empty: the user "default"
	Password string      // empty: none
	DB       int         // number of the database; a Cluster has 0 alone
	TLS      *tls.Config // nil: no TLS
	// Master is the name by which Sentinels know the server; empty: there are no Sentinels.
	Master           string
	SentinelUsername string // of the Sentinels' own ACL
	SentinelPassword string

	// Prefix stands before every key; empty: "larder:". It is how several users share a server. If
	// it has a brace, it must have a pair of them with something in between.
	Prefix string
	// LeaseTime is how long a lease outlives a holder that died; 0: 5 s, at least 100 ms. A holder
	// that lives renews its lease every third of it.
	LeaseTime time.Duration
	// Invalidation says how to hear of changes.
	Invalidation Invalidation
	// MaxValue bounds an item in bytes, its times and tags included; 0: 512 MiB less 4 KiB. Where
	// the user may ask the server for its proto-max-bulk-len (CONFIG GET), that bounds it too: a
	// server that gets more cuts the connection.
	MaxValue int64

	// DialTimeout bounds how long a connection may take to stand; 0: 1 s.
	DialTimeout time.Duration
	// Timeout bounds every exchange with a server, the time in which a large value passes included;
	// 0: 2 s. A call has one or two of them, within this time in all. A connection that was silent
	// for as long while somebody waited is given up.
	Timeout time.Duration
	// Heartbeat is how often a link is asked whether it still stands; 0: 1 s. Watchers hear Lost at
	// once where a connection breaks, and within two Heartbeats where it is silent. To that comes
	// the time in which what was being written passes at 8 MiB/s.
	Heartbeat time.Duration

	// Configure may change how rueidis connects, as the last one to do so: rotating credentials,
	// the sizes of buffers. It may be called several times. nil: nothing to change.
	Configure func(*rueidis.ClientOption)
}

const (
	maxValue     = 512<<20 - 4<<10
	maxTags      = 64 << 10
	minLeaseTime = 100 * time.Millisecond
)

// withDefaults returns o with what was left out.
func (o Options) withDefaults() (Options, error) {
	if len(o.Addrs) == 0 {
		return o, errors.New("redis: no address")
	}
	for _, addr := range o.Addrs {
		if _, port, err := net.SplitHostPort(addr); err != nil || port == "" {
			return o, fmt.Errorf("redis: the address %q is not host:port", addr)
		}
	}
	o.Name, o.Prefix = cmp.Or(o.Name, "redis"), cmp.Or(o.Prefix, "larder:")
	if !slotSafe(o.Prefix) {
		return o, fmt.Errorf("redis: the braces of prefix %q hold nothing", o.Prefix)
	}
	if o.Invalidation > None {
		return o, fmt.Errorf("redis: there is no invalidation %d", o.Invalidation)
	}
	if o.MaxValue <= 0 {
		o.MaxValue = maxValue
	}
	orElse(&o.LeaseTime, 5*time.Second)
	orElse(&o.DialTimeout, time.Second)
	orElse(&o.Timeout, 2*time.Second)
	orElse(&o.Heartbeat, time.Second)
	o.LeaseTime = max(o.LeaseTime, minLeaseTime)
	return o, nil
}

func orElse(d *time.Duration, otherwise time.Duration) {
	if *d <= 0 {
		*d = otherwise
	}
}

// slotSafe reports whether what stands in braces behind prefix decides upon the slot, or what
// stands in braces in prefix itself does.
func slotSafe(prefix string) bool {
	_, rest, brace := strings.Cut(prefix, "{")
	return !brace || strings.Index(rest, "}") > 0
}

// Store keeps items in Redis. All methods are safe for concurrent use.
//
// Errors wrap [store.ErrUnavailable] where the server cannot be reached, is loading or does not
// answer in time, and [store.ErrRefused] where it says no: out of memory, read-only, not permitted.
type Store struct {
	o      Options
	keys   keyspace
	id     string // of this store among the writers
	conn   *connector
	link   *link
	waits  waits
	clocks clocks
	count  counters
	most   atomic.Int64 // bytes that an item may have

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	closed atomic.Bool
	once   sync.Once
}

// Open returns a store on the servers of o. It does not wait for them: it connects at the first
// use, and goes on trying while they are down. Errors are those of options that cannot work.
func Open(o Options) (*Store, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Store{o: o, keys: keyspace{o.Prefix}, id: rand.Text()[:idLength]}
	s.most.Store(o.MaxValue)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.conn = newConnector(s)
	s.link = newLink(s)
	return s, nil
}

// Close implements [store.Store]. Leases that are held are no longer renewed; it does not wait for
// those who watch.
func (s *Store) Close() error {
	s.once.Do(func() {
		s.closed.Store(true)
		s.cancel()
		s.link.close()
		s.conn.close()
		s.waits.wakeAll()
	})
	return nil
}

// begin is what every call does first. The context it returns ends with the call's time limit.
func (s *Store) begin(ctx context.Context) (*call, error) {
	if s.closed.Load() {
		return nil, store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c := &call{s: s, caller: ctx, began: time.Now()}
	c.ctx, c.cancel = context.WithTimeout(ctx, s.o.Timeout)
	client, err := s.conn.get(c.ctx)
	if err != nil {
		c.cancel()
		return nil, c.fail("connect", err)
	}
	c.client = client
	return c, nil
}

// beginKey is begin for a call with a key.
func (s *Store) beginKey(ctx context.Context, key string) (*call, error) {
	if err := store.CheckKey(key); err != nil {
		return nil, err
	}
	return s.begin(ctx)
}
