// explain_ask.go gets the responses that explain explains, from a host or from a file.

package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/httpcache"
)

const (
	// maxCompared is how much of a body is read, to tell whether it is the same the second time.
	maxCompared = 64 << 20
	// maxExplained is how long the header of a response may be, in bytes.
	maxExplained = 1 << 20
)

// explained is a response and what there is to say about it.
type explained struct {
	httpcache.Explanation
	// Location is what the response redirects to, if it does.
	Location string `json:"location,omitempty"`

	next   *http.Request // to what it redirects to, if that is to be explained too
	astray error         // why that cannot be asked for
	again  error         // why this could not be asked for again
}

// way asks hosts, or the cache alone.
type way struct {
	e      *explain
	client *http.Client
}

func newWay(e *explain) *way {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true // the coding is part of what is explained
	t.MaxResponseHeaderBytes = maxExplained
	client := &http.Client{
		Transport: t, Timeout: time.Duration(e.timeout),
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	if e.throughURL != nil {
		t.Proxy, t.DialContext = nil, dialAlways(e.throughURL)
		client.Transport = through{t, e.throughURL.Scheme}
	}
	return &way{e, client}
}

// taken is a response whose body was read.
type taken struct {
	*http.Response
	requested, received time.Time
	sum                 [sha256.Size]byte // of the first maxCompared bytes of the body
}

// ask makes a request and reads the body of the response.
func (w *way) ask(req *http.Request) (a taken, err error) {
	a.requested = time.Now()
	if a.Response, err = w.client.Do(req); err != nil {
		return a, err
	}
	a.received = time.Now()
	defer a.Body.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, io.LimitReader(a.Body, maxCompared))
	if err != nil {
		return a, fmt.Errorf("body: %w", err)
	}
	if n < maxCompared && req.Method != http.MethodHead {
		a.ContentLength = n
	}
	sum.Sum(a.sum[:0])
	return a, nil
}

// explain asks once or twice.
func (w *way) explain(req *http.Request) (explained, error) {
	first, err := w.ask(req)
	if err != nil {
		return explained{}, err
	}
	o := httpcache.ExplainOptions{
		Audience: w.e.audience(), Requested: first.requested, Received: first.received,
		View: asProxy,
	}
	found := explained{Explanation: explainAsProxy(req, first.Response, o)}
	if asksAgain(req, first.Response, found.Condition) {
		second := req.Clone(req.Context())
		maps.Copy(second.Header, found.Condition)
		again, err := w.ask(second)
		if found.again = err; err == nil {
			o.Second = again.Response
			o.SameBody = again.sum == first.sum
			found.Explanation = explainAsProxy(req, first.Response, o)
		}
	}
	next, err := redirected(req, first.Response)
	if next != nil {
		found.Location = next.URL.Redacted()
	}
	if w.e.follow {
		found.next, found.astray = next, err
	}
	return found, nil
}

// asksAgain reports whether a second request would do no harm and tell something.
func asksAgain(req *http.Request, resp *http.Response, condition http.Header) bool {
	return condition != nil && resp.StatusCode == http.StatusOK &&
		(req.Method == http.MethodGet || req.Method == http.MethodHead)
}

// credentials do not follow a redirect to another host, nor to one without TLS.
var credentials = []string{"Authorization", "Cookie", "Proxy-Authorization"}

// redirected returns the request that follows from a response, or nil if none does.
func redirected(req *http.Request, resp *http.Response) (*http.Request, error) {
	switch resp.StatusCode {
	case 301, 302, 303, 307, 308:
	default:
		return nil, nil
	}
	to, err := resp.Location()
	if errors.Is(err, http.ErrNoLocation) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if to.Scheme != "http" && to.Scheme != "https" || to.Host == "" {
		return nil, fmt.Errorf("redirected to %s, which is no http URL", to.Redacted())
	}
	next := req.Clone(req.Context())
	next.URL = to
	if to.Host != req.URL.Host {
		next.Host = to.Host
	}
	if to.Host != req.URL.Host || to.Scheme == "http" && req.URL.Scheme == "https" {
		for _, name := range credentials {
			next.Header.Del(name)
		}
	}
	if next.Method != http.MethodHead && resp.StatusCode < http.StatusTemporaryRedirect {
		next.Method = http.MethodGet
	}
	return next, nil
}

// explainTrouble is the text of an error in the words of the command.
func explainTrouble(err error) string {
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		return "not over in time (raise --timeout to wait longer)"
	}
	return warmTrouble(err)
}

// readFile explains the response in the file of --response. It came when its Date and Age say, or
// now.
func (e *explain) readFile(in io.Reader) (explained, error) {
	if e.response != "-" {
		f, err := os.Open(e.response)
		if err != nil {
			return explained{}, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxExplained))
	if err != nil {
		return explained{}, err
	}
	req := &http.Request{Method: e.method, URL: &url.URL{}, Header: e.header}
	if e.url != nil {
		req.URL, req.Host = e.url, e.url.Host
	}
	resp, err := readResponse(text, req)
	if err != nil {
		return explained{}, err
	}
	o := httpcache.ExplainOptions{
		Audience: e.audience(), Received: cameAt(resp.Header),
		View: asProxy,
	}
	found := explained{Explanation: explainAsProxy(req, resp, o)}
	found.Location = resp.Header.Get("Location")
	return found, nil
}

// cameAt is when a response came that nobody saw coming: when it was made, and as much later as it
// had spent in caches; zero if it does not say.
func cameAt(h http.Header) time.Time {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	if age, err := strconv.ParseUint(h.Get("Age"), 10, 31); err == nil {
		date = date.Add(time.Duration(age) * time.Second)
	}
	return date
}

// readResponse reads the header of the first response in text that is no interim one. Its end may
// be missing, as may be the minor version that HTTP/2 does not have. Its body is not read: tools
// write it decoded under a header that says otherwise.
func readResponse(text []byte, req *http.Request) (*http.Response, error) {
	text = bytes.TrimPrefix(text, []byte(byteOrderMark))
	for {
		head, rest := cutHead(bytes.TrimLeft(text, " \t\r\n"))
		if len(head) == 0 {
			return nil, errors.New("no response in it")
		}
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), req)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode >= 200 {
			return resp, nil
		}
		text = rest
	}
}

// cutHead cuts a header off text, and ends it if it has no end.
func cutHead(text []byte) (head, rest []byte) {
	end := len(text)
	for _, blank := range []string{"\r\n\r\n", "\n\n"} {
		if i := bytes.Index(text, []byte(blank)); i >= 0 && i+len(blank) < end {
			end = i + len(blank)
		}
	}
	head, rest = bytes.TrimSpace(text[:end]), text[end:]
	if len(head) == 0 {
		return nil, nil
	}
	version, status, ok := strings.Cut(string(head), " ")
	if ok && (version == "HTTP/2" || version == "HTTP/3") {
		version += ".0"
	}
	if !ok {
		return []byte(version + "\r\n\r\n"), rest
	}
	return []byte(version + " " + status + "\r\n\r\n"), rest
}
