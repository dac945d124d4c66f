// security_test.go attacks the shared cache as a client, and as the neighbour of one;
// docs/security.md lists the attacks.

package httpcache_test

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/httpcache"
)

// prey is a site behind a shared cache, and what its origin got to see.
type prey struct {
	t       *testing.T
	cache   *httpcache.Cache
	handler http.Handler
	reply   func(*http.Request) *http.Response

	mu  sync.Mutex // guards got
	got []*http.Request
}

// newPrey returns a proxy of a cache before an origin that answers with reply.
func newPrey(t *testing.T, reply func(*http.Request) *http.Response, o httpcache.Origin) *prey {
	return newStoredPrey(t, reply, o, httpcache.Options{})
}

func newStoredPrey(
	t *testing.T, reply func(*http.Request) *http.Response, o httpcache.Origin,
	with httpcache.Options,
) *prey {
	p := &prey{t: t, reply: reply, cache: httpcache.New(with)}
	t.Cleanup(func() { p.cache.Close() })
	o.Transport = p
	if o.URL == nil {
		o.URL = &url.URL{Scheme: "http", Host: "origin.internal"}
	}
	p.handler = p.cache.Proxy(o)
	return p
}

// RoundTrip implements http.RoundTripper.
func (p *prey) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	p.got = append(p.got, r)
	p.mu.Unlock()
	return p.reply(r), nil
}

// asked is how many requests reached the origin.
func (p *prey) asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.got)
}

// wire reads a request off a start such as "GET /a" and lines, as a server does.
func wire(t *testing.T, start string, lines ...string) *http.Request {
	t.Helper()
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "Host:") }) {
		lines = append([]string{"Host: example.com"}, lines...)
	}
	head, body, _ := strings.Cut(strings.Join(lines, "\r\n"), "\r\n\r\n")
	text := start + " HTTP/1.1\r\n" + head + "\r\n\r\n" + body
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	r.RemoteAddr = "192.0.2.1:1234"
	return r
}

// through sends a request through a handler.
func through(
	t *testing.T, h http.Handler, start string, lines ...string,
) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, wire(t, start, lines...))
	return w
}

func (p *prey) ask(start string, lines ...string) *httptest.ResponseRecorder {
	p.t.Helper()
	return through(p.t, p.handler, start, lines...)
}

// seen is all that an origin can go by.
func seen(r *http.Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\n", r.Method, r.URL.RequestURI(), r.Host)
	h := r.Header.Clone()
	delete(h, "Via") // names the version of HTTP that the client spoke
	h.Write(&b)
	return b.String()
}

// mirror answers with what it got.
func mirror(lines ...string) func(*http.Request) *http.Response {
	lines = append([]string{"Cache-Control: max-age=60"}, lines...)
	return func(r *http.Request) *http.Response { return answer(200, seen(r), lines...) }
}

// unkeyed are fields that change what some origin answers, though no cache counts them.
var unkeyed = []string{
	"X-Forwarded-Host", "X-Forwarded-Scheme", "X-Forwarded-Proto", "X-Forwarded-Port",
	"X-Forwarded-Prefix", "X-Forwarded-Server", "X-Forwarded-For", "Forwarded", "X-Host",
	"X-Original-URL", "X-Original-Host", "X-Rewrite-URL", "X-HTTP-Method-Override",
	"X-HTTP-Method", "X-Method-Override", "X-HTTP-DestinationURL", "X-Real-IP", "True-Client-IP",
	"Range", "If-Range", "If-None-Match", "If-Modified-Since",
}

func TestUnkeyedFieldsPoisonNothing(t *testing.T) {
	for _, name := range unkeyed {
		t.Run(name, func(t *testing.T) {
			p := newPrey(t, mirror(), httpcache.Origin{})
			p.ask("GET /a", name+": evil")
			if body := p.ask("GET /a").Body.String(); strings.Contains(body, "evil") {
				t.Errorf("the next client got\n%s", body)
			}
		})
	}
}

// Origins of the CGI family cannot tell a dash from an underscore.
func TestFieldsSpelledWithUnderscoresPoisonNothing(t *testing.T) {
	for _, name := range []string{"X_Forwarded_Host", "X-Forwarded_Host", "x_original_url"} {
		p := newPrey(t, mirror(), httpcache.Origin{})
		p.ask("GET /a", name+": evil")
		if body := p.ask("GET /a").Body.String(); strings.Contains(body, "evil") {
			t.Errorf("%s: the next client got\n%s", name, body)
		}
	}
}

// More fields by which frameworks and middleboxes are steered.
func TestLesserKnownFieldsPoisonNothing(t *testing.T) {
	for _, name := range []string{
		"X-Forward-Host", "Front-End-Https", "X-Url-Scheme", "X-Scheme", "X-Script-Name",
		"X-Override-Url", "X-Envoy-Original-Path", "X-Middleware-Subrequest", "X-Invoke-Status",
		"X-Backend-Host", "X-Originating-Ip", "X-Remote-Addr",
	} {
		p := newPrey(t, mirror(), httpcache.Origin{})
		p.ask("GET /a", name+": evil")
		if body := p.ask("GET /a").Body.String(); strings.Contains(body, "evil") {
			t.Errorf("%s: the next client got it", name)
		}
	}
}

