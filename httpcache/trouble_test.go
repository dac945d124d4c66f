// trouble_test.go puts the proxy in front of origins that misbehave in every way known.

package httpcache_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/httpcache"
)

// outcome is what a client without a stale response to fall back on has to get.
type outcome int

const (
	broken        outcome = iota // 502: what came is no response
	late                         // 504: nothing came in time
	brokenOrLate                 // one of both
	cut                          // an error, after the header or in its place: no whole body
	whole                        // the response of the origin
	wholeOrBroken                // that, in a form that nobody can mistake, or 502
)

// trouble is an origin that misbehaves.
type trouble struct {
	name   string
	want   outcome
	bytes  string         // what it sends before it closes the connection
	script func(*rawConn) // what it does instead
	status int            // of the response, where it is to reach the client; 0 means 200
	body   string         // of that
}

const (
	fillTimeout = 300 * time.Millisecond
	slowly      = 50 * time.Millisecond // fast enough for a body, too slow for a header
	ok          = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n"
	ofTen       = ok + "Content-Length: 10\r\n\r\n"
	inChunks    = ok + "Transfer-Encoding: chunked\r\n\r\n"
	poison      = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 6\r\n\r\npoison"
)

// troubles lists the ways to misbehave.
var troubles = []trouble{
	{name: "closes before the header", want: broken},
	{name: "resets before the header", want: broken, script: (*rawConn).reset},
	{name: "hangs before the header", want: late, script: (*rawConn).hang},
	{name: "hangs in the header", want: late, script: sayThenHang(ok)},
	{name: "sends the header byte by byte", want: late, script: func(c *rawConn) {
		c.dribble(ok+"Content-Length: 0\r\n\r\n", slowly)
	}},
	{name: "closes in the header", want: broken, bytes: ok},

	{name: "garbage", want: broken, bytes: "\x00\x16\x03\x01\xff\xfe\r\n\r\n\x80"},
	{name: "a page without a header", want: broken, bytes: "<html><body>hello</body></html>"},
	{name: "another protocol", want: broken, bytes: "SSH-2.0-OpenSSH_9.2p1\r\n"},
	{name: "status of letters", want: broken, bytes: "HTTP/1.1 abc OK\r\n\r\n"},
	{name: "status of two digits", want: broken, bytes: "HTTP/1.1 20 OK\r\n\r\n"},
	{name: "status of four digits", want: broken, bytes: "HTTP/1.1 2000 OK\r\n\r\n"},
	{name: "status 099", want: broken, bytes: "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"},
	{name: "status 000", want: broken, bytes: "HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n"},
	{name: "status with a sign", want: broken,
		bytes: "HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n"},
	{name: "no status", want: broken, bytes: "HTTP/1.1\r\n\r\n"},
	{name: "101 unasked", want: broken,
		bytes: "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nhello"},

	{name: "field without a colon", want: broken, bytes: ok + "hello\r\n\r\n"},
	{name: "field name with a space", want: wholeOrBroken, body: "hello",
		bytes: ok + "X Y: z\r\nContent-Length: 5\r\n\r\nhello"},
	{name: "space before the colon", want: wholeOrBroken, body: "hello",
		bytes: ok + "Content-Length : 5\r\n\r\nhello"},
	{name: "NUL in a field", want: wholeOrBroken, body: "hello",
		bytes: ok + "X: a\x00b\r\nContent-Length: 5\r\n\r\nhello"},
	{name: "bare CR in a field", want: wholeOrBroken,
		bytes: ok + "X: a\rSet-Cookie: b\r\nContent-Length: 5\r\n\r\nhello", body: "hello"},
	{name: "folded field", want: wholeOrBroken,
		bytes: ok + "X: a\r\n b\r\nContent-Length: 5\r\n\r\nhello", body: "hello"},
	{name: "folded length", want: broken, bytes: ok + "Content-Length: 5\r\n 0\r\n\r\nhello"},
	{name: "endless field", want: broken, script: sayThenRepeat(ok+"X: ", "aaaaaaaa")},
	{name: "endless fields", want: broken, script: sayThenRepeat(ok, "X-Y: z\r\n")},
	{name: "endless status line", want: broken,
		script: sayThenRepeat("HTTP/1.1 200 ", "aaaaaaaa")},
	{name: "100 000 fields", want: broken, script: manyFields()},
	{name: "endless 1xx", want: brokenOrLate,
		script: sayThenRepeat("", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")},
	{name: "endless 100", want: brokenOrLate,
		script: sayThenRepeat("", "HTTP/1.1 100 Continue\r\n\r\n")},
	{name: "1xx and no more", want: late, script: sayThenHang("HTTP/1.1 103 Early Hints\r\n\r\n")},

	{name: "negative length", want: broken, bytes: ok + "Content-Length: -1\r\n\r\nhello"},
	{name: "length with a sign", want: broken, bytes: ok + "Content-Length: +5\r\n\r\nhello"},
	{name: "length in hex", want: broken, bytes: ok + "Content-Length: 0x5\r\n\r\nhello"},
	{name: "length over 2^63", want: broken,
		bytes: ok + "Content-Length: 99999999999999999999\r\n\r\nhello"},
	{name: "two lengths", want: broken,
		bytes: ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"},
	{name: "two lengths in one field", want: broken,
		bytes: ok + "Content-Length: 5, 6\r\n\r\nhello!"},
	{name: "one length twice", want: wholeOrBroken,
		bytes: ok + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", body: "hello"},
	{name: "length and chunks", want: wholeOrBroken, body: "hello",
		bytes: ok + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},

	{name: "closes in the body", want: cut, bytes: ofTen + "hello"},
	{name: "closes before the body", want: cut, bytes: ofTen},
	{name: "hangs in the body", want: cut, script: sayThenHang(ofTen + "hello")},
	{name: "hangs before the body", want: cut, script: sayThenHang(ofTen)},
	{name: "resets a body without length", want: cut, script: func(c *rawConn) {
		c.say(ok + "\r\nhello")
		time.Sleep(slowly) // a reset also takes back what has not been read
		c.reset()
	}},
	{name: "closes between chunks", want: cut,
		bytes: inChunks + "5\r\nhello\r\n"},
	{name: "closes in a chunk", want: cut,
		bytes: inChunks + "10\r\nhello"},
	{name: "closes after the last chunk", want: cut,
		bytes: inChunks + "5\r\nhello\r\n0\r\n"},
	{name: "chunk of garbage size", want: cut,
		bytes: inChunks + "5\r\nhello\r\nxyz\r\nhello\r\n0\r\n\r\n"},
	{name: "chunk of huge size", want: cut,
		bytes: inChunks + "5\r\nhello\r\nfffffffffffffffff\r\nhello"},
	{name: "chunk that is longer than it says", want: cut,
		bytes: inChunks + "3\r\nhello\r\n0\r\n\r\n"},
	{name: "endless chunk extension", want: cut,
		script: sayThenRepeat(inChunks+"5;", "aaaaaaaa")},
	{name: "endless trailer", want: cut,
		script: sayThenRepeat(inChunks+"5\r\nhello\r\n0\r\n", "X-Y: z\r\n")},

	{name: "body longer than its length", want: whole, body: "hello",
		bytes: ok + "Content-Length: 5\r\n\r\nhello" + poison},
	{name: "204 with a body", want: whole, status: 204,
		bytes: "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello" + poison},
	{name: "a body slowly", want: whole, body: "0123456789", script: func(c *rawConn) {
		c.say("%s", ofTen)
		c.dribble("0123456789", slowly)
	}},
	{name: "a redirect to itself", want: whole, status: 302, body: "again",
		bytes: "HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 5\r\n\r\nagain"},
	{name: "HTTP/1.0", want: whole, body: "hello",
		bytes: "HTTP/1.0 200 OK\r\nCache-Control: max-age=60\r\n\r\nhello"},
}

func sayThenHang(text string) func(*rawConn) {
	return func(c *rawConn) {
		c.say("%s", text)
		c.hang()
	}
}

// sayThenRepeat says text and then more without end.
func sayThenRepeat(text, more string) func(*rawConn) {
	block := bytes.Repeat([]byte(more), 32<<10/len(more))
	return func(c *rawConn) {
		c.say("%s", text)
		c.repeat(block)
	}
}

// manyFields has 100 000 fields, in 2 MB.
func manyFields() func(*rawConn) {
	wire := []byte(ok)
	for i := range 100_000 {
		wire = fmt.Appendf(wire, "X-Field-%d: %d\r\n", i, i)
	}
	wire = append(wire, "Content-Length: 5\r\n\r\nhello"...)
	return func(c *rawConn) { c.Write(wire) }
}

// run is the script of the trouble.
func (tr trouble) run(c *rawConn) {
	if tr.script != nil {
		tr.script(c)
		return
	}
	c.say("%s", tr.bytes)
}

// healthy answers with a body that names the path.
func healthy(c *rawConn) {
	body := "healthy " + c.req.URL.Path
	c.say(ok+"Content-Length: %d\r\n\r\n%s", len(body), body)
}

// alreadyStale answers with what was fresh a while ago.
func alreadyStale(directives string) func(*rawConn) {
	return func(c *rawConn) {
		c.say("HTTP/1.1 200 OK\r\nCache-Control: max-age=1%s\r\nAge: 100\r\nETag: \"old\"\r\n"+
			"Content-Length: 5\r\n\r\nstale", directives)
	}
}

// troubleCost is how much may be allocated in all while an origin misbehaves, in bytes.
const troubleCost = 32 << 20

// allocated returns how many bytes are allocated while f runs.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// inTrouble asks for /a of an origin in trouble.
func inTrouble(t *testing.T, f *rawFront, o *rawOrigin, tr trouble) (a rawAnswer) {
	t.Helper()
	o.answer(tr.run)
	if n := allocated(func() { a = f.get("/a") }); n > troubleCost {
		t.Errorf("the trouble cost %d bytes", n)
	}
	return a
}

func TestAnOriginInTroubleIsAnError(t *testing.T) {
	for _, tr := range troubles {
		t.Run(tr.name, func(t *testing.T) {
			leavesNothing(t)
			o := newRawOrigin(t, healthy)
			f := newRawFront(t, o, httpcache.Options{FillTimeout: fillTimeout})
			if a := inTrouble(t, f, o, tr); !tr.accepts(a) {
				t.Errorf("got %v", a)
			}
			o.answer(healthy)
			again := f.get("/a")
			if !isHealthy(again, "/a") && !(tr.want >= whole && tr.isWhole(again)) {
				t.Errorf("afterwards: got %v", again)
			}
			if other := f.get("/b"); !isHealthy(other, "/b") {
				t.Errorf("afterwards, another URL: got %v", other)
			}
		})
	}
}

// accepts reports whether a is what a client has to get.
func (tr trouble) accepts(a rawAnswer) bool {
	is := func(status int) bool { return a.err == nil && a.status == status && a.body != "hello" }
	switch tr.want {
	case broken:
		return is(http.StatusBadGateway)
	case late:
		return is(http.StatusGatewayTimeout)
	case brokenOrLate:
		return is(http.StatusBadGateway) || is(http.StatusGatewayTimeout)
	case cut:
		return a.err != nil || is(http.StatusBadGateway) || is(http.StatusGatewayTimeout)
	case wholeOrBroken:
		return tr.isWhole(a) || is(http.StatusBadGateway)
	}
	return tr.isWhole(a)
}

// isWhole reports whether a is the response of the origin.
func (tr trouble) isWhole(a rawAnswer) bool {
	return a.err == nil && a.status == cmp.Or(tr.status, http.StatusOK) && a.body == tr.body
}

func isHealthy(a rawAnswer, path string) bool {
	return a.err == nil && a.status == http.StatusOK && a.body == "healthy "+path
}

func isStale(a rawAnswer) bool {
	return a.err == nil && a.status == http.StatusOK && a.body == "stale"
}

func TestAnOriginInTroubleIsReplacedByWhatIsStale(t *testing.T) {
	for _, tr := range troubles {
		t.Run(tr.name, func(t *testing.T) {
			leavesNothing(t)
			o := newRawOrigin(t, alreadyStale(""))
			f := newRawFront(t, o, httpcache.Options{
				FillTimeout: fillTimeout, StaleIfError: time.Hour,
			})
			if a := f.get("/a"); !isStale(a) {
				t.Fatalf("got %v", a)
			}
			a := inTrouble(t, f, o, tr)
			if !isStale(a) && (tr.want < cut || !tr.accepts(a)) {
				t.Errorf("got %v", a)
			}
			o.answer(healthy)
			tr.awaitHealth(t, f)
		})
	}
}

// awaitHealth asks until the answer is no longer what the cache has to fall back on. Nothing else
// may come meanwhile.
func (tr trouble) awaitHealth(t *testing.T, f *rawFront) {
	t.Helper()
	for late := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		switch a := f.get("/a"); {
		case isHealthy(a, "/a"), tr.want >= whole && tr.isWhole(a):
			return
		case !isStale(a):
			t.Fatalf("afterwards: got %v", a)
		case time.Now().After(late):
			t.Fatalf("the origin is well again, and still: got %v", a)
		}
	}
}

func TestAnOriginThatIsGoneIsReplacedByWhatIsStale(t *testing.T) {
	leavesNothing(t)
	o := newRawOrigin(t, alreadyStale(""))
	f := newRawFront(t, o, httpcache.Options{FillTimeout: fillTimeout, StaleIfError: time.Hour})
	f.get("/a")
	o.stop()
	if a := f.get("/a"); !isStale(a) {
		t.Errorf("what is stale: got %v", a)
	}
	if a := f.get("/b"); a.status != http.StatusBadGateway || a.err != nil {
		t.Errorf("what is not kept: got %v", a)
	}
	o.answer(healthy)
	o.start()
	if a := f.get("/b"); !isHealthy(a, "/b") {
		t.Errorf("the origin is back: got %v", a)
	}
	trouble{}.awaitHealth(t, f)
}

func TestABodyThatIsCutDoesNotReplaceWhatIsStale(t *testing.T) {
	for _, tr := range troubles {
		if tr.want != cut {
			continue
		}
		t.Run(tr.name, func(t *testing.T) {
			leavesNothing(t)
			o := newRawOrigin(t, alreadyStale(""))
			f := newRawFront(t, o, httpcache.Options{
				FillTimeout: fillTimeout, StaleIfError: time.Hour,
			})
			f.get("/a")
			inTrouble(t, f, o, tr)
			o.stop()
			if a := f.get("/a"); !isStale(a) {
				t.Errorf("got %v", a)
			}
		})
	}
}

// A load that has failed is over when its client hears of it: who asks then gets another.
func TestWhoAsksAfterACutBodyGetsAnother(t *testing.T) {
	leavesNothing(t)
	o := newRawOrigin(t, healthy)
	f := newRawFront(t, o, httpcache.Options{})
	for i := range 300 {
		path := fmt.Sprint("/", i)
		o.answer(func(c *rawConn) { c.say("%s", ofTen+"hello") })
		if a := f.get(path); a.err == nil {
			t.Fatalf("cut: got %v", a)
		}
		o.answer(healthy)
		if a := f.get(path); !isHealthy(a, path) {
			t.Fatalf("after %d others: got %v", i, a)
		}
	}
}

func TestWhatMustBeRevalidatedIsNeverServedStale(t *testing.T) {
	for _, directive := range []string{
		"must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=1",
	} {
		t.Run(directive, func(t *testing.T) {
			leavesNothing(t)
			o := newRawOrigin(t, alreadyStale(", "+directive))
			f := newRawFront(t, o, httpcache.Options{
				FillTimeout: fillTimeout, StaleIfError: time.Hour,
			})
			f.get("/a")
			o.answer((*rawConn).hang)
			if a := f.get("/a"); a.status != http.StatusGatewayTimeout || a.err != nil {
				t.Errorf("it hangs: got %v", a)
			}
			o.stop()
			a := f.get("/a")
			if a.status != http.StatusBadGateway && a.status != http.StatusGatewayTimeout {
				t.Errorf("it is gone: got %v", a)
			}
		})
	}
}

func TestAnErrorOfTheOriginIsReplacedByWhatIsStale(t *testing.T) { // RFC 5861, section 4
	for status, replaced := range map[int]bool{
		500: true, 502: true, 503: true, 504: true, 501: false, 404: false, 410: false, 403: false,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			leavesNothing(t)
			o := newRawOrigin(t, alreadyStale(""))
			f := newRawFront(t, o, httpcache.Options{StaleIfError: time.Hour})
			f.get("/a")
			o.answer(func(c *rawConn) {
				c.say("HTTP/1.1 %d Sorry\r\nContent-Length: 5\r\n\r\nsorry", status)
			})
			a := f.get("/a")
			if replaced != isStale(a) || !replaced && (a.status != status || a.body != "sorry") {
				t.Errorf("got %v", a)
			}
		})
	}
}

// patient reads from r as much as n bytes and returns how many came.
func patient(r io.Reader, n int64) int64 {
	w := struct{ io.Writer }{io.Discard} // which has no ReadFrom
	got, _ := io.CopyBuffer(w, io.LimitReader(r, n), make([]byte, 64<<10))
	return got
}

const bigBody = 64 << 20

func TestABodyOverMaxBodyArrivesWholeAndIsNotKept(t *testing.T) {
	block := bytes.Repeat([]byte("0123456789abcdef"), 4<<10)
	for name, header := range map[string]string{
		"known length": fmt.Sprint("Content-Length: ", bigBody, "\r\n"), "to the end": "",
	} {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t)
			o := newRawOrigin(t, func(c *rawConn) {
				c.say("%s", ok+header+"\r\n")
				for range bigBody / len(block) {
					c.Write(block)
				}
			})
			f := newRawFront(t, o, httpcache.Options{MaxBody: 1 << 20})
			for n := range int64(2) {
				cost := allocated(func() {
					c := f.dial("/a")
					defer c.Close()
					if got := patient(c, 2*bigBody); got < bigBody {
						t.Errorf("got %d bytes", got)
					}
				})
				if cost > troubleCost {
					t.Errorf("it cost %d bytes", cost)
				}
				if got := o.requests.Load(); got != n+1 {
					t.Errorf("%d requests reached the origin, want %d", got, n+1)
				}
			}
		})
	}
}

func TestAnEndlessBodyEndsWithItsClient(t *testing.T) {
	for name, text := range map[string]string{
		"to the end": ok + "\r\n", "one chunk": inChunks + "7fffffffffff\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t)
			ended := make(chan struct{})
			o := newRawOrigin(t, func(c *rawConn) {
				defer close(ended)
				sayThenRepeat(text, strings.Repeat("a", 1<<10))(c)
			})
			f := newRawFront(t, o, httpcache.Options{MaxBody: 1 << 20, FillTimeout: fillTimeout})
			cost := allocated(func() {
				c := f.dial("/a")
				if got := patient(c, bigBody); got != bigBody {
					t.Errorf("got %d bytes", got)
				}
				c.Close()
				select {
				case <-ended:
				case <-time.After(patience):
					t.Error("the client has gone, and the origin is still asked for more")
				}
			})
			if cost > troubleCost {
				t.Errorf("it cost %d bytes", cost)
			}
		})
	}
}
