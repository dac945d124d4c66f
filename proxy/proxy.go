// proxy.go is a server of sites: how it begins, answers, and ends.

// Package proxy serves origins through a shared HTTP cache.
//
// A [Config], from a file by [Load], names addresses to listen at, sites by host and path with
// their origins, the levels of the cache, limits, and an address for whoever runs it. [New] opens
// all that, [Server.Serve] serves until its context ends, [Server.Reload] changes what can be
// changed meanwhile without dropping a connection or what is kept.
package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/dash"
	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/stats"
)

// Options are what a server gets from the program it is part of.
type Options struct {
	// Load returns the configuration for Reload. nil leaves what the server has, so that Reload
	// reads certificates and tokens anew and reopens the log.
	Load func() (Config, error)
	// Say hears in one line what people should know: a store that is down, a reload. Several
	// goroutines may call it at once. nil means that nobody wants to know.
	Say func(string)
	// HTTP3 makes a server for HTTP/3, see package proxy/http3. nil means that there is none.
	HTTP3 func(*tls.Config, http.Handler, Limits) QUIC
	// Version is what GET /version on the admin address answers.
	Version string
}

// QUIC is a server for HTTP/3.
type QUIC interface {
	// Serve serves what comes in at a connection until Shutdown or Close.
	Serve(net.PacketConn) error
	// Shutdown takes no more requests and waits for those under way, until the context ends.
	Shutdown(context.Context) error
	// Close ends all at once.
	Close() error
}

// Server is a reverse proxy. It is safe for concurrent use.
type Server struct {
	options Options
	began   time.Time
	cache   *httpcache.Cache
	levels  levels
	parts   stats.Set     // what reports: the cache, its levels, the origins in force
	dash    *dash.Handler // of the admin address
	gate    *gate
	now     atomic.Pointer[state]
	doors   doors

	reloading sync.Mutex     // held by whoever changes now
	watching  sync.WaitGroup // the checks of origins, and the last answers of lanes
	closing   sync.Once
}

// New opens stores, log and addresses for a server. From then on clients can connect; they are
// answered when Serve is called. What is wrong with c is a [Mistakes]. Whoever does not call Serve
// must call Close.
func New(c Config, o Options) (*Server, error) {
	if o.Say == nil {
		o.Say = func(string) {}
	}
	if wrong := c.check(); len(wrong) > 0 {
		return nil, wrong
	}
	if c.HTTP3 && o.HTTP3 == nil {
		return nil, Mistakes{c.wrong("http3", "this program has no HTTP/3")}
	}
	p, wrong := c.gather(nil)
	if len(wrong) > 0 {
		return nil, wrong
	}
	s := &Server{options: o, began: time.Now(), gate: newGate(c.Limits.Connections)}
	if err := s.open(c, p); err != nil {
		return nil, errors.Join(fmt.Errorf("proxy: %w", err), s.Close())
	}
	return s, nil
}

// open opens all that can fail, in an order in which nothing is answered before it is whole.
func (s *Server) open(c Config, p parts) (err error) {
	if s.levels, err = openLevels(&c.Cache, s.options.Say); err != nil {
		return err
	}
	o := s.cacheOptions(&c.Cache)
	o.Observe = c.Admin.Listen != "" // else nobody can ask what it has seen
	s.cache = httpcache.New(o)
	s.report()
	st := newState(c, p, s.cache)
	s.now.Store(st)
	if c.Log.Access != "" {
		if st.log, err = openLog(c.Log.Access, s.options.Say); err != nil {
			return err
		}
	}
	if err := s.listen(&c); err != nil {
		return err
	}
	st.altSvc = s.doors.altSvc()
	st.start(nil, s.watch)
	return nil
}

func (s *Server) cacheOptions(c *Cache) httpcache.Options {
	return httpcache.Options{
		Name: c.Name, Memory: int64(c.Memory), Store: s.levels.store, MaxBody: int64(c.MaxBody),
		Spool: c.Spool, StaleIfError: c.StaleIfError.Std(), FillTimeout: c.FillTimeout.Std(),
		Encodings: c.Encodings,
		OnError:   s.say,
	}
}

// say says what went wrong. That an origin is left alone was said when it failed.
func (s *Server) say(err error) {
	if open := (*OpenError)(nil); !errors.As(err, &open) {
		s.options.Say(err.Error())
	}
}

// watch starts the checks of an origin, and reports what it does.
func (s *Server) watch(o *origin) {
	o.leave = s.parts.Add(o)
	s.watching.Add(1)
	o.watch(s.options.Say, s.watching.Done)
}

// ServeHTTP answers a request of a client. Serve calls it for all that come in; a program may put
// it behind a listener of its own instead.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	st, last := s.now.Load(), isLast(r)
	if st.log == nil && !last && r.ProtoMajor < 2 {
		st.answer(w, r)
		return
	}
	out := &reply{ResponseWriter: w, last: last}
	if r.ProtoMajor >= 2 {
		out.stall = st.config.Limits.Stall.Std()
		defer out.finish()
	}
	if st.log == nil {
		st.answer(out, r)
		return
	}
	s.answerLogged(out, r)
}

// isLast reports whether a connection must end after the answer to r, since r may look different to
// somebody else. net/http takes a chunked body for what it is, and hides that there was a
// Content-Length too; and it ignores chunks of HTTP/1.0, so that they would be read as the next
// request. The client may share the connection with others, behind a proxy that counts differently.
func isLast(r *http.Request) bool {
	return r.ProtoMajor == 1 && (r.ProtoMinor == 0 || len(r.TransferEncoding) > 0)
}

// answerLogged answers a request and writes it to the log, even if the answer was broken off.
func (s *Server) answerLogged(w *reply, r *http.Request) {
	began := time.Now()
	r, result := tracked(r)
	defer func() {
		if st := s.now.Load(); st.log != nil {
			st.note(w, &access{request: r, began: began, took: time.Since(began), result: *result})
		}
	}()
	s.now.Load().answer(w, r)
}

// tracked returns r, and where the cache writes how it was answered.
func tracked(r *http.Request) (*http.Request, *httpcache.Result) {
	ctx, result := httpcache.Track(r.Context())
	return r.WithContext(ctx), result
}

// note completes what is known of a request and writes it to the log.
func (st *state) note(w *reply, a *access) {
	a.client = st.trusted.client(a.request)
	a.code, a.bytes = w.code, w.bytes
	if a.code == 0 {
		a.code = http.StatusOK // which the server sends where the cache says nothing
	}
	if a.request.Method == http.MethodHead {
		a.bytes = 0
	}
	line := spareLines.Get().(*[]byte)
	defer spareLines.Put(line)
	*line = st.format((*line)[:0], a)
	st.log.add(*line)
}

// Close ends the server at once: requests under way are cut. It may be called twice, and after
// Serve.
func (s *Server) Close() (err error) {
	s.closing.Do(func() { err = s.close() })
	return err
}

func (s *Server) close() error {
	err := s.doors.close()
	if s.dash != nil {
		err = errors.Join(err, s.dash.Close())
	}
	st := s.now.Load()
	if st != nil {
		for _, o := range st.origins {
			o.drop()
		}
	}
	s.watching.Wait()
	if s.cache != nil {
		err = errors.Join(err, s.cache.Close())
	}
	if st != nil && st.log != nil {
		err = errors.Join(err, st.log.Close())
	}
	return errors.Join(err, s.levels.close())
}