func TestFieldsThatAreForwardedArePartOfTheKey(t *testing.T) {
	p := newPrey(t, mirror(), httpcache.Origin{Forward: []string{"X-Original-Url"}})
	p.ask("GET /a", "X-Original-Url: evil")
	if body := p.ask("GET /a").Body.String(); strings.Contains(body, "evil") {
		t.Errorf("the next client got\n%s", body)
	}
}

// An origin believes a proxy of our own, so what that says is a part of the question.
func TestWhatTrustedProxiesSayIsPartOfTheKey(t *testing.T) {
	for name, values := range map[string][2]string{
		"X-Forwarded-Host":  {"a.example.com", "b.example.com"},
		"X-Forwarded-Proto": {"https", "http"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPrey(t, mirror(), httpcache.Origin{Trust: httpcache.TrustClients})
			p.ask("GET /a", name+": "+values[0])
			body := p.ask("GET /a", name+": "+values[1]).Body.String()
			if !strings.Contains(body, name+": "+values[1]+"\r\n") {
				t.Errorf("who comes from another site got\n%s", body)
			}
		})
	}
}

// Of what such a proxy says the origin gets what is in the key, and no more.
func TestWhatTrustedProxiesSayIsHandedOnAsItIsKeyed(t *testing.T) {
	for name, lines := range map[string][]string{
		"two hosts":       {"X-Forwarded-Host: example.com", "X-Forwarded-Host: evil"},
		"another case":    {"X-Forwarded-Host: EXAMPLE.com:80"},
		"unknown scheme":  {"X-Forwarded-Proto: evil"},
		"two schemes":     {"X-Forwarded-Proto: http", "X-Forwarded-Proto: evil"},
		"host beside it":  {"Host: evil", "X-Forwarded-Host: example.com"},
		"scheme in caps":  {"X-Forwarded-Proto: HTTP"},
		"forwarded port":  {"X-Forwarded-Port: 1"},
		"more than these": {"X-Forwarded-Prefix: evil", "Forwarded: host=evil"},
	} {
		o := httpcache.Origin{Trust: httpcache.TrustClients, Host: "*"}
		clean := newPrey(t, mirror(), o).ask("GET /a").Body.String()
		t.Run(name, func(t *testing.T) {
			p := newPrey(t, mirror(), o)
			p.ask("GET /a", lines...)
			if body := p.ask("GET /a").Body.String(); body != clean {
				t.Errorf("then example.com is\n%s want\n%s", body, clean)
			}
		})
	}
}

func TestVaryKeepsNegotiatedAnswersApart(t *testing.T) {
	for _, name := range []string{"Accept", "Accept-Language", "Accept-Encoding", "Origin"} {
		p := newPrey(t, mirror("Vary: "+name), httpcache.Origin{})
		p.ask("GET /a", name+": evil")
		for _, lines := range [][]string{nil, {name + ": good"}} {
			if body := p.ask("GET /a", lines...).Body.String(); strings.Contains(body, "evil") {
				t.Errorf("%s: a client with %q got\n%s", name, lines, body)
			}
		}
	}
}

// refusingX answers with a status to whoever sends X, as to a header that is too large.
func refusingX(status int, lines ...string) func(*http.Request) *http.Response {
	return func(r *http.Request) *http.Response {
		if r.Header["X"] != nil {
			return answer(status, "no", lines...)
		}
		return answer(200, "yes", "Cache-Control: max-age=60")
	}
}

func TestErrorsOfOneClientReachNoOther(t *testing.T) {
	views := map[string]httpcache.View{"": {}, "TTL": {TTL: time.Hour, Stale: time.Hour}}
	for _, status := range []int{
		400, 401, 403, 404, 405, 408, 413, 414, 416, 429, 431, 500, 501, 502, 503,
	} {
		for name, view := range views {
			p := newPrey(t, refusingX(status, `Etag: "a"`), httpcache.Origin{View: view})
			p.ask("GET /a", "X: "+strings.Repeat("x", 20<<10))
			if w := p.ask("GET /a"); w.Body.String() != "yes" {
				t.Errorf("%d %s: the next client got %d %s", status, name, w.Code, w.Body)
			}
		}
	}
}

