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

// mostSearches bounds how many URLs are remembered, and maxSearch how long their rules are, in bytes.
const (
	mostSearches = 10_000
	maxSearch    = 1 << 10
)

func newSearches() searches {
	return searches{larder.New(larder.Options[string, search]{MaxEntries: mostSearches})}
}

// apply returns the URL under whose key the responses of url lie, as far as it is known.
func (ss searches) apply(url string) string {
	if ss.by.Len() == 0 || !strings.Contains(url, "?") {
		return url
	}
	base, _, _ := strings.Cut(url, "?")
	s, ok := ss.by.Lookup(base)
	if !ok {
		return url
	}
	return s.apply(url)
}

// apply returns the URL that stands for all that s says are the same as url.
func (s search) apply(url string) string {
	base, query, _ := strings.Cut(url, "?")
	return base + "#search=" + s.mark + "?" + searchKey(query, s.rule)
}

// learn notes what a response with the header h says of the query of url, and returns the URL under
// whose key it lies.
func (ss searches) learn(url string, h http.Header) string {
	base, _, ok := strings.Cut(url, "?")
	if !ok {
		return url
	}
	lines := h["No-Vary-Search"]
	rule, text := parseNoVarySearch(lines), strings.Join(lines, ",")
	if lines == nil || rule.isDefault() || len(text) > maxSearch {
		if _, known := ss.by.Lookup(base); known {
			_ = ss.by.Delete(context.Background(), base) // there is no store that could fail
		}
		return url
	}
	sum := sha256.Sum256([]byte(text))
	s := search{rule, hex.EncodeToString(sum[:8])}
	if ss.by.Set(context.Background(), base, s) != nil {
		return url // the cache is closed
	}
	return s.apply(url)
}
