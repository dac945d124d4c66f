// lane_internal_test.go holds what the lane answers against what net/http alone does.

package proxy

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/httpcache"
)

// twoDoors is a server with two addresses: one with lanes, one with net/http alone.
type twoDoors struct {
	*Server
	lane, plain string
	answered    atomic.Int64 // by lanes
}

func openTwoDoors(t *testing.T, origin http.HandlerFunc, change ...func(*Config)) *twoDoors {
	t.Helper()
	o := httptest.NewServer(origin)
	t.Cleanup(o.Close)
	c := Default()
	c.Listen = []string{"127.0.0.1:0", "127.0.0.1:0"}
	c.Sites = []Site{{Host: []string{"a"}, To: o.URL}}
	c.Cache.Encodings = []string{"gzip"}
	c.Limits.Shutdown = Duration(5 * time.Second)
	for _, f := range change {
		f(&c)
	}
	s, err := New(c, Options{Say: func(line string) { t.Log(line) }})
	if err != nil {
		t.Fatal(err)
	}
	d := &twoDoors{Server: s}
	plain := s.Addrs().Plain
	d.lane, d.plain = plain[0].String(), plain[1].String()
	first := s.doors.open[0].Listener.(*gated)
	wrap := first.wrap
	first.wrap = func(c *conn) net.Conn { return d.counted(wrap(c).(*lane)) }
	s.doors.open[1].Listener.(*gated).wrap = func(c *conn) net.Conn { return c }
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return d
}

func (d *twoDoors) counted(l *lane) *lane {
	express := l.express
	l.express = func(c io.Writer, r *http.Request) (bool, error) {
		ok, err := express(c, r)
		if ok {
			d.answered.Add(1)
		}
		return ok, err
	}
	return l
}

// pantry answers all kinds of answers. What begins with /keep is kept.
func pantry(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	h := w.Header()
	if !strings.HasPrefix(r.URL.Path, "/keep") {
		h.Set("Cache-Control", "no-store")
		if r.URL.Path == "/slow" {
			time.Sleep(3 * lookAfter) // an origin may
		}
		fmt.Fprintf(w, "%s %s %q", r.Method, r.URL.Path, body)
		return
	}
	h.Set("Cache-Control", "max-age=3600")
	h.Set("Last-Modified", "Sat, 01 Nov 2025 10:00:00 GMT")
	h.Set("Etag", `"`+r.URL.Path+`"`)
	text := strings.Repeat(r.URL.Path+" ", 10)
	switch r.URL.Path {
	case "/keep/404":
		w.WriteHeader(404)
	case "/keep/301":
		h.Set("Location", "/keep/a")
		w.WriteHeader(301)
	case "/keep/204":
		w.WriteHeader(204)
		return
	case "/keep/299":
		w.WriteHeader(299)
	case "/keep/503":
		w.WriteHeader(503)
	case "/keep/empty":
		return
	case "/keep/untyped":
		h["Content-Type"] = nil
	case "/keep/odd":
		h["X-Odd"] = []string{"", " ", "\xff\xe9", "a\tb"}
		h["x-lower"] = []string{"1", "2"}
		h.Set("Trailer", "X-End")
	case "/keep/vary":
		h.Set("Vary", "X-V")
		text = "variant " + r.Header.Get("X-V")
	case "/keep/large":
		text = numbered(300 << 10)
	}
	io.WriteString(w, text)
}

// numbered is text of a length that is different everywhere.
func numbered(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%07d ", i)
	}
	return b.String()[:n]
}

// warm fills the cache with what the pantry keeps.
func (d *twoDoors) warm(t *testing.T) {
	t.Helper()
	for _, k := range []string{
		"a", "404", "301", "204", "299", "503", "empty", "untyped", "odd", "vary", "large",
	} {
		for _, v := range []string{"1", "2"} {
			talk(t, d.plain, []ask{plainAsk("GET", "/keep/"+k, "X-V: "+v)}, nil)
		}
	}
	zipped := []ask{plainAsk("GET", "/keep/large", "Accept-Encoding: gzip")}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); { // it is made behind
		if strings.Contains(talk(t, d.plain, zipped, nil)[0], `Content-Encoding: ["gzip"]`) {
			return
		}
	}
	t.Fatal("nothing is compressed")
}

// ask is what a client sends at once: requests, whole or not, or what is none.
type ask struct {
	text    string
	methods []string // of the answers
	last    bool     // the connection ends
}

func plainAsk(method, target string, fields ...string) ask {
	text := method + " " + target + " HTTP/1.1\r\nHost: a\r\n"
	for _, f := range fields {
		text += f + "\r\n"
	}
	return ask{text: text + "\r\n", methods: []string{method}}
}

