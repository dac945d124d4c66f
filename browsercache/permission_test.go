// policy_test.go reads what permissions say.

package browsercache_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/browsercache"
)

func TestPermissionsSayWhatTheyMean(t *testing.T) {
	public, private := browsercache.Public, browsercache.Private
	for _, c := range []struct {
		permission browsercache.Permission
		want       string
	}{
		{browsercache.Immutable(), "public, max-age=31536000, immutable"},
		{browsercache.NoCache(), "no-cache"},
		{browsercache.PrivateNoCache(), "private, no-cache"},
		{browsercache.NoStore(), "no-store"},
		{public(time.Hour), "public, max-age=3600"},
		{public(0), "public, max-age=0"},
		{browsercache.PublicPermission{}, "public, max-age=0"},
		{browsercache.PrivatePermission{}, "private, max-age=0"},
		{public(1999 * time.Millisecond), "public, max-age=1"},
		{public(200 * 365 * 24 * time.Hour), "public, max-age=2147483648"},
		{public(time.Minute).SharedFor(0), "public, max-age=60, s-maxage=0"},
		{public(time.Minute).SharedFor(time.Hour).StaleWhileRevalidate(time.Second).
			StaleIfError(24 * time.Hour), "public, max-age=60, stale-while-revalidate=1, " +
			"stale-if-error=86400, s-maxage=3600"},
		{public(time.Minute).MustRevalidate(), "public, max-age=60, must-revalidate"},
		{private(time.Minute), "private, max-age=60"},
		{private(time.Minute).StaleWhileRevalidate(time.Minute).StaleIfError(time.Hour),
			"private, max-age=60, stale-while-revalidate=60, stale-if-error=3600"},
		{private(0).MustRevalidate(), "private, max-age=0, must-revalidate"},
	} {
		if got := c.permission.String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestAMethodchangesNoOtherPermission(t *testing.T) {
	base := browsercache.Public(time.Minute)
	one, two := base.SharedFor(time.Second), base.SharedFor(time.Hour)
	if one.String() == two.String() || strings.Contains(base.String(), "s-maxage") {
		t.Errorf("%s, %s, %s", base, one, two)
	}
}

func TestContradictionsPanic(t *testing.T) {
	public, private := browsercache.Public(time.Minute), browsercache.Private(time.Minute)
	for name, slip := range map[string]func(){
		"negative":               func() { browsercache.Public(-1) },
		"negative private":       func() { browsercache.Private(-time.Hour) },
		"negative shared":        func() { public.SharedFor(-time.Hour) },
		"negative stale":         func() { public.StaleIfError(-time.Hour) },
		"nothing stale":          func() { private.StaleWhileRevalidate(time.Millisecond) },
		"stale, then revalidate": func() { public.StaleIfError(time.Hour).MustRevalidate() },
		"revalidate, then stale": func() { private.MustRevalidate().StaleIfError(time.Hour) },
	} {
		func() {
			defer func() {
				if p := recover(); !strings.HasPrefix(fmt.Sprint(p), "browsercache: ") {
					t.Errorf("%s: panic %v", name, p)
				}
			}()
			slip()
		}()
	}
}

func TestOnlySuccessesGetThePermission(t *testing.T) {
	h := browsercache.With(browsercache.Immutable(), http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			if q.Has("own") {
				w.Header().Set("Cache-Control", q.Get("own"))
			}
			if q.Has("cookie") {
				http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
			}
			switch q.Get("do") {
			case "fail":
				http.Error(w, "no", http.StatusInternalServerError)
			case "redirect":
				http.Redirect(w, r, "/x", http.StatusFound)
			case "hints":
				w.WriteHeader(http.StatusEarlyHints)
				fmt.Fprint(w, "x")
			case "flush":
				http.NewResponseController(w).Flush()
			case "copy":
				http.ServeContent(w, r, "x.txt", time.Time{}, strings.NewReader("copied"))
			}
		}))
	const forever = "max-age=31536000, immutable"
	for query, want := range map[string]string{
		"": "public, " + forever, "do=flush": "public, " + forever, "do=copy": "public, " + forever,
		"do=hints": "public, " + forever, "own=no-store": "no-store", "do=fail": "",
		"do=redirect": "", "cookie": "private, " + forever,
	} {
		w := serve(t, h, "GET", "/?"+query, nil)
		if got := w.Header.Get("Cache-Control"); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

// serve asks a handler over a real connection. Redirects are not followed.
func serve(t testing.TB, h http.Handler, method, path string, fields map[string]string) reply {
	t.Helper()
	s := httptest.NewServer(h)
	defer s.Close()
	return ask(t, s.URL, method, path, fields)
}
