// guard_test.go tries to be answered.

package dash_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/larder-go/larder/dash"
)

// asked changes a request before it is made.
type asked func(r *http.Request)

func host(name string) asked      { return func(r *http.Request) { r.Host = name } }
func client(address string) asked { return func(r *http.Request) { r.RemoteAddr = address } }

func header(name, value string) asked {
	return func(r *http.Request) { r.Header.Add(name, value) }
}

func TestOnlyThisMachineIsAnswered(t *testing.T) {
	h := handler(t, dash.Options{}, users())
	for _, c := range []struct {
		what string
		asks asked
		want int
	}{
		{"IPv4", client("127.0.0.1:1"), 200},
		{"IPv4 of the loopback net", client("127.9.9.9:1"), 200},
		{"IPv6", client("[::1]:1"), 200},
		{"IPv4 within IPv6", client("[::ffff:127.0.0.1]:1"), 200},
		{"another machine", client("192.0.2.1:1"), 403},
		{"another machine over IPv6", client("[2001:db8::1]:1"), 403},
		{"no address", client(""), 403},
		{"a name for an address", client("localhost:1"), 403},
		{"a proxy for another machine", header("X-Forwarded-For", "192.0.2.1"), 403},
		{"a proxy for both", header("X-Forwarded-For", "127.0.0.1, 192.0.2.1"), 403},
		{"a proxy for this machine", header("X-Forwarded-For", "127.0.0.1"), 200},
		{"a proxy with another field", header("X-Real-IP", "192.0.2.1"), 403},
		{"a proxy by the standard", header("Forwarded", "for=192.0.2.1"), 403},
		{"localhost", host("localhost"), 200},
		{"localhost in capitals", host("LocalHost:6060"), 200},
		{"a name under localhost", host("app.localhost:6060"), 200},
		{"an address", host("127.0.0.1:6060"), 200},
		{"an address of IPv6", host("[::1]:6060"), 200},
		{"an address of IPv6 without port", host("[::1]"), 200},
		{"a name that points here", host("evil.example:6060"), 403},
		{"a name that looks like localhost", host("localhost.evil.example"), 403},
		{"a name that ends like localhost", host("evillocalhost"), 403},
		{"an address of a net", host("10.0.0.1:6060"), 403},
		{"no host", host(""), 403},
	} {
		for _, target := range []string{"/", "/?format=json", "/dash.js", "/?cache=users&record=1ms"} {
			r := from("GET", target)
			c.asks(r)
			if strings.Contains(target, "record") && c.want == 200 {
				continue
			}
			if w := do(h, r); w.Code != c.want {
				t.Errorf("%s: %s: %d, want %d: %s", c.what, target, w.Code, c.want, w.Body)
			}
		}
	}
}

func TestARefusalSaysWhatToDoInstead(t *testing.T) {
	h := handler(t, dash.Options{}, users())
	for asks, want := range map[string]string{
		"http://localhost/": "ssh -L", "http://evil.example/": "dash.Options.AllowRemote",
	} {
		r := httptest.NewRequest("GET", asks, nil)
		if strings.Contains(asks, "evil") {
			r.RemoteAddr = "127.0.0.1:1"
		}
		body := do(h, r).Body.String()
		if !strings.Contains(body, want) || strings.Count(body, "\n") != 1 {
			t.Errorf("%s: %q, want one line with %q", asks, body, want)
		}
	}
}

func TestAllowRemoteAnswersEverybody(t *testing.T) {
	h := handler(t, dash.Options{AllowRemote: true}, users())
	r := httptest.NewRequest("GET", "https://cache.example/?format=json", nil)
	if w := do(h, r); w.Code != http.StatusOK {
		t.Errorf("%d %s, want 200", w.Code, w.Body)
	}
}

func TestClientsOfAUnixSocketAreAnswered(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Skip(err)
	}
	s := httptest.NewUnstartedServer(handler(t, dash.Options{}, users()))
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	c := &http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return net.Dial("unix", l.Addr().String())
		},
	}}
	answer, err := c.Get("http://app/debug/cache?format=json")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("%d, want 200", answer.StatusCode)
	}
}

