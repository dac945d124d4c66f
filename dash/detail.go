// detail.go answers what is asked about one part and its keys.

package dash

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/larder-go/larder/stats"
)

// Detail is what one part says, and its keys.
type Detail struct {
	Part Part `json:"part"`
	Keys
}

// Keys is those keys of a part that matter most, at most 20 of each sort. It may be five seconds
// old.
type Keys struct {
	Top     Ranks        `json:"top"`
	Slowest []stats.Load `json:"slowest"`
}

// Ranks is keys in several orders.
type Ranks struct {
	Hits   []stats.Key `json:"hits"`
	Lost   []stats.Key `json:"lost"`
	Weight []stats.Key `json:"weight"`
}

const (
	topKeys    = 20               // of each order
	longestKey = 4 << 10          // in bytes: of a key in a request
	patience   = 5 * time.Second  // for a look at a key: a second level may be slow
	longLoad   = 30 * time.Second // for its refresh
)

// chosen is the part that a request is about.
type chosen struct {
	source stats.Source
	shot   stats.Snapshot
}

// choose returns the part that a request names, the first one of that name if it says no kind.
func (h *Handler) choose(q url.Values) (chosen, error) {
	name, kind := q.Get("cache"), q.Get("kind")
	sources, shots := h.snapshots()
	for i, s := range shots {
		if s.Name == name && (kind == "" || s.Kind == kind) {
			return chosen{sources[i], s}, nil
		}
	}
	return chosen{}, refuse(http.StatusNotFound, fmt.Sprintf("there is no part %.100q", name))
}

// inspector returns who knows the keys of the part.
func (c chosen) inspector() (stats.Inspector, error) {
	if i := inspectorOf(c.source); i != nil {
		return i, nil
	}
	return nil, refuse(http.StatusNotFound,
		fmt.Sprintf("%s %q cannot be asked about single keys", c.shot.Kind, c.shot.Name))
}

func (h *Handler) serveDetail(w http.ResponseWriter, r *http.Request) error {
	c, err := h.choose(r.URL.Query())
	if err != nil {
		return err
	}
	now := time.Now()
	d := Detail{Part: h.part(c.source, c.shot, now)}
	d.Keys = h.details.get(idOf(c.shot), now, func() Keys { return h.keys(c) })
	return answer(w, d)
}

// keys asks for the keys that matter most.
func (h *Handler) keys(c chosen) Keys {
	inspector := inspectorOf(c.source)
	if inspector == nil {
		return Keys{Ranks{[]stats.Key{}, []stats.Key{}, []stats.Key{}}, []stats.Load{}}
	}
	ranked := func(by stats.Order) []stats.Key { return h.names.keys(inspector.Top(by, topKeys)) }
	return Keys{
		Ranks{ranked(stats.ByHits), ranked(stats.ByLost), ranked(stats.ByWeight)},
		h.names.loads(inspector.Slowest()),
	}
}

func (h *Handler) serveLife(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	c, err := h.choose(q)
	if err != nil {
		return err
	}
	inspector, err := c.inspector()
	if err != nil {
		return err
	}
	key, err := h.names.asked(q.Get("key"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	life, err := inspector.Find(ctx, key)
	if err != nil {
		return h.names.failure(err)
	}
	return answer(w, h.names.life(life))
}
