// refuse.go tells which requests are not for the cache: what it answers them with, and why.

package proxy

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// maxLoops is how often a request may have passed proxies of our name, by its Via.
const maxLoops = 5

// allowed are the methods that origins may get to see, others of their own aside.
const allowed = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, QUERY"

// refusal is the answer to a request that goes no further. The zero value is none.
type refusal struct {
	code int
	why  string
}

// refuses returns why a request is not let in. It goes by what net/http leaves of a request, which
// has refused by itself: several different Content-Length, a Transfer-Encoding other than chunked,
// a space before a colon, control characters in fields, more than one Host. What net/http accepts
// and hides is safe by [Server.careful].
func refuses(r *http.Request, c *Config) refusal {
	switch {
	case r.Method == http.MethodConnect:
		return refusal{http.StatusMethodNotAllowed, "this is no tunnel"}
	case r.Method == http.MethodTrace:
		return refusal{http.StatusMethodNotAllowed, "TRACE shows what others should not see"}
	case len(r.RequestURI) > int(c.Limits.URL):
		return refusal{http.StatusRequestURITooLong,
			fmt.Sprintf("the URL is longer than %d bytes", c.Limits.URL)}
	case r.ContentLength > int64(c.Limits.Body):
		return refusal{http.StatusRequestEntityTooLarge,
			fmt.Sprintf("the body is larger than %d bytes", c.Limits.Body)}
	}
	if no := refusesTarget(r); no.code != 0 {
		return no
	}
	if loops(r.Header["Via"], c.Cache.Name) > maxLoops {
		return refusal{http.StatusLoopDetected, "the request goes round in circles"}
	}
	return refusal{}
}

// refusesTarget looks at what the request asks for, and of whom.
func refusesTarget(r *http.Request) refusal {
	bad := func(why string) refusal { return refusal{http.StatusBadRequest, why} }
	switch {
	case r.Host != "" && !isHost(r.Host), r.Host == "" && r.ProtoAtLeast(1, 1):
		return bad("the Host is none")
	case r.URL.User != nil:
		return bad("the URL has a user")
	case r.URL.Scheme != "" && r.URL.Scheme != schemeOf(r):
		return bad("the URL has another scheme than the connection")
	case strings.IndexByte(r.RequestURI, '#') >= 0:
		return bad("the URL has a fragment")
	case r.URL.Path != "" && r.URL.Path[0] != '/' && r.RequestURI != "*":
		return bad("the URL has no path")
	case r.RequestURI == "*" && r.Method != http.MethodOptions:
		return bad("only OPTIONS asks for *")
	case hasDots(r.URL.Path):
		return bad("the path has . or .. in it")
	}
	return refusal{}
}

func schemeOf(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// loops counts how often name stands in Via as a proxy that passed the request on.
func loops(via []string, name string) (n int) {
	for _, line := range via {
		for hop := range strings.SplitSeq(line, ",") {
			if words := strings.Fields(hop); len(words) > 1 && words[1] == name {
				n++
			}
		}
	}
	return n
}

// answer writes the refusal, as text that nobody keeps.
func (no refusal) answer(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	switch no.code {
	case http.StatusMethodNotAllowed:
		h.Set("Allow", allowed)
	case http.StatusRequestEntityTooLarge:
		h.Set("Connection", "close") // who sends so much may not stop
	}
	http.Error(w, no.why, no.code)
}

// strip takes away what an origin could take for something else than we do: fields with an
// underscore, which many read as a dash, and an upgrade to a protocol in which requests would pass
// unseen.
func strip(h http.Header) {
	for name := range h {
		if strings.IndexByte(name, '_') >= 0 {
			delete(h, name)
		}
	}
	if up := h["Upgrade"]; up != nil && (len(up) > 1 || !strings.EqualFold(up[0], "websocket")) {
		delete(h, "Upgrade")
		delete(h, "Http2-Settings")
	}
}

// lastHop reports whether an OPTIONS request may not be passed on (RFC 9110, section 7.6.2); if it
// may, it counts the hop.
func lastHop(r *http.Request) bool {
	if r.Method != http.MethodOptions {
		return false
	}
	left, err := strconv.ParseUint(r.Header.Get("Max-Forwards"), 10, 31)
	if err != nil {
		return false
	}
	if left > 0 {
		r.Header.Set("Max-Forwards", strconv.FormatUint(left-1, 10))
	}
	return left == 0
}