// A load that is not shared keeps the client's Range: what comes of it must not be for all.
func TestRangeThatCannotBeSatisfiedReachesNoOther(t *testing.T) {
	reply := func(r *http.Request) *http.Response {
		if r.Method == http.MethodGet && r.Header["Range"] != nil {
			return answer(416, "no", "Cache-Control: max-age=60")
		}
		return answer(200, "yes", "Cache-Control: max-age=60")
	}
	for _, first := range []string{"HEAD /a", "GET /a"} {
		p := newPrey(t, reply, httpcache.Origin{})
		p.ask(first, "Cache-Control: no-store")
		p.ask("GET /a", "Range: bytes=99-")
		if w := p.ask("GET /a"); w.Body.String() != "yes" {
			t.Errorf("after %s the next client got %d %s", first, w.Code, w.Body)
		}
	}
}

// What Connection names the origin does not get, so it must not count as if it had.
func TestFieldsNamedInConnectionSelectNothing(t *testing.T) {
	t.Run("Vary", func(t *testing.T) {
		p := newPrey(t, mirror("Vary: Accept"), httpcache.Origin{})
		p.ask("GET /a", "Accept: text/x", "Connection: Accept")
		body := p.ask("GET /a", "Accept: text/x").Body.String()
		if !strings.Contains(body, "text/x") {
			t.Errorf("the next client that accepts text/x got\n%s", body)
		}
	})
	t.Run("Forward", func(t *testing.T) {
		p := newPrey(t, mirror(), httpcache.Origin{Forward: []string{"X-Tenant"}})
		p.ask("GET /a", "X-Tenant: b", "Connection: X-Tenant")
		body := p.ask("GET /a", "X-Tenant: b").Body.String()
		if !strings.Contains(body, "X-Tenant: b") {
			t.Errorf("the next client of the tenant got\n%s", body)
		}
	})
}

func TestConnectionCannotTakeAwayWhatTheProxySays(t *testing.T) {
	p := newPrey(t, mirror(), httpcache.Origin{})
	w := p.ask("GET /a", "Connection: Via, X-Forwarded-For, X-Forwarded-Host, Host, Close")
	body := w.Body.String()
	for _, want := range []string{"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: example.com"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	if p.got[0].Header.Get("Via") == "" || p.got[0].Header["Connection"] != nil {
		t.Errorf("the origin got %v", p.got[0].Header)
	}
}

func TestFatGetIsAnsweredByTheOriginAlone(t *testing.T) {
	p := newPrey(t, mirror(), httpcache.Origin{})
	for range 2 {
		p.ask("GET /a", "Content-Length: 4\r\n\r\nevil")
	}
	if body := p.ask("GET /a").Body.String(); strings.Contains(body, "Content-Length") {
		t.Errorf("the next client got\n%s", body)
	}
	if n := p.asked(); n != 3 {
		t.Errorf("the origin was asked %d times, want 3", n)
	}
}

// Parameters that do not count, as somebody else than we may cut them: at a semicolon, after a
// space, behind a broken escape. What is not in the key the origin must not see.
func TestUncountedParametersCannotHideCountedOnes(t *testing.T) {
	for _, query := range []string{
		"utm=1;id=evil&id=1", "id=1&%20id=evil", "id=1&id%00=evil", "id=1&%zz;id=evil",
		"id=1&utm=evil", "id=1&ID=evil", "id=1&+id=evil",
	} {
		p := newPrey(t, mirror(), httpcache.Origin{View: httpcache.View{Query: []string{"id"}}})
		p.ask("GET /a?" + query)
		if body := p.ask("GET /a?id=1").Body.String(); strings.Contains(body, "evil") {
			t.Errorf("after ?%s ?id=1 is\n%s", query, body)
		}
	}
}

// What is chosen of Accept-Language is in the key; the rest of it the origin must not see.
func TestLanguageOfTheKeyIsTheLanguageAskedFor(t *testing.T) {
	view := httpcache.View{Languages: []string{"en", "de"}}
	p := newPrey(t, mirror(), httpcache.Origin{View: view})
	p.ask("GET /a", "Accept-Language: evil, de;q=0.1")
	body := p.ask("GET /a", "Accept-Language: de").Body.String()
	if strings.Contains(body, "evil") {
		t.Errorf("a German got\n%s", body)
	}
}

// targets are written differently; each origin decides for itself which of them are the same.
var targets = []string{
	"/a/b", "/a//b", "//a/b", "/a/./b", "/a/x/../b", "/a/%2e%2e/b", "/a/..%2fb", "/a%2fb",
	"/a%2Fb",
	"/a%5cb", "/a\\b", "/a/b/", "/a/b.", "/a/b%20", "/a/b%00", "/a/b%0a", "/a/b;x", "/a/b;x=1",
	"/A/b", "/a/%62", "/a/b?", "/a/b?x", "/a/b?x=1&y=2", "/a/b?y=2&x=1", "/a/b?x=1;y=2",
	"/a/b?x=%31",
	"/a/b?x=1&x=2", "/a/b?x=2&x=1", "/a/b?x=+", "/a/b?x=%20", "/a/b%3fx", "/a/b%23x", "/a/b#x",
	"/a/b?#x", "/a|b", "/a%7Cb", `/a"b`, "/a%22b", "/a<b", "/a\xc3\xbc", "/a%c3%bc", "/a%C3%BC",
	"/@a/b", "/a/b@c", "/a:b", "/%2e%2e/a", "/..", "http://example.com/a/b",
	"http://EXAMPLE.com/a/b", "http://example.com", "http://example.com?x", "/",
}

// Each target gets what the origin says to it, whatever was asked before it.
func TestTargetsShareNothingThatTheOriginTellsApart(t *testing.T) {
	own := map[string]string{}
	for _, target := range targets {
		own[target] = newPrey(t, mirror(), httpcache.Origin{}).ask("GET " + target).Body.String()
	}
	back := slices.Clone(targets)
	slices.Reverse(back)
	for _, order := range [][]string{targets, back} {
		p := newPrey(t, mirror(), httpcache.Origin{})
		for _, target := range order {
			if got := p.ask("GET " + target).Body.String(); got != own[target] {
				t.Errorf("%q got\n%s want\n%s", target, got, own[target])
			}
		}
	}
}

// What a "#" separates in keys no client can write.
func TestTargetsCannotSpellKeys(t *testing.T) {
	scope := func(r *http.Request) string { return r.Header.Get("User") }
	origin := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		fmt.Fprintf(w, "%q for %s", r.URL.Path, r.Header.Get("User"))
	})
	c := openCache(t, httpcache.Options{})
	mine := c.Middleware(origin, httpcache.View{Scope: scope})
	all := c.Middleware(origin, httpcache.View{})
	t.Run("to read", func(t *testing.T) {
		through(t, mine, "GET /a", "User: alice")
		body := through(t, all, "GET /a#scope=alice").Body.String()
		if strings.Contains(body, "for alice") {
			t.Errorf("a stranger got %s", body)
		}
	})
	t.Run("to write", func(t *testing.T) {
		through(t, all, "GET /b#scope=alice")
		body := through(t, mine, "GET /b", "User: alice").Body.String()
		if body != `"/b" for alice` {
			t.Errorf("alice got %s", body)
		}
	})
	t.Run("within one door", func(t *testing.T) {
		p := newPrey(t, mirror(), httpcache.Origin{Forward: []string{"X-Tenant"}})
		p.ask("GET /a#X-Tenant=b")
		body := p.ask("GET /a", "X-Tenant: b").Body.String()
		if !strings.Contains(body, "X-Tenant: b") {
			t.Errorf("the tenant got\n%s", body)
		}
	})
	t.Run("digest of a long one", func(t *testing.T) {
		long := "/" + strings.Repeat("a", 9000)
		with := httpcache.Options{Store: memoryStore(t)}
		p := newStoredPrey(t, mirror(), httpcache.Origin{}, with)
		p.ask("GET " + long)
		if n := p.asked(); n != 1 {
			t.Fatal(n)
		}
		const site = "http://example.com"
		p.ask("GET " + long[:1024-len(site)] + "#sha256=" + digestOf(site+long))
		if n := p.asked(); n != 2 {
			t.Error("a short URL got the answer to a long one")
		}
	})
}

