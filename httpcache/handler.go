// handler.go is what the doors of a shared cache have in common.

package httpcache

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// handler answers requests to one view.
type handler struct {
	cache  *Cache
	engine engine // for what is for everybody
	scoped engine // for what is for one scope
	view   View
	origin http.RoundTripper
	// outgoing returns the request that the origin gets for r, without a body.
	outgoing func(r *http.Request, ctx context.Context) *http.Request
	pass     http.Handler // for what no cache may answer
	extra    []string     // request fields that are part of the key
	forwards bool         // the origin gets requests over a connection of its own
	trust    Trust        // in what clients say of the site they were asked for
}

// handle makes h a handler of c.
func (c *Cache) handle(h *handler) http.Handler {
	v := h.view
	h.cache, h.engine = c, c.engine
	r := &h.engine.rules
	r.guess, r.stale, r.named, r.cookies, r.tags = v.TTL, v.Stale, v.Scope != nil, v.Cookies, v.Tags
	h.scoped = h.engine
	h.scoped.rules.scoped = true
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.views == nil {
		c.views = map[string]*handler{}
	}
	c.scoped = c.scoped || v.Scope != nil || v.Languages != nil || h.extra != nil
	c.views[fmt.Sprintf("%q %q %t", v.Route, v.Query, v.Query == nil)] = h
	return h
}

// scopeOf says for whom the answer to r is; "" is for everybody.
func (h *handler) scopeOf(r *http.Request) string {
	if h.view.Scope == nil {
		return ""
	}
	return h.view.Scope(r)
}

// engineOf returns the engine with the rules for a scope.
func (h *handler) engineOf(scope string) *engine {
	if scope == "" {
		return &h.engine
	}
	return &h.scoped
}

// restOf is what the key has besides the URL.
func (h *handler) restOf(r *http.Request, scope string) (rest string) {
	if scope != "" {
		rest += "#scope=" + url.QueryEscape(scope)
	}
	if h.view.Languages != nil {
		rest += "#language=" + h.language(r)
	}
	if rewritten(r) {
		rest += "#url=" + url.QueryEscape(r.URL.RequestURI())
	}
	for _, name := range h.extra {
		if lines := r.Header[name]; lines != nil {
			rest += "#" + name + "=" + url.QueryEscape(strings.Join(lines, "\n"))
		}
	}
	return rest
}

// urlOf is the URL of r with the query that counts.
func (h *handler) urlOf(r *http.Request) string {
	return h.cache.searches.apply(h.plainURL(r))
}

// plainURL is the URL of r with the query that counts for the view.
func (h *handler) plainURL(r *http.Request) string {
	scheme, host := h.trust.siteOf(r)
	return scheme + "://" + host + h.targetOf(r)
}

// siteOf is the scheme and the host of what r asks for, as the client sees them.
func (t Trust) siteOf(r *http.Request) (scheme, host string) {
	scheme, host = schemeOf(r), r.Host
	if t == TrustClients {
		if said := lower(r.Header.Get("X-Forwarded-Proto")); said == "http" || said == "https" {
			scheme = said
		}
		host = cmp.Or(r.Header.Get("X-Forwarded-Host"), host)
	}
	return scheme, hostOf(scheme, host)
}

