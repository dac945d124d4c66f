// rush_test.go lets many clients ask for one thing at once, of an origin that takes its time.

package httpcache_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/store/disk"
)

const crowd = 500

// gate is an origin that holds its answer back until it is opened.
type gate struct {
	*rawOrigin
	opened chan struct{}
}

func newGate(t testing.TB, script func(*rawConn)) *gate {
	g := &gate{opened: make(chan struct{})}
	g.rawOrigin = newRawOrigin(t, func(c *rawConn) {
		select {
		case <-g.opened:
			script(c)
		case <-t.Context().Done():
		}
	})
	return g
}

// visitor is a client that reads as little as it can at a time, so that 500 of them cost little.
type visitor struct {
	conn  net.Conn
	wire  []byte
	first time.Time // when the first byte of the body was there
}

// rush lets n clients ask for path and waits until the proxy has heard all of them.
func (f *rawFront) rush(n int, path string, lines ...string) []*visitor {
	f.t.Helper()
	before := f.asked.Load()
	all := make([]*visitor, n)
	for i := range all {
		all[i] = &visitor{conn: f.dial(path, lines...)}
		f.t.Cleanup(func() { all[i].conn.Close() })
	}
	f.awaitAsked(before + int64(n))
	return all
}

// awaitAsked waits until n requests have reached the proxy.
func (f *rawFront) awaitAsked(n int64) {
	f.t.Helper()
	for late := time.Now().Add(patience); f.asked.Load() < n; time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			f.t.Fatalf("%d requests reached the proxy, want %d", f.asked.Load(), n)
		}
	}
}