// digestOf is what stands for what is too long for a key.
func digestOf(key string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(key))) }

// hosts are names that a server may or may not take for example.com.
var hosts = []string{
	"EXAMPLE.com", "example.com.", "example.com:80", "example.com:8080", "example.com:",
	"example.com:443", "example.com:080", "example.com%00", "evil.com", "[::1]", "[::1]:80",
}

func TestHostsShareNothingThatTheOriginTellsApart(t *testing.T) {
	for _, send := range []string{"", "*", "fixed.internal"} {
		clean := newPrey(t, mirror(), httpcache.Origin{Host: send}).ask("GET /a").Body.String()
		for _, host := range hosts {
			t.Run(host+" sent as "+cmp.Or(send, "nothing"), func(t *testing.T) {
				p := newPrey(t, mirror(), httpcache.Origin{Host: send})
				p.ask("GET /a", "Host: "+host)
				if body := p.ask("GET /a").Body.String(); body != clean {
					t.Errorf("then example.com is\n%s want\n%s", body, clean)
				}
			})
		}
	}
}

// The KELVIN SIGN is a K to who lowers letters by Unicode, and to IDNA; to an origin it is none.
func TestHostsAreComparedByteByByteBeyondASCII(t *testing.T) {
	p := newPrey(t, mirror(), httpcache.Origin{})
	clean := newPrey(t, mirror(), httpcache.Origin{}).ask("GET http://kiosk.com/a").Body.String()
	p.ask("GET http://\u212Aiosk.com/a")
	if body := p.ask("GET http://kiosk.com/a").Body.String(); body != clean {
		t.Errorf("kiosk.com is\n%s want\n%s", body, clean)
	}
}

