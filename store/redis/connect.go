// connect.go has the connections: they are made at the first use, and given up when silent.

package redis

import (
	"context"
	"crypto/tls"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// client is one rueidis client and its connections.
type client struct {
	rueidis.Client
	wires   *wires
	cluster bool
	publish bool // writes tell of themselves on the channel
}

// connector makes the client, and again where it could not be made. It is replaced by one whose
// connections are tracked when somebody begins to watch.
type connector struct {
	s       *Store
	current atomic.Pointer[client]

	mu      sync.Mutex // guards the fields below
	dialing chan struct{}
	err     error     // of the last try
	again   time.Time // before that nobody tries
	all     []*client
	tracked bool // what is made next
	mode    Invalidation
	closed  bool
}

// pause is how long after a failure to connect calls fail without another try.
const pause = 100 * time.Millisecond

func newConnector(s *Store) *connector { return &connector{s: s, mode: s.o.Invalidation} }

// get returns the client, and connects first where there is none. It returns when ctx ends; the
// connecting goes on for others.
func (c *connector) get(ctx context.Context) (*client, error) {
	if cl := c.current.Load(); cl != nil {
		return cl, nil
	}
	c.mu.Lock()
	if cl := c.current.Load(); cl != nil {
		c.mu.Unlock()
		return cl, nil
	}
	if c.closed {
		c.mu.Unlock()
		return nil, net.ErrClosed
	}
	if c.dialing == nil && time.Now().Before(c.again) {
		defer c.mu.Unlock()
		return nil, c.err
	}
	done := c.dialLocked()
	c.mu.Unlock()
	select {
	case <-done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if cl := c.current.Load(); cl != nil {
		return cl, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return nil, c.err
}

// dialLocked has one goroutine connect; it ends after a few DialTimeouts at most.
func (c *connector) dialLocked() (done chan struct{}) {
	if c.dialing != nil {
		return c.dialing
	}
	done = make(chan struct{})
	c.dialing = done
	go c.dial(done, c.tracked)
	return done
}

func (c *connector) dial(done chan struct{}, tracked bool) {
	cl, mode, err := c.s.connect(tracked, c.mode)
	c.mu.Lock()
	defer c.mu.Unlock()
	defer close(done)
	c.dialing = nil
	if err == nil && c.closed {
		go cl.close()
		err = net.ErrClosed
	}
	c.err, c.again = err, time.Now().Add(pause)
	if err != nil {
		return
	}
	c.mode = mode
	if old := c.current.Swap(cl); old != nil {
		c.retireLocked(old)
	}
	c.all = append(c.all, cl)
}

// retireLocked closes a client when no call can be under way on it any more.
func (c *connector) retireLocked(old *client) {
	for i, cl := range c.all {
		if cl == old {
			c.all = append(c.all[:i], c.all[i+1:]...)
			break
		}
	}
	go func() {
		select {
		case <-time.After(2 * c.s.o.Timeout):
		case <-c.s.ctx.Done():
		}
		old.close()
	}()
}

// track replaces the client by one whose connections are tracked.
func (c *connector) track(ctx context.Context) (*client, error) {
	c.mu.Lock()
	if cl := c.current.Load(); c.closed || cl != nil && cl.wires.tracked {
		defer c.mu.Unlock()
		if c.closed {
			return nil, net.ErrClosed
		}
		return cl, nil
	}
	c.tracked = true
	done := c.dialLocked() // it may still be one that is not: then the next call makes another
	c.mu.Unlock()
	select {
	case <-done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if cl := c.current.Load(); cl != nil && cl.wires.tracked {
		return cl, nil
	}
	if c.err == nil {
		return nil, context.DeadlineExceeded
	}
	return nil, c.err
}

// settled returns how changes are heard, after the first connection has shown what can be done.
func (c *connector) settled() Invalidation {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mode
}

func (c *connector) close() {
	c.mu.Lock()
	c.closed = true
	all, dialing := c.all, c.dialing
	c.all = nil
	c.mu.Unlock()
	if dialing != nil {
		<-dialing
	}
	for _, cl := range all {
		cl.close()
	}
}

// close cuts the connections first: rueidis would wait for answers that a hung server never gives.
func (cl *client) close() {
	cl.wires.close()
	cl.Client.Close()
}

// connect makes a client. Where mode is Auto, it finds out what the server can do.
func (s *Store) connect(tracked bool, mode Invalidation) (*client, Invalidation, error) {
	w := &wires{tracked: tracked, onLoss: s.link.broken}
	raw, err := rueidis.NewClient(s.clientOption(w))
	if err != nil {
		w.close()
		return nil, mode, err
	}
	cl := &client{Client: raw, wires: w, cluster: raw.Mode() == rueidis.ClientModeCluster}
	if mode == Auto {
		if mode, err = s.probe(cl); err != nil {
			cl.close()
			return nil, Auto, err
		}
	}
	cl.publish = mode == Channel
	go s.learnLimit(cl) // the first call need not wait for that
	return cl, mode, nil
}

// learnLimit asks the server how long a value may be. Many users may not ask that; then it is not
// known.
func (s *Store) learnLimit(cl *client) {
	ctx, cancel := context.WithTimeout(s.ctx, s.o.Timeout)
	defer cancel()
	const name = "proto-max-bulk-len"
	fields, err := cl.Do(ctx, cl.B().ConfigGet().Parameter(name).Build()).AsStrMap()
	if n, bad := strconv.ParseInt(fields[name], 10, 64); err == nil && bad == nil {
		s.most.Store(min(s.o.MaxValue, n))
	}
}

// probe asks whether this user may track keys on this server.
func (s *Store) probe(cl *client) (Invalidation, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.o.Timeout)
	defer cancel()
	err := cl.Do(ctx, cl.B().Arbitrary("CLIENT", "TRACKINGINFO").Build()).Error()
	if err == nil {
		hello := cl.Do(ctx, cl.B().Arbitrary("HELLO").Build())
		fields, helloErr := hello.AsMap()
		proto := fields["proto"]
		n, _ := proto.AsInt64()
		if helloErr == nil && n >= 3 {
			return Tracking, nil
		}
		err = helloErr
	}
	if _, answered := rueidis.IsRedisErr(err); err == nil || answered {
		return Channel, nil
	}
	return Auto, err
}

// flushDelay is how long rueidis collects commands before it writes, where more than one waits.
// With 64 goroutines on one server it brings half as much again (GET 110,000 a second, then
// 170,000; SET 75,000, then 114,000; 2 cores). Who is alone does not wait.
const flushDelay = 50 * time.Microsecond

// clientOption says how to connect. There is one connection a server: rueidis writes together what
// is asked at the same time, which is faster than several, and a tracked connection does not hear
// of its own writes.
func (s *Store) clientOption(w *wires) rueidis.ClientOption {
	o := rueidis.ClientOption{
		InitAddress: s.o.Addrs, Username: s.o.Username, Password: s.o.Password, SelectDB: s.o.DB,
		TLSConfig: s.o.TLS, DialCtxFn: w.dial,
		Dialer:            net.Dialer{Timeout: s.o.DialTimeout, KeepAlive: s.o.Heartbeat},
		ConnWriteTimeout:  s.o.Timeout,
		PipelineMultiplex: -1, BlockingPipeline: -1, RingScaleEachConn: 12,
		MaxFlushDelay:    flushDelay,
		AlwaysPipelining: true, // else a call alone on its connection does not heed its context
		DisableRetry:     true, DisableCache: true,
		ClusterOption: rueidis.ClusterOption{ShardsRefreshInterval: 10 * time.Second},
	}
	if s.o.Master != "" {
		o.Sentinel = rueidis.SentinelOption{
			MasterSet: s.o.Master, Username: s.o.SentinelUsername, Password: s.o.SentinelPassword,
			TLSConfig: s.o.TLS, Dialer: o.Dialer, TopologyRefreshInterval: 5 * time.Second,
		}
	}
	if w.tracked {
		s.trackingOption(&o)
	}
	if s.o.Configure != nil {
		s.o.Configure(&o)
	}
	return o
}

// wires are the connections of one client.
type wires struct {
	tracked bool
	onLoss  func(*wires) // called when one was closed
	ready   atomic.Int64 // connections that are open and have answered
	pending atomic.Int64 // connections that are being made, or have not answered yet

	mu     sync.Mutex // guards the fields below
	open   map[*wire]struct{}
	closed bool
	losses uint64
}

// wire is a connection that knows when it last passed something.
type wire struct {
	net.Conn
	of      *wires
	addr    string
	heard   atomic.Int64  // Unix nanoseconds at which bytes last came
	ready   atomic.Bool   // whether any came at all
	written atomic.Uint64 // bytes
	once    sync.Once
}

// settled reports whether no connection is being made.
func (w *wires) settled() bool { return w.pending.Load() == 0 && w.ready.Load() > 0 }

// dial is rueidis.ClientOption.DialCtxFn.
func (w *wires) dial(
	ctx context.Context, addr string, d *net.Dialer, t *tls.Config,
) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	w.pending.Add(1)
	c, err := w.dialWire(ctx, addr, d, t)
	if err != nil {
		w.pending.Add(-1)
		return nil, err
	}
	return c, nil
}

func (w *wires) dialWire(
	ctx context.Context, addr string, d *net.Dialer, t *tls.Config,
) (*wire, error) {
	var conn net.Conn
	var err error
	if t != nil {
		conn, err = (&tls.Dialer{NetDialer: d, Config: t}).DialContext(ctx, "tcp", addr)
	} else {
		conn, err = d.DialContext(ctx, "tcp", addr)
	}
	if err != nil {
		return nil, err
	}
	c := &wire{Conn: conn, of: w, addr: addr}
	c.heard.Store(time.Now().UnixNano())
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		conn.Close()
		return nil, net.ErrClosed
	}
	if w.open == nil {
		w.open = map[*wire]struct{}{}
	}
	w.open[c] = struct{}{}
	return c, nil
}

func (c *wire) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.heard.Store(time.Now().UnixNano())
		if !c.ready.Load() && c.ready.CompareAndSwap(false, true) {
			c.of.pending.Add(-1)
			c.of.ready.Add(1)
		}
	}
	if err != nil {
		c.lost()
	}
	return n, err
}

