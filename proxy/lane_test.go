// lane_test.go is about connections on which hits follow one another: how long they live, who may
// cut them, and what a purge leaves of them.

package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/proxy"
)

// hot is a connection on which the next hit is answered beside net/http.
type hot struct {
	net.Conn
	*bufio.Reader
}

// Read implements io.Reader, where both have it.
func (h *hot) Read(p []byte) (int, error) { return h.Reader.Read(p) }

// heat connects, and asks for a path twice.
func heat(t *testing.T, s *served, path string) *hot {
	t.Helper()
	c := narrow(t, s, 32<<10)
	h := &hot{c, bufio.NewReader(c)}
	for range 2 {
		if _, status := h.ask(t, http.MethodHead, path); status != 200 {
			t.Fatalf("%s: %d", path, status)
		}
	}
	return h
}

// send asks for a path.
func (h *hot) send(method, path string) {
	fmt.Fprintf(h, "%s %s HTTP/1.1\r\nHost: a\r\n\r\n", method, path)
}

// ask asks for a path, and returns the body and the status.
func (h *hot) ask(t *testing.T, method, path string) (string, int) {
	t.Helper()
	h.send(method, path)
	return h.answer(t, method)
}

func (h *hot) answer(t *testing.T, method string) (string, int) {
	t.Helper()
	resp, err := http.ReadResponse(h.Reader, &http.Request{Method: method})
	if err != nil {
		t.Errorf("%s: %v", method, err)
		return "", 0
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("%s: body: %v", method, err)
	}
	return string(body), resp.StatusCode
}

// serveWarm keeps the large body, under a Host that hot connections send.
func serveWarm(t *testing.T, change ...func(*proxy.Config)) *served {
	t.Helper()
	s := serveLarge(t, change...)
	r := request(t, http.MethodGet, s.url("/"), "")
	r.Host = "a"
	do(t, client(t), r)
	return s
}

func TestConnectionOfHitsStaysAndOneThatIsIdleEnds(t *testing.T) {
	const idle = time.Second // long enough for a busy machine to begin
	s := serveWarm(t, func(c *proxy.Config) {
		c.Limits.Idle, c.Limits.ReadHeader = proxy.Duration(idle), proxy.Duration(idle)
	})
	inTime(t, func() error {
		h := heat(t, s, "/")
		for end := time.Now().Add(3 * idle); time.Now().Before(end); time.Sleep(idle / 10) {
			h.send(http.MethodHead, "/")
			resp, err := http.ReadResponse(h.Reader, &http.Request{Method: http.MethodHead})
			if err != nil || resp.StatusCode != 200 {
				return fmt.Errorf("a connection that is used: %v, %w", resp, err)
			}
		}
		began := time.Now()
		h.SetReadDeadline(began.Add(20 * time.Second))
		if _, err := h.ReadByte(); err != io.EOF {
			t.Errorf("an idle connection: %v, want its end", err)
		}
		if took := time.Since(began); took < idle/2 {
			return fmt.Errorf("cut after %v", took)
		}
		return nil
	})
}

// TestCutsAClientThatTakesNothingOfAHit asks on, as well: what was not taken must not be
// followed by another answer.
func TestCutsAClientThatTakesNothingOfAHit(t *testing.T) {
	s := serveWarm(t)
	h := heat(t, s, "/")
	awaitConnections(t, s, 2) // that of the first client is idle
	h.send(http.MethodGet, "/")
	h.Peek(1)
	h.send(http.MethodGet, "/other")
	awaitConnections(t, s, 1)
	h.SetReadDeadline(time.Now().Add(20 * time.Second))
	text, _ := io.ReadAll(h)
	if n := strings.Count(string(text), "HTTP/1.1"); n != 1 || len(text) >= len(large) {
		t.Errorf("%d answers, %d bytes; want a part of one", n, len(text))
	}
}

func TestSparesAClientThatIsSlowToTakeAHit(t *testing.T) {
	s := serveWarm(t)
	inTime(t, func() error {
		h := heat(t, s, "/")
		h.send(http.MethodGet, "/")
		p := make([]byte, 64<<10)
		for end := time.Now().Add(4 * stall); time.Now().Before(end); time.Sleep(stall / 10) {
			if _, err := io.ReadFull(h, p); err != nil {
				return fmt.Errorf("a client that reads was cut: %w", err)
			}
		}
		rest, err := io.Copy(io.Discard, io.LimitReader(h, int64(len(large)/2)))
		if err != nil || rest != int64(len(large)/2) {
			return fmt.Errorf("then %d bytes, %v", rest, err)
		}
		return nil
	})
}

func TestServeEndsWhenAHitIsOut(t *testing.T) {
	s := serveWarm(t, func(c *proxy.Config) { c.Limits.Stall = proxy.Duration(20 * time.Second) })
	h := heat(t, s, "/")
	h.send(http.MethodGet, "/")
	h.Peek(1)
	s.stop()
	select {
	case <-s.ended:
		t.Error("the server has ended while an answer was under way")
	case <-time.After(50 * time.Millisecond): // to see nothing there is only to wait
	}
	if body, _ := h.answer(t, http.MethodGet); body != string(large) {
		t.Errorf("%d bytes of %d", len(body), len(large))
	}
	if _, err := h.ReadByte(); err != io.EOF {
		t.Errorf("then %v, want the end", err)
	}
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
	close(s.ended)
}

