// smuggle_test.go proves that two servers cannot count the requests on a connection differently.

package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// rawOrigin is an origin that reads byte by byte what it gets, as strictly as one can.
type rawOrigin struct {
	net.Listener
	mu  sync.Mutex
	got []string // each request, its head and its body as they came
}

func newRawOrigin(t *testing.T) *rawOrigin {
	t.Helper()
	l, err := net.Listen("tcp", loopback)
	if err != nil {
		t.Fatal(err)
	}
	o := &rawOrigin{Listener: l}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			o.serve(c)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return o
}

// serve reads one request, answers it, and lets nobody use the connection again.
func (o *rawOrigin) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	head := ""
	for !strings.HasSuffix(head, "\r\n\r\n") {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		head += line
	}
	request, err := http.ReadRequest(bufio.NewReader(io.MultiReader(strings.NewReader(head), r)))
	body := ""
	if err == nil {
		b, _ := io.ReadAll(request.Body)
		body = string(b)
	}
	o.mu.Lock()
	o.got = append(o.got, head+body)
	o.mu.Unlock()
	io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
}

// take returns the requests since the last time.
func (o *rawOrigin) take() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer func() { o.got = nil }()
	return slices.Clone(o.got)
}

// smuggled are requests that servers are known to read differently. want is the status; for what is
// let through, body is what the origin gets of it. The connection must end after each, so that
// nobody can be given the rest of it.
var smuggled = []struct {
	name, request, want, body string
}{
	{"CL.TE", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"0\r\n\r\nX", "200", ""},
	{"TE.CL", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" +
		"5c\r\n" + strings.Repeat("x", 0x5c) + "\r\n0\r\n\r\n", "200", strings.Repeat("x", 0x5c)},
	{"TE.TE", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n" +
		"0\r\n\r\n", "501", ""},
	{"TE twice", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" +
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "501", ""},
	{"TE unknown", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"501", ""},
	{"TE list", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"501", ""},
	{"TE with space before colon", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n" +
		"0\r\n\r\n", "400", ""},
	{"TE with control character", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\vchunked\r\n\r\n" +
		"0\r\n\r\n", "400", ""},
	{"TE folded", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nTransfer-Encoding:\r\n chunked" +
		"\r\n\r\n1\r\na\r\n0\r\n\r\n", "200", "a"},
	{"TE with underscore", "POST / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\n" +
		"Content-Length: 5\r\nConnection: close\r\n\r\n0\r\n\r\n", "200", "0\r\n\r\n"},
	{"HTTP/1.0 with TE", "POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n" +
		"Transfer-Encoding: chunked\r\n\r\n2c\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n", "200", ""},
	{"HTTP/1.0 with both", "POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n" +
		"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "200", "0"},
	{"two CL", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"400", ""},
	{"CL list", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na", "400", ""},
	{"CL signed", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na", "400", ""},
	{"CL in hex", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\na", "400", ""},
	{"CL empty", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\na", "400", ""},
	{"obs-fold", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\nConnection: close\r\n\r\n", "200", ""},
	{"obs-fold in front", "GET / HTTP/1.1\r\n Host: b\r\nHost: a\r\n\r\n", "400", ""},
	{"bare CR", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rY: b\r\n\r\n", "400", ""},
	{"NUL", "GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n", "400", ""},
	{"LF alone", "GET / HTTP/1.1\nHost: a\nX: y\nConnection: close\n\n", "200", ""},
	{"CRLF in front", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400", ""},
	{"no colon", "GET / HTTP/1.1\r\nHost: a\r\nnothing\r\n\r\n", "400", ""},
	{"empty name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", "400", ""},
	{"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400", ""},
	{"no Host", "GET / HTTP/1.1\r\n\r\n", "400", ""},
	{"chunk extension", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"1;a=b\r\nx\r\n0\r\nTrailer: y\r\n\r\n", "200", "x"},
	{"chunk extension with LF", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"1;a=\nb\r\nx\r\n0\r\n\r\n", "400", ""},
	{"chunks with LF", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n",
		"400", ""},
	{"chunk of 0x1", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"0x1\r\nx\r\n0\r\n\r\n", "400", ""},
	{"chunk too large", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"fffffffffffffffff\r\nx\r\n0\r\n\r\n", "400", ""},
	{"space in the target", "GET /a HTTP/1.1 x HTTP/1.1\r\nHost: a\r\n\r\n", "400", ""},
	{"version 2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505", ""},
	{"h2c upgrade", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n" +
		"Connection: Upgrade, HTTP2-Settings, close\r\n\r\n", "200", ""},
}

func TestForwardsOneUnambiguousRequestOrNone(t *testing.T) {
	for _, row := range smuggled {
		t.Run(row.name, func(t *testing.T) {
			origin := newRawOrigin(t)
			s := serve(t, config("http://"+origin.Addr().String()))
			// What follows must be answered by nobody: the connection ends.
			request := row.request + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
			answer := raw(t, s.Addrs().Plain[0], request)
			code := strings.Fields(answer + " - -")[1]
			if code != row.want {
				t.Errorf("answered %s, want %s: %q", code, row.want, answer)
			}
			if n := strings.Count(answer, "HTTP/1."); n != 1 {
				t.Errorf("%d answers to a connection that should end: %q", n, answer)
			}
			checkForwarded(t, origin.take(), code, row.body)
		})
	}
}

// checkForwarded looks at what the origin got: one request that nobody can read in two ways, if it
// was answered 200.
func checkForwarded(t *testing.T, got []string, code, body string) {
	t.Helper()
	if code != "200" {
		for _, one := range got { // a request whose body turned out bad has begun
			if !strings.HasSuffix(one, "\r\n\r\n") {
				t.Errorf("the origin got the body of a request that was refused: %q", one)
			}
		}
		return
	}
	if len(got) != 1 {
		t.Fatalf("the origin got %d requests: %q", len(got), got)
	}
	head, rest, _ := strings.Cut(got[0], "\r\n\r\n")
	if rest != body {
		t.Errorf("the origin got the body %q, want %q", rest, body)
	}
	low := strings.ToLower(head)
	framings := strings.Count(low, "content-length:") + strings.Count(low, "transfer-encoding:")
	if framings > 1 || strings.Contains(low, "_") || strings.Contains(low, "h2c") ||
		strings.Contains(low, "/smuggled") || strings.ContainsAny(head, "\x00\v") {
		t.Errorf("the origin got %q", head)
	}
	for line := range strings.SplitSeq(head, "\r\n") {
		if strings.ContainsAny(line, "\r\n") || line != strings.TrimLeft(line, " \t") {
			t.Errorf("the origin got the line %q", line)
		}
	}
}

// TestKeepsConnectionsInStep asks twice on a connection, with what leaves no doubt in between.
func TestKeepsConnectionsInStep(t *testing.T) {
	origin := newRawOrigin(t)
	s := serve(t, config("http://"+origin.Addr().String()))
	answer := raw(t, s.Addrs().Plain[0],
		"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"+
			"GET /2 HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"+
			"GET /3 HTTP/1.1\nHost: a\nConnection: close\n\n")
	if n := strings.Count(answer, "HTTP/1.1 200"); n != 3 {
		t.Errorf("%d answers: %q", n, answer)
	}
	for i, one := range origin.take() {
		if want := fmt.Sprintf("/%d HTTP/1.1", i+1); !strings.Contains(one, want) {
			t.Errorf("request %d is %q", i+1, one)
		}
	}
}

func TestRefusesRequestsThatAreNotForTheCache(t *testing.T) {
	c := config("http://127.0.0.1:1")
	c.Sites[0].Host = []string{"a"}
	c.Limits.Body = 10
	s := serve(t, c)
	const end = "Connection: close\r\n\r\n"
	for _, row := range []struct{ name, request, want string }{
		{"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n" + end, "405"},
		{"TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n" + end, "405"},
		{"another site", "GET / HTTP/1.1\r\nHost: b\r\n" + end, "421"},
		{"absolute to another", "GET http://b/ HTTP/1.1\r\nHost: a\r\n" + end, "421"},
		{"absolute to us", "OPTIONS http://a/ HTTP/1.1\r\nHost: b\r\nMax-Forwards: 0\r\n" + end, "204"},
		{"absolute https", "GET https://a/ HTTP/1.1\r\nHost: a\r\n" + end, "400"},
		{"absolute with user", "GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n" + end, "400"},
		{"other scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n" + end, "400"},
		{"asterisk", "GET * HTTP/1.1\r\nHost: a\r\n" + end, "400"},
		{"fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n" + end, "400"},
		{"empty Host", "GET / HTTP/1.1\r\nHost: \r\n" + end, "400"},
		{"Host with user", "GET / HTTP/1.1\r\nHost: u@a\r\n" + end, "400"},
		{"Host with path", "GET / HTTP/1.1\r\nHost: a/b\r\n" + end, "400"},
		{"Host with comma", "GET / HTTP/1.1\r\nHost: a,b\r\n" + end, "400"},
		{"Host with bad port", "GET / HTTP/1.1\r\nHost: a:x\r\n" + end, "400"},
		{"Host with large port", "GET / HTTP/1.1\r\nHost: a:65536\r\n" + end, "400"},
		{"Host with dots", "GET / HTTP/1.1\r\nHost: a..b\r\n" + end, "400"},
		{"Host with bracket", "GET / HTTP/1.1\r\nHost: [a\r\n" + end, "400"},
		{"Host with percent", "GET / HTTP/1.1\r\nHost: a%00\r\n" + end, "400"},
		{"dots", "GET /x/../y HTTP/1.1\r\nHost: a\r\n" + end, "400"},
		{"encoded dots", "GET /x/%2e%2E%2fy HTTP/1.1\r\nHost: a\r\n" + end, "400"},
		{"long", "GET /" + strings.Repeat("a", 8<<10) + " HTTP/1.1\r\nHost: a\r\n" + end, "414"},
		{"large head", "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("a", 80<<10) + "\r\n" + end,
			"431"},
		{"large body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n" +
			strings.Repeat("a", 11), "413"},
		{"loop", "GET / HTTP/1.1\r\nHost: a\r\nVia: " + strings.Repeat("1.1 larder, ", 6) + "1.1 x\r\n" +
			end, "508"},
		{"last hop", "OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n" + end, "204"},
		{"expectation", "GET / HTTP/1.1\r\nHost: a\r\nExpect: more\r\n" + end, "417"},
	} {
		answer := raw(t, s.Addrs().Plain[0], row.request)
		if code := strings.Fields(answer + " - -")[1]; code != row.want {
			t.Errorf("%s: answered %s, want %s", row.name, code, row.want)
		}
	}
}

func TestBoundsBodiesWhoseSizeNobodyTold(t *testing.T) {
	to := newOrigin(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
	c := config(to)
	c.Limits.Body = 100 << 10
	s := serve(t, c)
	for size, want := range map[int]int{100 << 10: 200, 100<<10 + 1: 413} {
		r := request(t, http.MethodPost, s.url("/"), strings.Repeat("a", size))
		r.ContentLength = -1
		resp, _ := do(t, client(t), r)
		if resp.StatusCode != want {
			t.Errorf("%d bytes: %s, want %d", size, resp.Status, want)
		}
	}
}

func TestCountsHopsOfOptions(t *testing.T) {
	to := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Header.Get("Max-Forwards"))
	})
	r := request(t, http.MethodOptions, serve(t, config(to)).url("/"), "")
	r.Header.Set("Max-Forwards", "7")
	if _, text := do(t, client(t), r); text != "6" {
		t.Errorf("the origin was told %q, want 6", text)
	}
}