func TestAbsoluteFormCountsBeforeHost(t *testing.T) {
	p := newPrey(t, mirror(), httpcache.Origin{})
	p.ask("GET http://evil.com/a", "Host: example.com")
	if body := p.ask("GET /a").Body.String(); strings.Contains(body, "evil") {
		t.Errorf("example.com is\n%s", body)
	}
	p.ask("GET http://alice:secret@example.com/b")
	last := p.got[len(p.got)-1]
	if last.URL.User != nil || last.Header["Authorization"] != nil {
		t.Errorf("the origin was asked for %s with %v", last.URL, last.Header)
	}
}

// An account page is one whatever its name ends with.
func TestNothingIsKeptForItsExtension(t *testing.T) {
	account := func(r *http.Request) *http.Response {
		return answer(200, "page of "+r.Header.Get("Cookie"), "Content-Type: text/html")
	}
	for _, path := range []string{
		"/account/x.css", "/account;x.css", "/account%0ax.css", "/account%3fx.css",
		"/account%23x.css",
		"/account%00.js", "/account.css", "/account/..%2fx.png", "/static/..%2faccount",
		"/account/favicon.ico",
	} {
		for name, view := range map[string]httpcache.View{"": {}, "TTL": {TTL: time.Hour}} {
			p := newPrey(t, account, httpcache.Origin{View: view})
			p.ask("GET "+path, "Cookie: alice")
			if body := p.ask("GET " + path).Body.String(); strings.Contains(body, "alice") {
				t.Errorf("%s %s: the attacker got %q", path, name, body)
			}
		}
	}
}

func TestRequestsGoToTheOriginAndNowhereElse(t *testing.T) {
	p := newPrey(t, mirror(), httpcache.Origin{})
	fields := []string{"Host: ", "X-Forwarded-Host: ", "X-Original-Host: ", "Forwarded: host="}
	for _, start := range []string{
		"GET http://169.254.169.254/latest", "GET //169.254.169.254/latest",
		"GET /@169.254.169.254",
		"GET /http://169.254.169.254/", "GET /a:@169.254.169.254/", "GET /\\169.254.169.254/",
		"GET /..//169.254.169.254", "POST http://169.254.169.254/", "OPTIONS *",
		"GET https://169.254.169.254/",
		"CONNECT 169.254.169.254:80", "PURGE http://169.254.169.254/",
	} {
		for _, name := range fields {
			before := p.asked()
			p.ask(start, name+"169.254.169.254")
			for _, r := range p.got[before:] {
				checkAsked(t, r, start)
			}
		}
	}
}

// checkAsked checks that a request is to the origin that was configured.
func checkAsked(t *testing.T, r *http.Request, start string) {
	t.Helper()
	elsewhere := r.URL.Host != "origin.internal" || r.Host != "" && r.Host != "origin.internal"
	if elsewhere || r.URL.Scheme != "http" || r.URL.User != nil || r.URL.Opaque != "" {
		t.Errorf("%s: asked %s of %s", start, r.URL, r.Host)
	}
}

func TestRedirectsOfTheOriginAreNotFollowed(t *testing.T) {
	p := newPrey(t, always(302, "", "Location: http://169.254.169.254/latest"), httpcache.Origin{})
	for _, start := range []string{"GET /a", "HEAD /a", "POST /a"} {
		if w := p.ask(start); w.Code != 302 {
			t.Errorf("%s: %d", start, w.Code)
		}
	}
	if p.asked() != 3 {
		t.Errorf("the origin was asked %d times", p.asked())
	}
}

func TestClientsPurgeNothing(t *testing.T) {
	p := newPrey(t, func(r *http.Request) *http.Response {
		if r.Method != http.MethodGet {
			return answer(405, "")
		}
		return answer(200, "hello", "Cache-Control: max-age=60", "Surrogate-Key: k")
	}, httpcache.Origin{})
	p.ask("GET /a")
	for _, method := range []string{"PURGE", "BAN", "PURGEALL", "REFRESH", "DELETE", "purge"} {
		p.ask(method + " /a")
		p.ask(method+" /*", "X-Purge-Regex: .*", "Surrogate-Key: k")
	}
	for _, line := range []string{
		"X-Purge: 1", "X-Purge-Method: regex", "Purge: yes", "Surrogate-Key: k", "Fastly-Purge: 1",
		"Cache-Tag: k", "X-HTTP-Method-Override: PURGE",
	} {
		p.ask("GET /b", line)
	}
	before := p.asked()
	if w := p.ask("GET /a"); w.Body.String() != "hello" || p.asked() != before {
		t.Errorf("somebody purged /a: %s", w.Header()["Cache-Status"])
	}
}