func TestOtherSitesMayLeadHereAndNothingElse(t *testing.T) {
	h := handler(t, dash.Options{}, users())
	for _, c := range []struct {
		site, mode, target string
		want               int
	}{
		{"cross-site", "navigate", "/", 200},
		{"cross-site", "no-cors", "/?format=json", 403},
		{"cross-site", "cors", "/?format=json", 403},
		{"same-site", "cors", "/?format=json", 403}, // another port of this machine
		{"cross-site", "navigate", "/?cache=users&record=1s", 403},
		{"same-origin", "cors", "/?format=json", 200},
		{"none", "navigate", "/?format=json", 200},
	} {
		r := from("GET", c.target)
		r.Header.Set("Sec-Fetch-Site", c.site)
		r.Header.Set("Sec-Fetch-Mode", c.mode)
		if w := do(h, r); w.Code != c.want {
			t.Errorf("%+v: %d", c, w.Code)
		}
	}
}

// form is a request that changes something.
func form(values ...string) *http.Request {
	v := url.Values{}
	for i := 0; i < len(values); i += 2 {
		v.Set(values[i], values[i+1])
	}
	r := httptest.NewRequest("POST", "/debug/cache", strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr, r.Host = "127.0.0.1:50000", "localhost:6060"
	return r
}

func TestOnlyWhoHasTheTokenChangesKeys(t *testing.T) {
	part := users()
	h := handler(t, dash.Options{Actions: true, Token: "sesame"}, part)
	for _, c := range []struct {
		what string
		r    *http.Request
		want int
	}{
		{"no token", form("cache", "users", "key", "k", "do", "delete"), 403},
		{"a wrong token", form("cache", "users", "key", "k", "do", "delete", "token", "ses"), 403},
		{"the token in the address", httptest.NewRequest("POST", "/?token=sesame&cache=users", nil), 403},
		{"the token in the form", form("cache", "users", "key", "k1", "do", "delete", "token", "sesame"), 204},
		{"no key", form("cache", "users", "do", "delete", "token", "sesame"), 400},
		{"no such part", form("cache", "u", "key", "k", "do", "delete", "token", "sesame"), 404},
		{"no such action", form("cache", "users", "key", "k", "do", "clear", "token", "sesame"), 400},
		{"too large", form("cache", "users", "key", strings.Repeat("k", 70_000), "token", "sesame"), 400},
		{"too long a key", form("cache", "users", "key", strings.Repeat("k", 5000), "do", "delete",
			"token", "sesame"), 400},
	} {
		c.r.RemoteAddr, c.r.Host = "127.0.0.1:50000", "localhost:6060"
		if w := do(h, c.r); w.Code != c.want {
			t.Errorf("%s: %d, want %d: %s", c.what, w.Code, c.want, w.Body)
		}
	}
	r := form("cache", "users", "key", "k2", "do", "refresh")
	r.Header.Set("Authorization", "Bearer sesame")
	if w := do(h, r); w.Code != http.StatusNoContent {
		t.Errorf("with a header: %d, want 204: %s", w.Code, w.Body)
	}
	if got, want := strings.Join(part.keys.heard(), ", "), "delete k1, refresh k2"; got != want {
		t.Errorf("done: %s, want %s", got, want)
	}
}

func TestOtherSitesChangeNothing(t *testing.T) {
	part := users()
	h := handler(t, dash.Options{Actions: true, Token: "t"}, part)
	for name, value := range map[string]string{
		"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site", "origin": "null",
	} {
		r := form("cache", "users", "key", "k", "do", "delete", "token", "t")
		r.Header.Set(name, value)
		if w := do(h, r); w.Code != http.StatusForbidden {
			t.Errorf("%s: %s: %d, want 403", name, value, w.Code)
		}
	}
	r := form("cache", "users", "key", "k", "do", "delete", "token", "t")
	r.Header.Set("Origin", "http://localhost:6060")
	if w := do(h, r); w.Code != http.StatusNoContent {
		t.Errorf("from the page: %d, want 204", w.Code)
	}
	if calls := part.keys.heard(); len(calls) != 1 {
		t.Errorf("done: %q, want one", calls)
	}
}

func TestNothingIsChangedUnlessOptionsAllowIt(t *testing.T) {
	part := users()
	h := handler(t, dash.Options{Token: "t"}, part)
	w := do(h, form("cache", "users", "key", "k", "do", "delete", "token", "t"))
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "dash.Options.Actions") {
		t.Errorf("%d %s, want 403 and what to set", w.Code, w.Body)
	}
	if calls := part.keys.heard(); len(calls) != 0 {
		t.Errorf("done: %q, want nothing", calls)
	}
}
