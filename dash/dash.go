// dash.go is the handler: who asks for what, and how refusals look.

// Package dash shows what the parts of a program report, as a page and as JSON.
//
//	http.Handle("/debug/cache/", dash.New(set, dash.Options{}))
//
// Clients on the same machine alone are answered, and can look but not touch, unless [Options] say
// otherwise. It works behind any path prefix, with or without a slash at the end. While nobody has
// looked for 15 minutes it does nothing at all.
//
// Where B is the address of the handler, GET B?format=json returns a [Report], with &cache=NAME
// (and &kind=KIND where several have that name) a [Detail], and with &key=KEY besides a
// [stats.Life]. GET B?cache=NAME&record=10s returns the requests of ten seconds as a file for
// larder sim. POST B with cache, key and do=refresh or do=delete in a form changes a key. An error
// is one line of text, or {"error": "..."} if JSON was asked for.
package dash

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/larder-go/larder/stats"
)

// Options says who may look, and what they may do. The zero value shows everything to clients on
// the same machine, and lets nobody change anything.
type Options struct {
	// Actions lets those who have Token refresh and delete single keys. It needs Token.
	Actions bool
	// Token is the secret for Actions. It does not guard the page itself.
	Token string
	// HashKeys shows short digests in place of keys and tags, and no errors of loads, so that
	// whoever looks learns nothing of whom they belong to. A key that one knows can still be
	// looked up.
	HashKeys bool
	// AllowRemote answers clients on other machines, and under any host name. The page has no
	// log-in of its own: put one in front of it.
	AllowRemote bool
	// Version is shown beside the title: that of the program, for example.
	Version string
}

// Handler serves the page and its JSON. Any number of goroutines may use it.
type Handler struct {
	set     *stats.Set
	options Options
	guard   guard
	page    page
	names   *names
	history history
	curves  kept[*stats.Curve]
	details kept[Keys]
	record  sync.Mutex // held while somebody records
}

// New returns a handler that shows the parts of set. It panics if Actions is set without Token, or
// if set is nil.
func New(set *stats.Set, o Options) *Handler {
	if set == nil {
		panic("dash: New needs a set")
	}
	if o.Actions && o.Token == "" {
		panic("dash: Options.Actions needs Token")
	}
	h := &Handler{set: set, options: o, guard: newGuard(o), page: newPage(), names: newNames(o)}
	h.history.take = func() []stats.Snapshot {
		_, shots := h.snapshots()
		return shots
	}
	return h
}

// Close stops what looks at the parts from time to time. Requests are still answered. It may be
// called several times, and always returns nil.
func (h *Handler) Close() error {
	h.history.close()
	return nil
}

// ServeHTTP answers a request as the package says.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	err := h.guard.check(r)
	if err == nil {
		err = h.serve(w, r)
	}
	if err != nil {
		fail(w, r, err)
	}
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return h.get(w, r)
	case http.MethodPost:
		return h.act(w, r)
	}
	w.Header().Set("Allow", "GET, HEAD, POST")
	return refuse(http.StatusMethodNotAllowed, "the page knows GET and POST, not "+r.Method)
}

func (h *Handler) get(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	switch format := q.Get("format"); {
	case q.Has("record"):
		return h.serveRecording(w, r)
	case format == "":
		return h.page.serve(w, r)
	case format != "json":
		return refuse(http.StatusBadRequest, "format can be json alone")
	case !q.Has("cache"):
		return answer(w, h.report())
	case q.Has("key"):
		return h.serveLife(w, r)
	}
	return h.serveDetail(w, r)
}

// refusal is an error with a status of its own.
type refusal struct {
	status int
	line   string
}

// Error returns the line.
func (r refusal) Error() string { return r.line }

func refuse(status int, line string) error { return refusal{status, line} }

// statusOf returns the status that says best what went wrong.
func statusOf(err error) int {
	var r refusal
	switch {
	case errors.As(err, &r):
		return r.status
	case errors.Is(err, stats.ErrNoKey):
		return http.StatusNotFound
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway // the part was asked, and could not
}

// longestLine bounds the bytes of an error in an answer: that of a loader may be of any length.
const longestLine = 1000

// fail answers with an error in one line, as JSON if that was asked for.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	line := cut(strings.Join(strings.Fields(err.Error()), " "), longestLine)
	body, mime := []byte(line+"\n"), "text/plain; charset=utf-8"
	if r.URL.Query().Get("format") == "json" {
		body, _ = json.Marshal(map[string]string{"error": line}) // text can always be written
		mime = "application/json"
	}
	w.Header().Set("Content-Type", mime)
	w.WriteHeader(statusOf(err))
	_, _ = w.Write(body) // whoever is gone needs no error
}

// answer answers with JSON.
func answer(w http.ResponseWriter, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return refuse(http.StatusInternalServerError, err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(b, '\n'))
	return nil
}

// rest is how long an answer that may be dear is used again.
const rest = 5 * time.Second

// kept keeps what was made for each part for some seconds. Those who ask at once wait for one.
type kept[V any] struct {
	mu sync.Mutex // guards the field below
	of map[id]keptOne[V]
}

type keptOne[V any] struct {
	at    time.Time
	value func() V
}

// get returns what is kept for a part, or what is made now.
func (k *kept[V]) get(of id, now time.Time, make func() V) V {
	k.mu.Lock()
	for other, one := range k.of {
		if now.Sub(one.at) >= rest {
			delete(k.of, other)
		}
	}
	one, ok := k.of[of]
	if !ok {
		if k.of == nil {
			k.of = map[id]keptOne[V]{}
		}
		one = keptOne[V]{now, sync.OnceValue(make)}
		k.of[of] = one
	}
	k.mu.Unlock()
	return one.value()
}

// drop forgets what is kept for a part, since it changed.
func (k *kept[V]) drop(of id) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.of, of)
}