func TestServeEndsThoughNobodyTakesAHit(t *testing.T) {
	s := serveWarm(t, func(c *proxy.Config) {
		c.Limits.Stall, c.Limits.Shutdown = proxy.Duration(time.Minute), proxy.Duration(stall)
	})
	h := heat(t, s, "/")
	h.send(http.MethodGet, "/")
	h.Peek(1)
	began := time.Now()
	s.stop()
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
	close(s.ended)
	if took := time.Since(began); took > 20*stall {
		t.Errorf("it took %v", took)
	}
}

func TestServerEndsWithHotConnections(t *testing.T) {
	s := serveWarm(t)
	for range 20 {
		heat(t, s, "/")
	}
	began := time.Now()
	s.stop()
	<-s.ended
	close(s.ended)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v to close connections that are idle", took)
	}
	if n := s.Stats().Connections; n != 0 {
		t.Errorf("%d connections are counted still", n)
	}
}

// TestNoHitIsOlderThanItsPurge changes what the origin has, and purges, while it is asked for on
// connections that are hot: what is sent after a purge must be answered by what came after it.
func TestNoHitIsOlderThanItsPurge(t *testing.T) {
	var version, purged atomic.Int64
	c := config(newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Header().Set("Cache-Control", "max-age=60")
		}
		fmt.Fprint(w, version.Load())
	}))
	c.Admin.Listen, c.Admin.Token = loopback, "0123456789abcdef"
	s := serve(t, c)
	over := make(chan struct{})
	var wait sync.WaitGroup
	for range 4 {
		h := heat(t, s, "/v")
		wait.Go(func() {
			for done := false; !done; {
				select {
				case <-over:
					done = true // after one more look
				default:
				}
				least, got := purged.Load(), int64(-1)
				body, _ := h.ask(t, http.MethodGet, "/v")
				if fmt.Sscan(body, &got); got < least {
					t.Errorf("got %d after version %d was purged", got, least)
					return
				}
			}
		})
	}
	posts := heat(t, s, "/v")
	for i := range 60 {
		next := version.Add(1)
		if i%3 == 2 { // outdates what is kept, too (RFC 9111, section 4.4)
			io.WriteString(posts, "POST /v HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
			posts.answer(t, http.MethodPost)
		} else {
			purge(t, s, fmt.Sprintf("url=http://a/v&soft=%d", i%3))
		}
		purged.Store(next)
	}
	close(over)
	wait.Wait()
}

// purge gives the order to purge.
func purge(t *testing.T, s *served, what string) {
	t.Helper()
	r := request(t, http.MethodPost, "http://"+s.Addrs().Admin.String()+"/purge?"+what, "")
	r.Header.Set("Authorization", "Bearer 0123456789abcdef")
	if resp, text := do(t, client(t), r); resp.StatusCode != 200 {
		t.Fatalf("purge: %s %s", resp.Status, text)
	}
}

// TestNoHitIsOlderThanItsFreshness asks until what was kept has expired. What is kept is the time
// of its load.
func TestNoHitIsOlderThanItsFreshness(t *testing.T) {
	s := serve(t, config(newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=1")
		fmt.Fprint(w, time.Now().UnixNano())
	})))
	h := heat(t, s, "/v")
	first, _ := h.ask(t, http.MethodGet, "/v")
	loaded, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	for {
		asked := time.Now()
		if body, _ := h.ask(t, http.MethodGet, "/v"); body != first {
			return
		}
		if asked.Sub(time.Unix(0, loaded)) > 2*time.Second {
			t.Fatal("what has expired is served")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestManyConnectionsOfMixedTraffic is for the race detector.
func TestManyConnectionsOfMixedTraffic(t *testing.T) {
	c := config(newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/none") {
			w.Header().Set("Cache-Control", "max-age=60")
		}
		fmt.Fprint(w, r.URL.Path)
	}))
	s := serve(t, c, func(o *proxy.Options) { o.Load = func() (proxy.Config, error) { return c, nil } })
	ctx, stop := context.WithCancel(context.Background())
	var wait, reloads sync.WaitGroup
	reloads.Go(func() {
		for ctx.Err() == nil {
			if _, err := s.Reload(); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for i := range 64 {
		wait.Go(func() {
			h := heat(t, s, "/hot")
			for j := range 50 {
				path := fmt.Sprintf("/%d", (i+j)%7)
				if j%10 == 9 {
					path = "/none" + path
				}
				if body, _ := h.ask(t, http.MethodGet, path); body != path {
					t.Errorf("%q answers %s", body, path)
					return
				}
			}
		})
	}
	wait.Wait()
	stop()
	reloads.Wait()
}