func lastAsk(text string, methods ...string) ask { return ask{text, methods, true} }

// hits are requests that a lane may answer.
var hits = []ask{
	plainAsk("GET", "/keep/a"),
	plainAsk("HEAD", "/keep/a"),
	plainAsk("GET", "/keep/a", "Connection: keep-alive", "User-Agent: x", "Accept: */*"),
	plainAsk("GET", "/keep/a", "Accept-Encoding: gzip"),
	plainAsk("HEAD", "/keep/a", "Accept-Encoding: gzip"),
	plainAsk("GET", "/keep/large", "Accept-Encoding: gzip"),
	plainAsk("GET", "/keep/large", "Accept-Encoding: gzip", "Range: bytes=5-20"),
	plainAsk("GET", "/keep/large"),
	plainAsk("GET", "/keep/large", "Range: bytes=7-200000"),
	plainAsk("GET", "/keep/large", "Range: bytes=7-90,200-40000,99999-"),
	plainAsk("GET", "/keep/a", "Range: bytes=2-5"),
	plainAsk("GET", "/keep/a", "Range: bytes=2-5", `If-Range: "/keep/a"`),
	plainAsk("GET", "/keep/a", "Range: bytes=2-5", `If-Range: "other"`),
	plainAsk("GET", "/keep/a", "Range: bytes=0-1,4-6"),
	plainAsk("GET", "/keep/a", "Range: bytes=9999-"),
	plainAsk("HEAD", "/keep/a", "Range: bytes=2-5"),
	plainAsk("GET", "/keep/a", `If-None-Match: "/keep/a"`),
	plainAsk("HEAD", "/keep/a", `If-None-Match: "x", "/keep/a"`),
	plainAsk("GET", "/keep/a", `If-None-Match: "x"`),
	plainAsk("GET", "/keep/a", "If-Modified-Since: Sat, 01 Nov 2025 10:00:00 GMT"),
	plainAsk("GET", "/keep/vary", "X-V: 1"),
	plainAsk("GET", "/keep/vary", "X-V: 2"),
	plainAsk("GET", "/keep/404"),
	plainAsk("HEAD", "/keep/404"),
	plainAsk("GET", "/keep/301"),
	plainAsk("GET", "/keep/204"),
	plainAsk("HEAD", "/keep/204"),
	plainAsk("GET", "/keep/299"),
	plainAsk("GET", "/keep/503"),
	plainAsk("GET", "/keep/empty"),
	plainAsk("HEAD", "/keep/empty"),
	plainAsk("GET", "/keep/untyped"),
	plainAsk("GET", "/keep/odd"),
	plainAsk("GET", "/keep/a", "X-A: 1", "x-a:2", "Cookie: a=b"),
	plainAsk("GET", "/keep/a", "Cache-Control: only-if-cached"),
	plainAsk("GET", "/keep/a", "Via: 1.1 larder, 1.1 other"),
}

// others are requests that are for net/http, after which the connection stays.
var others = []ask{
	plainAsk("GET", "/none?ID"),
	plainAsk("HEAD", "/none?ID"),
	plainAsk("GET", "/slow?ID"),
	plainAsk("GET", "/keep/a", "If-Match: \"x\""),
	plainAsk("GET", "/../x"),
	plainAsk("GET", "/keep/a?x#y"),
	plainAsk("GET", "/"+strings.Repeat("l", 8300)),
	plainAsk("GET", "/keep/a", "X-Long: "+strings.Repeat("l", 5000)),
	plainAsk("GET", "/keep/a", "Via: 1.1 larder"+strings.Repeat(", 1.1 larder", 9)),
	plainAsk("OPTIONS", "/none?ID", "Max-Forwards: 0"),
	plainAsk("OPTIONS", "*", "Max-Forwards: 0"),
	plainAsk("get", "/none?ID"),
	plainAsk("GET", "http://a/keep/a"),
	plainAsk("GET", "/keep/a", "Content-Length: 0"),
	plainAsk("GET", "/keep/a", "X-Fold: a", " b"),
	plainAsk("GET", "/keep/a", "X_Under: a"),
	plainAsk("GET", "/keep/a", "X-Bytes: \xe9"),
	plainAsk("GET", "/keep/a", "TE: trailers", "Connection: TE"),
	plainAsk("GET", "/none?ID", "Only: if", "Cache-Control: only-if-cached"),
	{text: "GET /keep/a HTTP/1.1\r\nHost: unknown\r\n\r\n", methods: []string{"GET"}},
	{text: "GET /keep/a HTTP/1.1\nHost: a\n\n", methods: []string{"GET"}},
	{text: "GET /keep/a HTTP/1.1\r\nHost: a\r\n\r\nHEAD /keep/a HTTP/1.1\r\nHost: a\r\n\r\n",
		methods: []string{"GET", "HEAD"}},
	{text: "POST /none?ID HTTP/1.1\r\nHost: a\r\nContent-Length: 36\r\n\r\n" +
		"GET /keep/a HTTP/1.1\r\nHost: a\r\nX: 1\r\n", methods: []string{"POST"}},
	{text: "GET /none?ID HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\n" +
		"GET /keep/404 HTTP/1.1\r\nHost: a\r\n\r\n\n"[:35], methods: []string{"GET"}},
	{text: "POST /none?ID HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nab",
		methods: []string{"POST"}},
	{text: "POST /none?ID HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab\r\n",
		methods: []string{"POST"}},
}