// However a URL is written, who knows it can make its answer leave, by a purge or a change.
func TestPurgesReachEverySpelling(t *testing.T) {
	for _, target := range targets {
		p := newPrey(t, mirror(), httpcache.Origin{})
		p.ask("GET " + target)
		p.ask("POST "+target, "Content-Length: 0")
		if p.ask("GET " + target); p.asked() != 3 {
			t.Errorf("a POST to %q did not make it leave", target)
		}
		whole := "http://example.com" + strings.TrimPrefix(target, "http://example.com")
		if strings.HasPrefix(target, "http:") || strings.Contains(target, "#") {
			continue // a fragment is none of a URL that is asked for
		}
		if _, err := p.cache.Purge(context.Background(), httpcache.Purge{URL: whole}); err != nil {
			t.Errorf("%q: %v", whole, err)
		}
		if p.ask("GET " + target); p.asked() != 4 {
			t.Errorf("a purge of %q did not make it leave", target)
		}
	}
}

// sharingAttempts are pages that are about their reader.
var sharingAttempts = []struct{ name, request, response string }{
	{"Authorization", "Authorization: alice", "Cache-Control: max-age=60"},
	{"Expires", "Authorization: alice", "Expires: Fri, 31 Dec 2100 00:00:00 GMT"},
	{"private", "Cookie: alice", "Cache-Control: max-age=60, private"},
	{"private with a field", "Cookie: alice", `Cache-Control: max-age=60, private="set-cookie"`},
	{"PRIVATE", "Cookie: alice", "Cache-Control: PRIVATE, MAX-AGE=60"},
	{"no-store", "Cookie: alice", "Cache-Control: max-age=60, no-store"},
	{"open quote", "Cookie: alice", `Cache-Control: max-age=60, x="private`},
	{"Vary: Cookie", "Cookie: alice", "Vary: Cookie\nCache-Control: max-age=60"},
	{"Vary: Authorization", "Authorization: alice",
		"Vary: Authorization\nCache-Control: public, max-age=60"},
	{"Vary: *", "Cookie: alice", "Vary: *\nCache-Control: max-age=60"},
	{"Set-Cookie", "Cookie: alice", "Set-Cookie: id=alice\nCache-Control: max-age=60"},
	{"Set-Cookie, public", "Cookie: alice",
		"Set-Cookie: id=alice\nCache-Control: public, max-age=60"},
	{"nothing said", "Cookie: alice", ""},
	{"only Last-Modified", "Cookie: alice", "Last-Modified: Fri, 01 Jan 2010 00:00:00 GMT"},
	{"an ETag", "Cookie: alice", `Etag: "alice"`},
}

// readers asks as alice, then as bob and as nobody, who must not get her page.
func readers(t *testing.T, view httpcache.View, request, response string) {
	t.Helper()
	p := newPrey(t, func(r *http.Request) *http.Response {
		who := cmp.Or(r.Header.Get("Cookie"), r.Header.Get("Authorization"), "nobody")
		if response == "" {
			return answer(200, "page of "+who)
		}
		return answer(200, "page of "+who, strings.Split(response, "\n")...)
	}, httpcache.Origin{View: view})
	p.ask("GET /a", request)
	bob := strings.Replace(request, "alice", "bob", 1)
	others := [][]string{{bob}, nil, {bob, `If-None-Match: "alice"`}, {"Range: bytes=0-11"}}
	for _, lines := range others {
		w := p.ask("GET /a", lines...)
		if strings.Contains(w.Body.String(), "alice") {
			t.Errorf("who sends %q got %q with %v", lines, w.Body, w.Header())
		}
	}
}

func TestPagesOfOneUserReachNoOther(t *testing.T) {
	views := map[string]httpcache.View{
		"plain": {}, "TTL": {TTL: time.Hour, Stale: time.Hour},
		"ShareCookies": {Cookies: httpcache.ShareCookies},
	}
	for _, row := range sharingAttempts {
		for name, view := range views {
			if name == "ShareCookies" && strings.HasPrefix(row.name, "Set-Cookie") {
				continue // that is what it says
			}
			t.Run(row.name+" "+name, func(t *testing.T) {
				readers(t, view, row.request, row.response)
			})
		}
	}
}

func TestStaleIfErrorIsForThoseWhoMayHaveIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := false
		p := newStoredPrey(t, func(r *http.Request) *http.Response {
			if down {
				return answer(503, "down")
			}
			return answer(200, r.Header.Get("Cookie"), "Cache-Control: max-age=1", "Vary: Cookie")
		}, httpcache.Origin{}, httpcache.Options{StaleIfError: time.Hour})
		p.ask("GET /a", "Cookie: alice")
		down = true
		time.Sleep(time.Minute)
		if w := p.ask("GET /a", "Cookie: bob"); w.Code != 503 {
			t.Errorf("bob got %d %s", w.Code, w.Body)
		}
		if w := p.ask("GET /a", "Cookie: alice"); w.Code != 200 {
			t.Errorf("alice got %d %s", w.Code, w.Body)
		}
	})
}

// scopes are names that a careless key would mix up.
var scopes = []string{
	"a", "b", "a#scope=b", "a&scope=b", "a%23scope%3Db", "", " ", "a ", "A", "a/b", "a\x00", "a\n",
	"a#language=de", "a+b", "a b", "\xff", "#", "#vary=1.0000",
}

