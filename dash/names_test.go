// names_test.go looks for keys where none may be seen.

package dash_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/dash"
	"github.com/larder-go/larder/stats"
)

// secretive returns a part whose keys, tags and errors are all about one person.
func secretive() *rich {
	part := users()
	const key = "ada@example.org"
	l := life(key)
	l.Tags = []string{"family of ada@example.org"}
	l.LastLoad.Err = "no row for ada@example.org"
	l.Why = append(l.Sentences(), "ada@example.org was deleted.")
	part.keys.lives = map[string]stats.Life{key: l}
	for _, by := range []stats.Order{stats.ByHits, stats.ByLost, stats.ByWeight} {
		part.keys.top[by] = []stats.Key{{Key: key, Hits: 1}}
	}
	part.keys.slow = []stats.Load{{Key: key, Took: time.Second, Err: "no row for ada@example.org"}}
	part.keys.err = errors.New("ada@example.org cannot be reached")
	return part
}

func TestHashedKeysAreSeenNowhere(t *testing.T) {
	part := secretive()
	h := handler(t, dash.Options{HashKeys: true, Actions: true, Token: "t"}, part)
	d := get[dash.Detail](t, h, "/?format=json&cache=users")
	digest := d.Top.Hits[0].Key
	if len(digest) != 13 || digest != d.Top.Lost[0].Key || digest != d.Slowest[0].Key {
		t.Errorf("digests: %q %q %q, want the same", digest, d.Top.Lost[0].Key, d.Slowest[0].Key)
	}
	for _, target := range []string{"/?format=json", "/?format=json&cache=users",
		"/?format=json&cache=users&key=ada@example.org",
		"/?format=json&cache=users&key=" + url.QueryEscape(digest)} {
		if body := do(h, from("GET", target)).Body.String(); strings.Contains(body, "ada") {
			t.Errorf("%s tells %s", target, body)
		}
	}
	w := do(h, form("cache", "users", "key", digest, "do", "refresh", "token", "t"))
	if w.Code != 502 || strings.Contains(w.Body.String(), "ada") {
		t.Errorf("a refresh that fails: %d %s", w.Code, w.Body)
	}
	if calls := part.keys.heard(); calls[len(calls)-1] != "refresh ada@example.org" {
		t.Errorf("done: %q", calls)
	}
}

func TestAHashedKeyIsFoundByItselfAndByItsDigest(t *testing.T) {
	h := handler(t, dash.Options{HashKeys: true}, secretive())
	byKey := get[stats.Life](t, h, "/?format=json&cache=users&key=ada@example.org")
	byDigest := get[stats.Life](t, h, "/?format=json&cache=users&key="+url.QueryEscape(byKey.Key))
	if byKey.State != "fresh" || byDigest.State != "fresh" || byKey.Key != byDigest.Key {
		t.Errorf("by key: %+v, by digest: %+v", byKey, byDigest)
	}
}

func TestDigestsOfTwoProcessesDiffer(t *testing.T) {
	var seen [2]string
	for i := range seen {
		h := handler(t, dash.Options{HashKeys: true}, secretive())
		seen[i] = get[stats.Life](t, h, "/?format=json&cache=users&key=ada@example.org").Key
	}
	if seen[0] == seen[1] {
		t.Errorf("both are %s: whoever knows a key could find it in the digests of another", seen[0])
	}
}

func TestLongKeysAreCut(t *testing.T) {
	part := users()
	part.keys.top[stats.ByHits][0].Key = strings.Repeat("ä", 5000)
	d := get[dash.Detail](t, handler(t, dash.Options{}, part), "/?format=json&cache=users")
	if key := d.Top.Hits[0].Key; len(key) > 4100 || !strings.HasSuffix(key, "ä…") {
		t.Errorf("%d bytes, ending in %q", len(key), key[len(key)-8:])
	}
}