func (c *wire) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.written.Add(uint64(n))
	return n, err
}

func (c *wire) Close() error {
	c.lost()
	return c.Conn.Close()
}

// lost tells once that the connection is no more.
func (c *wire) lost() {
	c.once.Do(func() {
		if c.ready.CompareAndSwap(false, true) {
			c.of.pending.Add(-1)
		} else {
			c.of.ready.Add(-1)
		}
		c.of.mu.Lock()
		delete(c.of.open, c)
		c.of.losses++
		c.of.mu.Unlock()
		c.of.onLoss(c.of)
	})
}

func (w *wires) lossCount() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.losses
}

// cutSilent gives up the connections on which nothing has come since a call began that has waited
// its whole time limit. Otherwise thousands of calls would queue up behind it.
func (w *wires) cutSilent(since time.Time) bool {
	return w.cutWhere(func(c *wire) bool { return c.heard.Load() < since.UnixNano() })
}

// written returns how many bytes were written to connections that are open.
func (w *wires) written() (n uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		n += c.written.Load()
	}
	return n
}

// cutWhere closes some connections, and reports whether there were any.
func (w *wires) cutWhere(silent func(*wire) bool) bool {
	w.mu.Lock()
	var cut []*wire
	for c := range w.open {
		if silent(c) {
			cut = append(cut, c)
		}
	}
	w.mu.Unlock()
	for _, c := range cut {
		c.Close()
	}
	return len(cut) > 0
}

func (w *wires) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.cutWhere(func(*wire) bool { return true })
}