func schemeOf(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// targetOf is the path and the query that count. What the cache adds to a key begins with a "#", so
// none that a client sends is left.
func (h *handler) targetOf(r *http.Request) string {
	target := r.RequestURI
	if !strings.HasPrefix(target, "/") {
		target = r.URL.RequestURI()
	}
	if strings.Contains(target, "#") {
		target = strings.ReplaceAll(target, "#", "%23")
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

// rewritten reports whether somebody before us made another URL of what the client asked for: then
// the answer is to that.
func rewritten(r *http.Request) bool {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	return strings.HasPrefix(path, "/") && (path != r.URL.EscapedPath() || query != r.URL.RawQuery)
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

// asRead returns r as the rules read it: with what the origin gets, since that is what makes the
// answer.
func (h *handler) asRead(r *http.Request) *http.Request {
	drops := h.forwards && r.Header["Connection"] != nil && namesFields(r.Header["Connection"])
	if h.view.Languages == nil && !drops {
		return r
	}
	out := *r
	out.Header = maps.Clone(r.Header)
	if drops {
		dropHopByHop(out.Header)
	}
	if h.view.Languages != nil {
		out.Header["Accept-Language"] = []string{h.language(r)}
	}
	return &out
}

// namesFields reports whether Connection names fields that go no further.
func namesFields(lines []string) bool {
	for _, line := range lines {
		if !strings.EqualFold(line, "close") && !strings.EqualFold(line, "keep-alive") {
			return true
		}
	}
	return false
}

// narrow leaves of out, which the origin gets for r, what the key is made of: what does not count
// must not make the answer.
func (h *handler) narrow(out, r *http.Request) {
	if h.view.Languages != nil {
		out.Header["Accept-Language"] = []string{h.language(r)}
	}
	if h.view.Query == nil {
		return
	}
	out.URL.RawQuery, out.URL.ForceQuery = countedQuery(r.URL.RawQuery, h.view.Query), false
	if out.RequestURI != "" {
		out.RequestURI = out.URL.RequestURI()
	}
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
	w := &passed{ResponseWriter: v.w, v: v, why: why, before: v.w.Header().Clone()}
	defer w.end()
	v.h.pass.ServeHTTP(w, v.r)
	w.complete()
}

// passed sees what the origin answers to a request that passes the cache.
type passed struct {
	http.ResponseWriter
	v    *visit
	why  reason
	kept *posted // nil: nothing is
	// before is the header that was there for the client before anybody answered.
	before http.Header
	done   bool
}

// WriteHeader implements http.ResponseWriter.
func (p *passed) WriteHeader(status int) {
	if !p.done && status >= 200 || status == http.StatusSwitchingProtocols {
		p.done = true
		p.v.forgetOutdated(&http.Response{StatusCode: status, Header: p.Header()})
		p.kept = p.v.keepPost(status, p.answered())
		p.v.tell(Result{Outcome: Bypass, NotStored: string(p.why)}, p.why,
			cacheStatus{forward: forwardOf(p.why), status: status})
	}
	p.ResponseWriter.WriteHeader(status)
}

// answered is the header of the answer, without what was there for the client before.
func (p *passed) answered() http.Header {
	h := p.Header().Clone()
	for name, values := range p.before {
		if slices.Equal(h[name], values) {
			delete(h, name)
		}
	}
	return h
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

// complete is for a handler that has returned: its answer is whole, even if it is nothing.
func (p *passed) complete() {
	if !p.done {
		p.WriteHeader(http.StatusOK)
	}
	if p.kept != nil {
		p.kept.finish()
	}
}

// end is for a handler that may have panicked.
func (p *passed) end() {
	if p.kept != nil {
		p.kept.saver.drop(nil)
	}
}

// Hijack implements http.Hijacker. What the client is answered then nobody sees.
func (p *passed) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if !p.done {
		p.done = true
		p.v.tell(Result{Outcome: Bypass, NotStored: string(p.why)}, p.why,
			cacheStatus{forward: forwardOf(p.why)})
	}
	return http.NewResponseController(p.ResponseWriter).Hijack()
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
	outdated := invalidated(&absolute, resp)
	if outdated == nil {
		return
	}
	c, ctx := v.h.cache, context.WithoutCancel(v.context()) // who leaves has changed it all the same
	url := shortKey(v.h.urlOf(v.r))
	reach := []purged{{key: url}}
	if rest := shortRest(v.h.restOf(v.req, v.scope)); rest != "" {
		reach = append(reach, purged{key: url + rest})
	}
	for _, u := range outdated {
		reach = append(reach, c.keysOfURL(u, u.RequestURI())...)
	}
	for _, group := range groupsInvalidatedBy(v.req.Method, resp.Header) {
		reach = append(reach, purged{tag: v.site.group(group)})
	}
	v.note(c.remove(ctx, reach))
}

// absolute is the URL of the request, as the client sees it.
func (v *visit) absolute() *url.URL {
	u := *v.r.URL
	u.Scheme, u.Host = v.site.scheme, v.site.host
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
