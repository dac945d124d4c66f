// heat.go finds out what is asked for most just now.

package accesslog

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"
)

// maxURLs is how many addresses a Heat counts before it forgets the colder half of them.
const maxURLs = 1 << 20

// halfLife is how much older a request is that counts half as much.
const halfLife = 24 * time.Hour

// Heat ranks addresses by how often they were asked for, where a request counts half as much for
// each day that it lies before another: yesterday's favourite comes before last week's. It needs
// no clock, and the lines may come in any order. The zero value is empty. It is not safe for
// concurrent use.
type Heat struct {
	began time.Time // of the first request with a time; it weighs 1
	urls  map[string]warmth
	most  int // 0 means maxURLs
}

// warmth is what is known of an address.
type warmth struct {
	requests int
	weight   float64
}

// Ranked is an address with the number of its requests.
type Ranked struct {
	URL      string
	Requests int
}

// Add counts a request. One whose time is zero counts as one of the time of the first.
func (h *Heat) Add(url string, at time.Time) {
	if h.urls == nil {
		h.urls = map[string]warmth{}
	}
	if h.began.IsZero() {
		h.began = at
	}
	w := h.urls[url]
	h.urls[url] = warmth{w.requests + 1, w.weight + h.weigh(at)}
	if most := cmp.Or(h.most, maxURLs); len(h.urls) > most {
		h.forget(most / 2)
	}
}

// weigh returns what a request counts. Three years are the most that a float can tell apart.
func (h *Heat) weigh(at time.Time) float64 {
	if at.IsZero() {
		return 1
	}
	days := float64(at.Sub(h.began)) / float64(halfLife)
	return math.Exp2(min(max(days, -900), 900))
}

// forget drops all but the hottest.
func (h *Heat) forget(keep int) {
	for _, r := range h.Hottest()[keep:] {
		delete(h.urls, r.URL)
	}
}

// Hottest returns all addresses, the hottest first, and equally hot ones by name. Of more than a
// million some of the coldest are missing.
func (h *Heat) Hottest() []Ranked {
	urls := slices.SortedFunc(maps.Keys(h.urls), func(a, b string) int {
		return cmp.Or(cmp.Compare(h.urls[b].weight, h.urls[a].weight), cmp.Compare(a, b))
	})
	ranked := make([]Ranked, len(urls))
	for i, url := range urls {
		ranked[i] = Ranked{url, h.urls[url].requests}
	}
	return ranked
}