// ends are requests with which a connection ends.
var ends = []ask{
	lastAsk("GET /keep/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET"),
	lastAsk("GET /none?ID HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET"),
	lastAsk("POST /none?ID HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"2\r\nab\r\n0\r\n\r\n", "POST"),
	lastAsk("GET /keep/a HTTP/1.0\r\nHost: a\r\n\r\n", "GET"),
	lastAsk("GET /keep/a HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", "GET"),
	lastAsk("GET /keep/a HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n", "GET"),
	lastAsk("GET /keep/a HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "GET"),
	lastAsk("GET /keep/a HTTP/1.1\r\n\r\n", "GET"),
	lastAsk("GET /keep/a HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n", "GET"),
	lastAsk("GET  /keep/a HTTP/1.1\r\nHost: a\r\n\r\n", "GET"),
	lastAsk("GET /keep/a HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n", "GET"),
	lastAsk("POST /none?ID HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"+
		"Content-Length: 2\r\n\r\nab", "POST"),
	lastAsk("GET /keep/a HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "GET"),
	lastAsk("GET /keep/a HTTP/1.1\r\nHost: a\r\n\r\n\r\nHEAD", "GET", "GET"),
	lastAsk("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRI", "GET"),
	lastAsk("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nConnection: close\r\n\r\n", "GET"),
	lastAsk("GET /keep/a HTTP/2.0\r\nHost: a\r\n\r\n", "GET"),
}

// pace says how a client sends.
type pace struct {
	*rand.Rand
}

// pieces cuts text.
func (p *pace) pieces(text string) []string {
	if p == nil || p.IntN(4) > 0 {
		return []string{text}
	}
	n := 1 + p.IntN(4)
	if p.IntN(12) == 0 && len(text) < 200 {
		n = len(text)
	}
	var all []string
	for ; n > 1 && len(text) > 1; n-- {
		at := 1
		if n < len(text) {
			at += p.IntN(min(len(text)-1, 60))
		}
		all, text = append(all, text[:at]), text[at:]
	}
	return append(all, text)
}

var ids atomic.Int64

// talk sends asks over a connection of its own, and returns what comes until its end; a request to
// close is added. A nil pace waits for each answer before the next is asked for.
func talk(t *testing.T, address string, asks []ask, p *pace) []string {
	if !asks[len(asks)-1].last {
		asks = append(slices.Clone(asks), ends[0])
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	var methods []string
	for _, a := range asks {
		methods = append(methods, a.methods...)
	}
	var got []string
	came := make(chan int, len(methods)+2)
	go func() {
		defer close(came)
		got = answers(c, methods, came)
	}()
	sent, seen := 0, 0
	for _, a := range asks {
		for ok := true; ok && seen < sent && (p == nil || p.IntN(4) > 0); {
			seen, ok = <-came
		}
		text := strings.ReplaceAll(a.text, "ID", fmt.Sprint(ids.Add(1)))
		parts := []string{text}
		if !a.last {
			parts = p.pieces(text)
		}
		for i, part := range parts {
			if i > 0 && p.IntN(3) == 0 {
				time.Sleep(time.Duration(p.IntN(300)) * time.Microsecond) // lets the server look
			}
			io.WriteString(c, part)
		}
		sent += len(a.methods)
	}
	for range came {
	}
	return got
}

var (
	changing = regexp.MustCompile(`ttl=\d+`)
	boundary = regexp.MustCompile(`boundary=(\S+)`)
)

// answers reads answers to requests with methods, and tells how many have come. How often a client
// is told to go on depends on when the origin says so: that is left out.
func answers(c net.Conn, methods []string, came chan<- int) (got []string) {
	r := bufio.NewReader(c)
	for n := 0; ; {
		method := "GET"
		if n < len(methods) {
			method = methods[n]
		}
		resp, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return append(got, "end")
		}
		body, err := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusContinue {
			got = append(got, describe(resp, string(body), err))
		}
		if resp.StatusCode >= 200 {
			n++
			came <- n
		}
	}
}

// describe writes an answer down without what time and chance do to it.
func describe(resp *http.Response, body string, err error) string {
	h := resp.Header
	dated := h.Get("Date") != ""
	h.Del("Date")
	if h["Age"] != nil {
		h.Set("Age", "n")
	}
	if s := h.Get("Cache-Status"); s != "" {
		h.Set("Cache-Status", changing.ReplaceAllString(s, "ttl=n"))
	}
	if m := boundary.FindStringSubmatch(h.Get("Content-Type")); m != nil {
		body = strings.ReplaceAll(body, m[1], "boundary")
		h.Set("Content-Type", "multipart")
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(h)) {
		lines = append(lines, fmt.Sprintf("%s: %q", name, h[name]))
	}
	return fmt.Sprintf("%s %s %v %v %v %v %v\n%s\n%s", resp.Proto, resp.Status, resp.ContentLength,
		resp.TransferEncoding, resp.Close, dated, err, strings.Join(lines, "\n"), body)
}

// differ reports the first answer in which two doors differ.
func differ(t *testing.T, asks []ask, lane, plain []string) bool {
	t.Helper()
	for i := range max(len(lane), len(plain)) {
		a, b := "nothing", "nothing"
		if i < len(lane) {
			a = lane[i]
		}
		if i < len(plain) {
			b = plain[i]
		}
		if a == b {
			continue
		}
		var sent bytes.Buffer
		for _, one := range asks {
			fmt.Fprintf(&sent, "%.150q\n", one.text)
		}
		t.Errorf("answer %d differs: the lane says\n%.1500s\nnet/http says\n%.1500s\nasked\n%s",
			i, a, b, sent.String())
		return true
	}
	return false
}

func TestLaneAnswersAsNetHTTPDoes(t *testing.T) {
	d := openTwoDoors(t, pantry)
	d.warm(t)
	for _, kind := range [][]ask{hits, others, ends} {
		for _, a := range kind {
			asks := []ask{plainAsk("GET", "/keep/a"), plainAsk("GET", "/keep/a"), a}
			if !a.last {
				asks = append(asks, plainAsk("HEAD", "/keep/a"))
			}
			want := int64(1)
			if &kind[0] == &hits[0] {
				want = 3
			}
			d.askUntilTheLaneAnswers(t, asks, want)
		}
	}
}

// askUntilTheLaneAnswers asks at both doors until the lane has answered want requests of one
// conversation: on a busy machine the second request may come before net/http says that the
// connection is idle, and then the lane leaves it alone for good.
func (d *twoDoors) askUntilTheLaneAnswers(t *testing.T, asks []ask, want int64) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		before := d.answered.Load()
		if differ(t, asks, talk(t, d.lane, asks, nil), talk(t, d.plain, asks, nil)) {
			return
		}
		if d.answered.Load()-before >= want {
			return
		}
	}
	t.Errorf("%.80q: the lane never answered %d", asks[2].text, want)
}

// TestLaneKeepsTornRequestsApart sends a request together with the beginning of the next, of which
// the rest comes when the first is answered.
func TestLaneKeepsTornRequestsApart(t *testing.T) {
	d := openTwoDoors(t, pantry)
	d.warm(t)
	next := plainAsk("HEAD", "/keep/404", "X: 1")
	for _, first := range []ask{hits[0], others[0], others[2], {}} {
		for at := 1; at < len(next.text); at++ {
			if first.text == others[2].text && at > 6 {
				break // net/http looks at 1 byte, and at 4
			}
			asks := []ask{
				hits[0], hits[1],
				{text: first.text + next.text[:at], methods: first.methods},
				{text: next.text[at:], methods: next.methods}, hits[0], hits[1],
			}
			differ(t, asks, talk(t, d.lane, asks, nil), talk(t, d.plain, asks, nil))
		}
	}
}

func TestLaneKeepsRequestsApart(t *testing.T) {
	d := openTwoDoors(t, pantry)
	d.warm(t)
	before := d.answered.Load()
	var wait sync.WaitGroup
	var left atomic.Int64
	left.Store(conversations)
	for worker := range 6 {
		r := rand.New(rand.NewPCG(uint64(worker), 2026))
		wait.Go(func() {
			for left.Add(-1) >= 0 {
				asks := conversation(r)
				p := &pace{rand.New(rand.NewPCG(r.Uint64(), 1))}
				lane := talk(t, d.lane, asks, p)
				if differ(t, asks, lane, talk(t, d.plain, asks, nil)) {
					left.Store(0)
				}
			}
		})
	}
	wait.Wait()
	if n := d.answered.Load() - before; n == 0 { // how many depends on how busy the machine is
		t.Errorf("the lane answered only %d of %d conversations", n, conversations)
	}
}

// conversations is how many a test makes up.
const conversations = 1500

// conversation makes up what a client may send over a connection.
func conversation(r *rand.Rand) (asks []ask) {
	for range 2 + r.IntN(8) {
		one := hits[r.IntN(len(hits))]
		switch r.IntN(16) {
		case 0:
			one = others[r.IntN(len(others))]
		case 1: // two in one piece
			two := others[r.IntN(len(others))]
			one = ask{text: one.text + two.text, methods: slices.Concat(one.methods, two.methods)}
		}
		asks = append(asks, one)
	}
	if r.IntN(3) == 0 {
		asks = append(asks, ends[r.IntN(len(ends))])
	}
	return asks
}

// TestLaneIsCountedAndLoggedAsNetHTTPIs asks both doors for each thing, and compares
// what the server says of it.
func TestLaneIsCountedAndLoggedAsNetHTTPIs(t *testing.T) {
	for _, format := range []string{formatCommon, formatCombined, formatJSON} {
		file := filepath.Join(t.TempDir(), "log")
		d := openTwoDoors(t, pantry, func(c *Config) {
			c.Log = Log{Access: file, Format: format}
			c.TrustedProxies = []string{"127.0.0.0/8"}
		})
		d.warm(t)
		trusted := plainAsk("GET", "/keep/a", "X-Forwarded-For: 192.0.2.7", "Referer: \"x",
			"X-Forwarded-Host: a", "User-Agent: agent \\")
		for _, a := range append(slices.Clone(hits), trusted) {
			lane, laneLines := d.told(t, d.lane, file, a)
			plain, plainLines := d.told(t, d.plain, file, a)
			if !reflect.DeepEqual(lane, plain) {
				t.Errorf("%q is counted as\n%+v, want\n%+v", a.text, lane, plain)
			}
			if laneLines != plainLines {
				t.Errorf("%q is logged as\n%swant\n%s", a.text, laneLines, plainLines)
			}
		}
	}
}

var timely = regexp.MustCompile(`\[[^]]*\]|"time":"[^"]*"|"seconds":[^,]*|\d\.\d{6}$`)

// told asks for a on a connection that has a lane, if any has, and returns what that adds to Stats
// and to the log.
func (d *twoDoors) told(t *testing.T, address, file string, a ask) (httpcache.Stats, string) {
	t.Helper()
	before, log := d.Stats().Cache, awaitLog(t, file, d)
	talk(t, address, []ask{plainAsk("GET", "/keep/a"), a}, nil)
	after, more := d.Stats().Cache, awaitLog(t, file, d)
	var lines strings.Builder
	for _, line := range more[len(log):] {
		lines.WriteString(timely.ReplaceAllString(line, "") + "\n")
	}
	return difference(after, before), lines.String()
}

// difference subtracts the numbers of b from those of a.
func difference(a, b httpcache.Stats) httpcache.Stats {
	x, y := reflect.ValueOf(&a).Elem(), reflect.ValueOf(&b).Elem()
	for i := range x.NumField() {
		switch f := x.Field(i); {
		case f.CanInt():
			f.SetInt(f.Int() - y.Field(i).Int())
		case f.CanUint():
			f.SetUint(f.Uint() - y.Field(i).Uint())
		}
	}
	return a
}

var asked atomic.Int64

// awaitLog waits until the log has all that was asked for, which a request at the end tells.
func awaitLog(t *testing.T, file string, d *twoDoors) []string {
	t.Helper()
	mark := fmt.Sprintf("/keep/a?mark=%d", asked.Add(1))
	last := lastAsk("GET "+mark+" HTTP/1.1\r\nHost: unknown\r\nConnection: close\r\n\r\n", "GET")
	talk(t, d.plain, []ask{last}, nil)
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		text, _ := os.ReadFile(file)
		if i := strings.Index(string(text), mark); i >= 0 && bytes.HasSuffix(text, []byte("\n")) {
			return slices.DeleteFunc(strings.Split(strings.TrimSpace(string(text)), "\n"),
				func(line string) bool { return strings.Contains(line, "mark=") })
		}
	}
	t.Fatal("the log has no end")
	return nil
}