func TestScopesNeverMeet(t *testing.T) {
	scope := func(r *http.Request) string { return scopes[len(r.Header["Who"])] }
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		fmt.Fprintf(w, "%d", len(r.Header["Who"]))
	})
	h := openCache(t, httpcache.Options{}).Middleware(next, httpcache.View{Scope: scope})
	for range 2 {
		for i := range scopes {
			lines := slices.Repeat([]string{"Who: x"}, i)
			if got := through(t, h, "GET /a", lines...).Body.String(); got != fmt.Sprint(i) {
				t.Errorf("scope %q got the answer of %s", scopes[i], got)
			}
		}
	}
}

// The empty scope is everybody: what answers credentials must not get there because others have
// scopes. That a cookie does not matter there the code has said by naming the scope.
func TestTheEmptyScopeIsSharedLikeNone(t *testing.T) {
	view := httpcache.View{Scope: func(*http.Request) string { return "" }, TTL: time.Hour}
	readers(t, view, "Authorization: alice", "")
	readers(t, view, "Cookie: alice", "Cache-Control: private")
	readers(t, view, "Cookie: alice", "Set-Cookie: id=alice\nCache-Control: max-age=60")
}

func TestAnswersToPostAreKeptWithoutWhatIsForItsSender(t *testing.T) {
	reply := func(r *http.Request) *http.Response {
		return answer(200, "page of "+r.Header.Get("Authorization"), "Cache-Control: max-age=60",
			"Content-Location: /a")
	}
	p := newPrey(t, reply, httpcache.Origin{})
	p.ask("POST /a", "Authorization: alice", "Content-Length: 0")
	if body := p.ask("GET /a").Body.String(); strings.Contains(body, "alice") {
		t.Errorf("a stranger got %q", body)
	}
	outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user := r.Header.Get("User"); user != "" {
			w.Header().Set("X-User", user) // of a middleware in front of the cache
		}
		p.handler.ServeHTTP(w, r)
	})
	through(t, outer, "POST /a", "User: alice", "Content-Length: 0")
	if w := through(t, outer, "GET /a"); w.Header().Get("X-User") != "" {
		t.Errorf("a stranger got %v", w.Header())
	}
}

func TestHeadOfOneUserChangesNothingForOthers(t *testing.T) {
	p := newPrey(t, func(r *http.Request) *http.Response {
		lines := []string{"Cache-Control: public, max-age=60", `Etag: "a"`}
		if r.Header["Cookie"] != nil {
			lines = append(lines, "Set-Cookie: id=alice", "X-User: alice")
		}
		return answer(200, "hello", lines...)
	}, httpcache.Origin{})
	p.ask("GET /a")
	p.ask("HEAD /a", "Cookie: alice", "Cache-Control: no-cache")
	if w := p.ask("GET /a"); w.Header()["Set-Cookie"] != nil || w.Header()["X-User"] != nil {
		t.Errorf("a stranger got %v", w.Header())
	}
}

// atOnce lets all requests wait for the origin at the same time, the first as the first.
func atOnce(t *testing.T, p *prey, requests ...[]string) []*httptest.ResponseRecorder {
	opened := make(chan struct{})
	answer := p.reply
	p.reply = func(r *http.Request) *http.Response {
		<-opened
		return answer(r)
	}
	defer func() { p.reply = answer }()
	all := make([]*httptest.ResponseRecorder, len(requests))
	for i, lines := range requests {
		all[i] = httptest.NewRecorder()
		r := wire(t, "GET /a", lines...)
		go p.handler.ServeHTTP(all[i], r)
		synctest.Wait()
	}
	close(opened)
	synctest.Wait()
	return all
}

// personal are the headers of pages that two users ask for at the same time.
var personal = map[string]string{
	"nothing said":     "",
	"an ETag":          `Etag: W/"%s"`,
	"Last-Modified":    "Last-Modified: Fri, 01 Jan 2010 00:00:00 GMT",
	"private":          "Cache-Control: private, max-age=60",
	"no-store":         "Cache-Control: no-store",
	"no-cache":         "Cache-Control: no-cache\nEtag: \"%s\"",
	"public, no-cache": "Cache-Control: public, no-cache\nEtag: \"%s\"",
	"must-revalidate":  "Cache-Control: max-age=0, must-revalidate\nEtag: \"%s\"",
	"s-maxage=0":       "Cache-Control: s-maxage=0\nEtag: \"%s\"",
	"Set-Cookie":       "Cache-Control: max-age=60\nSet-Cookie: id=%s",
	"Vary: *":          "Cache-Control: max-age=60\nVary: *",
	"Vary: Cookie":     "Cache-Control: max-age=60\nVary: Cookie, Authorization",
}

