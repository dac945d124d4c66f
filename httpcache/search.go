// search.go lets queries that an origin says are the same be one response.

package httpcache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/larder-go/larder"
)

// searches remember, by URL without query, what the last response there said of its query
// (No-Vary-Search). It is forgotten with the process: then each query is loaded once more.
type searches struct {
	by *larder.Cache[string, search]
}

// search is a No-Vary-Search, and a mark that no other one has: keys under different ones must not
// meet.
type search struct {
	rule noVarySearch
	mark string
}

func newSearches() searches {
	return searches{larder.New(larder.Options[string, search]{MaxEntries: 100_000})}
}

// apply returns the URL under whose key the responses of url lie.
func (ss searches) apply(url string) string {
	base, query, ok := strings.Cut(url, "?")
	if !ok || ss.by.Len() == 0 {
		return url
	}
	s, ok := ss.by.Lookup(base)
	if !ok {
		return url
	}
	return base + "#search=" + s.mark + "?" + searchKey(query, s.rule)
}

// learn notes what a response with the header h says of the query of url, and reports whether that
// is news.
func (ss searches) learn(url string, h http.Header) bool {
	base, _, _ := strings.Cut(url, "?")
	old, known := ss.by.Lookup(base)
	lines := h["No-Vary-Search"]
	rule := parseNoVarySearch(lines)
	if lines == nil || rule.isDefault() {
		if known {
			_ = ss.by.Delete(context.Background(), base) // there is no store that could fail
		}
		return known
	}
	sum := sha256.Sum256([]byte(strings.Join(lines, ",")))
	s := search{rule, hex.EncodeToString(sum[:8])}
	if known && old.mark == s.mark {
		return false
	}
	return ss.by.Set(context.Background(), base, s) == nil
}
