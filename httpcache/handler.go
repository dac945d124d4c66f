// handler.go is what the doors of a shared cache have in common.

package httpcache

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// handler answers requests to one view.
type handler struct {
	cache  *Cache
	engine engine
	view   View
	origin http.RoundTripper
	// outgoing returns the request that the origin gets for r, without a body.
	outgoing func(r *http.Request, ctx context.Context) *http.Request
	pass     http.Handler // for what no cache may answer
	extra    []string     // request fields that are part of the key
}

// handle makes h a handler of c.
func (c *Cache) handle(h *handler) http.Handler {
	v := h.view
	h.cache, h.engine = c, c.engine
	r := &h.engine.rules
	r.guess, r.stale, r.scoped, r.cookies, r.tags = v.TTL, v.Stale, v.Scope != nil, v.Cookies, v.Tags
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.views == nil {
		c.views = map[string]*handler{}
	}
	c.views[fmt.Sprintf("%q %q %t", v.Route, v.Query, v.Query == nil)] = h
	return h
}

// keyOf returns the key of the response to r: its URL as the client sees it, without what does not
// count, with what does.
func (h *handler) keyOf(r *http.Request) string {
	key := h.urlOf(r)
	if h.view.Scope != nil {
		key += "#scope=" + url.QueryEscape(h.view.Scope(r))
	}
	if h.view.Languages != nil {
		key += "#language=" + h.language(r)
	}
	for _, name := range h.extra {
		if lines := r.Header[name]; lines != nil {
			key += "#" + name + "=" + url.QueryEscape(strings.Join(lines, "\n"))
		}
	}
	return shortKey(key)
}

// urlOf is the URL of r with the query that counts.
func (h *handler) urlOf(r *http.Request) string {
	scheme := schemeOf(r)
	return scheme + "://" + hostOf(scheme, r.Host) + h.targetOf(r)
}

func schemeOf(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// targetOf is the path and the query that count.
func (h *handler) targetOf(r *http.Request) string {
	target := r.RequestURI
	if !strings.HasPrefix(target, "/") {
		target = r.URL.RequestURI()
	}
	if h.view.Route == "" && h.view.Query == nil {
		return target
	}
	path, query, _ := strings.Cut(target, "?")
	if h.view.Route != "" {
		path = "/" + strings.TrimPrefix(h.view.Route, "/")
	}
	if h.view.Query != nil {
		query = countedQuery(query, h.view.Query)
	}
	if query == "" {
		return path
	}
	return path + "?" + query
}

// countedQuery returns the parameters of a query that count, by name; those of one name keep their
// order. Names are compared as they are meant, values kept as they are written.
func countedQuery(query string, names []string) string {
	var counted []string
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(name); err == nil && slices.Contains(names, name) {
			counted = append(counted, pair)
		}
	}
	slices.SortStableFunc(counted, func(a, b string) int {
		a, _, _ = strings.Cut(a, "=")
		b, _, _ = strings.Cut(b, "=")
		return strings.Compare(a, b)
	})
	return strings.Join(counted, "&")
}

// language is the one in which r is answered.
func (h *handler) language(r *http.Request) string {
	return bestLanguage(r.Header["Accept-Language"], h.view.Languages)
}

// pass hands the request to the origin as it is, and forgets what the answer shows to be outdated.
func (v *visit) pass(why reason) {
	if v.cc.has(onlyIfCached) && safe(method(v.req)) {
		v.fail(http.StatusGatewayTimeout, Bypass, why)
		return
	}
	w := &passed{ResponseWriter: v.w, v: v, why: why}
	v.h.pass.ServeHTTP(w, v.r)
	if w.kept != nil {
		w.kept.finish()
	}
}

// passed sees what the origin answers to a request that passes the cache.
type passed struct {
	http.ResponseWriter
	v    *visit
	why  reason
	kept *posted // nil: nothing is
	done bool
}

// WriteHeader implements http.ResponseWriter.
func (p *passed) WriteHeader(status int) {
	if !p.done && status >= 200 || status == http.StatusSwitchingProtocols {
		p.done = true
		p.v.tell(Result{Outcome: Bypass, NotStored: string(p.why)}, p.why,
			cacheStatus{forward: forwardOf(p.why), status: status})
		p.v.forgetOutdated(&http.Response{StatusCode: status, Header: p.Header()})
		p.kept = p.v.keepPost(status, p.Header())
	}
	p.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (p *passed) Write(b []byte) (int, error) {
	if !p.done {
		p.WriteHeader(http.StatusOK)
	}
	if p.kept != nil {
		p.kept.add(b)
	}
	return p.ResponseWriter.Write(b)
}

// Flush implements http.Flusher.
func (p *passed) Flush() {
	if !p.done {
		p.WriteHeader(http.StatusOK)
	}
	http.NewResponseController(p.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (p *passed) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// forgetOutdated forgets what resp, the answer to the request, shows to be outdated.
func (v *visit) forgetOutdated(resp *http.Response) {
	absolute := *v.req
	absolute.URL = v.absolute()
	for _, u := range invalidated(&absolute, resp) {
		if _, err := v.h.cache.Purge(v.context(), Purge{URL: u.String()}); err != nil {
			v.note(err)
		}
	}
}

// absolute is the URL of the request, as the client sees it.
func (v *visit) absolute() *url.URL {
	u := *v.r.URL
	u.Scheme, u.Host = schemeOf(v.r), v.r.Host
	return &u
}

// forwardOf is why a request went to the origin, in the words of RFC 9211, section 2.2.
func forwardOf(why reason) string {
	switch {
	case why == becauseStale, why == becauseNoCache, why == becauseIfError, why == becauseWhile:
		return "stale"
	case why == becauseVariant:
		return "vary-miss"
	case why == becausePart:
		return "partial"
	case strings.HasPrefix(string(why), "request"):
		return "request"
	case strings.HasPrefix(string(why), string(becauseMethod)):
		return "method"
	case why == becauseClosed, why == becauseURL:
		return "bypass"
	case why == becauseAbsent:
		return "uri-miss"
	}
	return "miss"
}