func TestTwoUsersAtOnceEachGetTheirOwn(t *testing.T) {
	for name, lines := range personal {
		for _, field := range []string{"Cookie", "Authorization"} {
			t.Run(name+", "+field, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { threeAtOnce(t, field, lines) })
			})
		}
	}
}

// threeAtOnce lets three users ask, who say in a field who they are.
func threeAtOnce(t *testing.T, field, lines string) {
	p := newPrey(t, func(r *http.Request) *http.Response {
		who := r.Header.Get(field)
		said := strings.ReplaceAll(lines, "%s", who)
		return answer(200, "page of "+who, strings.Split(said, "\n")...)
	}, httpcache.Origin{})
	users := []string{"alice", "bob", "carol"}
	var requests [][]string
	for _, user := range users {
		requests = append(requests, []string{field + ": " + user})
	}
	for i, w := range atOnce(t, p, requests...) {
		if want := "page of " + users[i]; w.Body.String() != want {
			t.Errorf("%s got %q", users[i], w.Body)
		}
	}
}

func TestLoadsWithAndWithoutAuthorizationAtOnce(t *testing.T) {
	both := [][]string{{"Authorization: alice"}, nil}
	for range 2 {
		synctest.Test(t, func(t *testing.T) {
			p := newPrey(t, func(r *http.Request) *http.Response {
				who := r.Header.Get("Authorization")
				return answer(200, "page of "+who, "Cache-Control: max-age=60")
			}, httpcache.Origin{})
			for i, w := range atOnce(t, p, both...) {
				if both[i] == nil && strings.Contains(w.Body.String(), "alice") {
					t.Errorf("a stranger got %q", w.Body)
				}
			}
		})
		slices.Reverse(both)
	}
}

// guarded is an origin that lets alice alone in, and lets others keep what it sends if they ask
// it each time.
func guarded(r *http.Request) *http.Response {
	lines := []string{"Cache-Control: public, no-cache", `Etag: "1"`}
	switch {
	case r.Header.Get("Authorization") != "alice":
		return answer(403, "no")
	case r.Header.Get("If-None-Match") == `"1"`:
		return answer(304, "", append(lines, "Set-Cookie: id=alice")...)
	}
	return answer(200, "secret", lines...)
}

func TestValidationForOneUserIsNoneForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPrey(t, guarded, httpcache.Origin{})
		p.ask("GET /a", "Authorization: alice")
		alice, bob := []string{"Authorization: alice"}, []string{"Authorization: bob"}
		for _, w := range atOnce(t, p, alice, bob, nil)[1:] {
			if w.Code != 403 {
				t.Errorf("a stranger got %d %s", w.Code, w.Body)
			}
		}
	})
}

// The header of a 304 is for who asked.
func TestCookieOf304IsForOneUserAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPrey(t, func(r *http.Request) *http.Response {
			if r.Header["If-None-Match"] != nil {
				return answer(304, "", `Etag: "1"`, "Cache-Control: max-age=60",
					"Set-Cookie: id="+r.Header.Get("Cookie"))
			}
			return answer(200, "hello", `Etag: "1"`, "Cache-Control: max-age=60")
		}, httpcache.Origin{})
		p.ask("GET /a")
		time.Sleep(2 * time.Minute)
		all := atOnce(t, p, []string{"Cookie: alice"}, []string{"Cookie: bob"})
		all = append(all, p.ask("GET /a"))
		for _, w := range all[1:] {
			if strings.Contains(fmt.Sprint(w.Header()), "alice") {
				t.Errorf("another got %v", w.Header())
			}
		}
	})
}

// Who asks after a purge or a change must not get what was asked for before.
func TestLoadsThatBeganBeforeAPurgeAreJoinedByNobody(t *testing.T) {
	for name, change := range map[string]func(*prey){
		"POST": func(p *prey) { p.ask("POST /a", "Content-Length: 0") },
		"Purge": func(p *prey) {
			p.cache.Purge(context.Background(), httpcache.Purge{URL: "http://example.com/a"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { aroundAChange(t, change) })
		})
	}
}

// aroundAChange lets one client ask before a change and one after, and the origin answer then.
func aroundAChange(t *testing.T, change func(*prey)) {
	version, opened := "old", make(chan struct{})
	p := newPrey(t, func(r *http.Request) *http.Response {
		now := version
		if r.Method == http.MethodGet {
			<-opened
		}
		return answer(200, now, "Cache-Control: max-age=60")
	}, httpcache.Origin{})
	before, after := httptest.NewRecorder(), httptest.NewRecorder()
	first, second := wire(t, "GET /a"), wire(t, "GET /a")
	go p.handler.ServeHTTP(before, first)
	synctest.Wait()
	version = "new"
	change(p)
	go p.handler.ServeHTTP(after, second)
	synctest.Wait()
	close(opened)
	synctest.Wait()
	if before.Body.String() != "old" || after.Body.String() != "new" {
		t.Errorf("before: %s, after: %s", before.Body, after.Body)
	}
}