// readFirst reads until there is a byte of the body.
func (v *visitor) readFirst() error {
	v.wire = make([]byte, 0, 4<<10)
	for {
		n, err := v.conn.Read(v.wire[len(v.wire):cap(v.wire)])
		v.first = time.Now()
		v.wire = v.wire[:len(v.wire)+n]
		if head := bytes.Index(v.wire, []byte("\r\n\r\n")); head >= 0 && len(v.wire) > head+4 {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// readAll reads to the end.
func (v *visitor) readAll() (rawAnswer, error) {
	rest, err := io.ReadAll(v.conn)
	return parseRaw(append(v.wire, rest...)), err
}

// each calls do for all at once, and returns the first error.
func each(all []*visitor, do func(*visitor) error) error {
	errs := make(chan error, len(all))
	for _, v := range all {
		go func() { errs <- do(v) }()
	}
	var first error
	for range all {
		if err := <-errs; first == nil {
			first = err
		}
	}
	return first
}

// wantAll checks that all get the same body, whole.
func wantAll(t *testing.T, all []*visitor, body string) {
	t.Helper()
	if err := each(all, func(v *visitor) error {
		a, err := v.readAll()
		if err != nil || a.err != nil || a.body != body {
			return fmt.Errorf("got %v, %v", a, err)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// wantRequests checks how often the origin was asked.
func wantRequests(t *testing.T, o *rawOrigin, want int64) {
	t.Helper()
	if got := o.requests.Load(); got != want {
		t.Errorf("%d requests reached the origin, want %d", got, want)
	}
}

const slowText = "0123456789abcdefghij"

// dribbling answers with slowText byte by byte, the first one with the header.
func dribbling(c *rawConn) {
	c.say(ok+"Content-Length: %d\r\n\r\n%s", len(slowText), slowText[:1])
	c.dribble(slowText[1:], 10*time.Millisecond)
}

// firstByteLimit is how long the first byte may take from the origin to all.
const firstByteLimit = 20 * time.Millisecond

// A machine that is busy, or looks for races, can only make it slower, so one good round is enough.
// Where 20 ms are too little for net/http to write a byte to 500 clients, twice what that takes is.
func TestFiveHundredClientsShareOneSlowLoad(t *testing.T) {
	for round := 1; ; round++ {
		median, longest := firstBytes(t)
		t.Logf("first byte of the body after %v in the median, %v for the last of %d",
			median, longest, crowd)
		if longest <= firstByteLimit || t.Failed() {
			return
		}
		plain := plainFirstBytes(t)
		if longest <= 2*plain {
			return
		}
		if round == 20 {
			t.Fatalf("the last one had it after %v, want %v; from a plain handler it comes after %v",
				longest, firstByteLimit, plain)
		}
	}
}

// firstBytes lets 500 clients share a load, and returns how long the first byte of the origin took
// to reach them.
func firstBytes(t *testing.T) (median, longest time.Duration) {
	leavesNothing(t)
	var begun time.Time
	g := newGate(t, func(c *rawConn) {
		begun = time.Now()
		dribbling(c)
	})
	f := newRawFront(t, g.rawOrigin, httpcache.Options{})
	all := f.rush(crowd, "/a")
	go func() { close(g.opened) }()
	if err := each(all, (*visitor).readFirst); err != nil {
		t.Error(err)
	}
	wantAll(t, all, slowText)
	wantRequests(t, g.rawOrigin, 1)
	return tookFrom(begun, all)
}

// plainFirstBytes returns how long the last of 500 clients waits for a handler that has waited with
// all of them.
func plainFirstBytes(t *testing.T) time.Duration {
	leavesNothing(t)
	opened := make(chan struct{})
	f := serveRaw(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-opened
		io.WriteString(w, slowText)
	}))
	all := f.rush(crowd, "/a")
	begun := time.Now()
	go func() { close(opened) }()
	if err := each(all, (*visitor).readFirst); err != nil {
		t.Error(err)
	}
	_, longest := tookFrom(begun, all)
	return longest
}

// tookFrom returns how long it took from begun until all had a first byte.
func tookFrom(begun time.Time, all []*visitor) (median, longest time.Duration) {
	var took []time.Duration
	for _, v := range all {
		took = append(took, v.first.Sub(begun))
	}
	slices.Sort(took)
	return took[len(took)/2], took[len(took)-1]
}

func TestClientsThatLeaveTakeNothingFromThoseWhoStay(t *testing.T) {
	leavesNothing(t)
	g := newGate(t, dribbling)
	f := newRawFront(t, g.rawOrigin, httpcache.Options{})
	all := f.rush(crowd, "/a")
	close(g.opened)
	if err := each(all, (*visitor).readFirst); err != nil {
		t.Error(err)
	}
	leaving, staying := all[:crowd/2], all[crowd/2:]
	for _, v := range leaving {
		v.conn.Close()
	}
	wantAll(t, staying, slowText)
	wantRequests(t, g.rawOrigin, 1)
}

func TestTheFirstClientLeavesAndTheLoadGoesOn(t *testing.T) {
	for _, when := range []string{"before the header", "in the body"} {
		t.Run(when, func(t *testing.T) {
			leavesNothing(t)
			g := newGate(t, dribbling)
			f := newRawFront(t, g.rawOrigin, httpcache.Options{})
			first := f.rush(1, "/a")[0]
			await(t, "the request of the origin", func() bool { return g.requests.Load() == 1 })
			others := f.rush(50, "/a")
			if when == "before the header" {
				first.conn.Close()
			}
			close(g.opened)
			if when == "in the body" {
				first.readFirst()
				first.conn.Close()
			}
			wantAll(t, others, slowText)
			wantRequests(t, g.rawOrigin, 1)
		})
	}
}

func TestALoadThatAllHaveLeftIsKept(t *testing.T) {
	leavesNothing(t)
	g := newGate(t, dribbling)
	f := newRawFront(t, g.rawOrigin, httpcache.Options{})
	all := f.rush(10, "/a")
	for i, v := range all {
		if i > 0 {
			v.conn.Close()
		}
	}
	close(g.opened)
	all[0].readFirst()
	all[0].conn.Close()
	await(t, "the end of the load", func() bool { return f.cache.Stats().Entries == 1 })
	if a := f.get("/a"); a.body != slowText || a.err != nil {
		t.Errorf("got %v", a)
	}
	wantRequests(t, g.rawOrigin, 1)
}

// await waits for a condition.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for late := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// spoolBody is more than the memory of the caches it is meant for.
const spoolBody = 24 << 20

// writeBig writes spoolBody bytes, of which no eight are the same.
func writeBig(w io.Writer) {
	block := make([]byte, 0, 64<<10)
	for n := uint64(0); n < spoolBody/8; block = block[:0] {
		for ; len(block) < cap(block); n++ {
			block = binary.BigEndian.AppendUint64(block, n)
		}
		w.Write(block)
	}
}

func sendBig(c *rawConn, header string) {
	c.say("%s", ok+header+"\r\n")
	writeBig(c)
}

func bigSum() [32]byte {
	h := sha256.New()
	writeBig(h)
	return [32]byte(h.Sum(nil))
}

// sumBody reads a body to its end without keeping it, and returns its hash.
func (v *visitor) sumBody() (sum [32]byte, err error) {
	v.conn.SetDeadline(time.Now().Add(time.Minute))
	resp, err := http.ReadResponse(bufio.NewReader(v.conn), nil)
	if err != nil {
		return sum, err
	}
	defer resp.Body.Close()
	h := sha256.New()
	_, err = io.CopyBuffer(h, resp.Body, make([]byte, 32<<10))
	return [32]byte(h.Sum(nil)), err
}

func TestABodyLargerThanMemoryIsShared(t *testing.T) {
	leavesNothing(t)
	const readers = 8
	spool := t.TempDir()
	folder, err := disk.Open(t.TempDir(), disk.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	g := newGate(t, func(c *rawConn) {
		sendBig(c, fmt.Sprint("Content-Length: ", spoolBody, "\r\n"))
	})
	f := newRawFront(t, g.rawOrigin, httpcache.Options{
		Memory: 4 << 20, MaxBody: 64 << 20, Spool: spool, Store: folder,
	})
	all := f.rush(readers+1, "/a")
	idle, reading := all[0], all[1:] // one takes nothing, and holds nobody up
	want := bigSum()
	cost := allocated(func() {
		close(g.opened)
		wantSums(t, reading, want)
	})
	if cost > troubleCost {
		t.Errorf("a body of %d bytes cost %d", spoolBody, cost)
	}
	wantRequests(t, g.rawOrigin, 1)
	wantSums(t, []*visitor{idle}, want)
	if names, err := os.ReadDir(spool); err != nil || len(names) > 0 {
		t.Errorf("in the spool: %v, %v", names, err)
	}
	wantSums(t, f.rush(1, "/a"), want)
	wantRequests(t, g.rawOrigin, 1)
}

func TestABodyTooLargeToKeepReachesAllWhoWait(t *testing.T) {
	for name, header := range map[string]string{
		"known length": fmt.Sprint("Content-Length: ", spoolBody, "\r\n"), "to the end": "",
	} {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t)
			spool := t.TempDir()
			g := newGate(t, func(c *rawConn) { sendBig(c, header) })
			f := newRawFront(t, g.rawOrigin, httpcache.Options{Memory: 4 << 20, Spool: spool})
			all := f.rush(4, "/a")
			close(g.opened)
			wantSums(t, all, bigSum())
			if names, err := os.ReadDir(spool); err != nil || len(names) > 0 {
				t.Errorf("in the spool: %v, %v", names, err)
			}
		})
	}
}

func wantSums(t *testing.T, all []*visitor, want [32]byte) {
	t.Helper()
	if err := each(all, func(v *visitor) error {
		sum, err := v.sumBody()
		if err == nil && sum != want {
			err = fmt.Errorf("another body")
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// Who has waited for an answer that turns out to be for somebody else asks for one of their own,
// all at once: the origin answers nobody until half of them ask at the same time.
func TestWhatIsNotSharedIsAskedForByEachAtOnce(t *testing.T) {
	const clients = 100
	for _, line := range []string{
		"Cache-Control: private, max-age=60", "Cache-Control: no-store",
		"Cache-Control: max-age=60\r\nSet-Cookie: a=b", "Cache-Control: max-age=60\r\nVary: *",
	} {
		t.Run(line, func(t *testing.T) {
			leavesNothing(t)
			var asking atomic.Int64
			many := make(chan struct{})
			g := newGate(t, func(c *rawConn) {
				switch n := asking.Add(1); {
				case n == 1: // which the others wait for
				case n == 1+clients/2:
					close(many)
				default:
					select {
					case <-many:
					case <-t.Context().Done():
					}
				}
				body := c.req.Header.Get("X-Me")
				c.say("HTTP/1.1 200 OK\r\n%s\r\nContent-Length: %d\r\n\r\n%s",
					line, len(body), body)
			})
			f := newRawFront(t, g.rawOrigin, httpcache.Options{})
			f.wantOwn(g, clients, func(i int) string { return fmt.Sprint("client ", i) })
			wantRequests(t, g.rawOrigin, clients)
		})
	}
}

func TestVariantsOfWhatIsAskedForAtOnceAreNotMixedUp(t *testing.T) {
	leavesNothing(t)
	const clients, variants = 100, 4
	g := newGate(t, func(c *rawConn) {
		body := c.req.Header.Get("X-Me")
		c.say("%sVary: X-Me\r\nContent-Length: %d\r\n\r\n%s", ok, len(body), body)
	})
	f := newRawFront(t, g.rawOrigin, httpcache.Options{})
	f.wantOwn(g, clients, func(i int) string { return fmt.Sprint("variant ", i%variants) })
	if n := g.requests.Load(); n > 2*variants {
		t.Errorf("%d requests for %d variants", n, variants)
	}
}

// wantOwn lets clients ask at once, each with its name, opens the gate when the proxy has heard all
// of them, and checks that the answers name them.
func (f *rawFront) wantOwn(g *gate, clients int, name func(int) string) {
	f.t.Helper()
	all := make([]*visitor, clients)
	for i := range all {
		all[i] = &visitor{conn: f.dial("/a", "X-Me: "+name(i))}
		defer all[i].conn.Close()
	}
	f.awaitAsked(int64(clients))
	close(g.opened)
	for i, v := range all {
		if a, err := v.readAll(); err != nil || a.err != nil || a.body != name(i) {
			f.t.Errorf("%s: got %v, %v", name(i), a, err)
		}
	}
}
