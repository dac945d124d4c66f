// serve_list.go answers which pictures there are: windows of a view, and what is known of them.

package gallery

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// mostItems is how many pictures one window has at most.
const mostItems = 500

// firstItems is how many come with the page.
const firstItems = 60

// answer is a window of a view.
type answer struct {
	Generation uint64 `json:"generation"`
	Total      int    `json:"total"`
	From       int    `json:"from"`
	At         *int   `json:"at,omitempty"`
	Reading    bool   `json:"reading"`
	Items      []item `json:"items"`
}

// item is what the page is told of a picture.
type item struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Dir     string     `json:"dir,omitempty"`
	Version string     `json:"v"`
	Hash    []byte     `json:"hash,omitempty"`
	Width   int        `json:"w,omitempty"`
	Height  int        `json:"h,omitempty"`
	Bytes   int64      `json:"bytes,omitempty"`
	Time    *time.Time `json:"time,omitempty"`
	Kind    string     `json:"kind"`
	Error   string     `json:"error,omitempty"`
}

func (g *Gallery) serveList(w http.ResponseWriter, r *http.Request) {
	a, err := g.list(r.Context(), r.URL.Query(), firstItems)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	serveJSON(w, r, a)
}

// list returns the window that q asks for, of count pictures if it does not say.
func (g *Gallery) list(ctx context.Context, q url.Values, count int) (a answer, err error) {
	v, window, from, err := g.window(ctx, q, count)
	if err != nil {
		return a, err
	}
	a = answer{Generation: v.generation, Total: len(v.pictures), Reading: v.reading, From: from}
	if id := q.Get("at"); id != "" {
		at := v.position(g.source.catalog(), id)
		a.At = &at
	}
	a.Items = g.items(ctx, window)
	return a, nil
}

// window returns the pictures that q asks for, and at which position they begin.
func (g *Gallery) window(
	ctx context.Context, q url.Values, count int,
) (v *view, window []*picture, from int, err error) {
	if v, err = g.viewOf(ctx, q); err != nil {
		return nil, nil, 0, err
	}
	if from, err = number(q, "from", 0, math.MaxInt32); err != nil {
		return nil, nil, 0, err
	}
	if count, err = number(q, "count", count, mostItems); err != nil {
		return nil, nil, 0, err
	}
	if id := q.Get("at"); id != "" {
		if at := v.position(g.source.catalog(), id); at >= 0 {
			from = max(0, at-count/2)
		}
	}
	from = min(from, len(v.pictures))
	return v, v.window(from, count), from, nil
}

// position returns where the picture that id names stands in v, -1 if it does not.
func (v *view) position(c *catalog, id string) int {
	p, ok := c.find(id)
	if !ok {
		return -1
	}
	return slices.Index(v.pictures, p)
}

// items says of each picture what is known, looking at all files of the window at once.
func (g *Gallery) items(ctx context.Context, window []*picture) []item {
	inParallel(lookers, window, func(p *picture) { g.source.inspect(ctx, p) })
	glances := g.pictures.known(ctx, window)
	items := make([]item, 0, len(window))
	for _, p := range window {
		items = append(items, itemOf(p, glances[p.path]))
	}
	return items
}

func itemOf(p *picture, known glance) item {
	i := p.known()
	it := item{
		ID: p.id(), Name: readable(p.name()), Dir: readable(p.dir()), Version: i.version,
		Bytes: i.bytes, Kind: p.kindName(),
		Hash: known.Hash, Width: known.Width, Height: known.Height, Error: known.Wrong,
	}
	if i.err != nil {
		it.Error = label(i.err)
	}
	if !i.time.IsZero() {
		it.Time = &i.time
	}
	return it
}

// kindName is the kind as URLs and pages write it: jpeg, png, ...
func (p *picture) kindName() string {
	return strings.ReplaceAll(strings.ToLower(p.kind.String()), " ", "")
}

// readable is a name that JSON and pages can show: what is not UTF-8 is replaced.
func readable(name string) string { return strings.ToValidUTF8(name, "\uFFFD") }

// glancers is how many pictures are looked at in parallel for their previews.
const glancers = 8

// serveHashes answers with a line for each picture of a window as soon as something is known of it.
func (g *Gallery) serveHashes(w http.ResponseWriter, r *http.Request) {
	_, window, _, err := g.window(r.Context(), r.URL.Query(), firstItems)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	known := g.pictures.known(r.Context(), window) // some of it only since the list was asked for
	lines := lineWriter{json: json.NewEncoder(w), flush: http.NewResponseController(w).Flush}
	inParallel(glancers, window, func(p *picture) {
		found, ok := known[p.path]
		if !ok && r.Context().Err() == nil && g.source.local() {
			var err error
			found, err = g.pictures.glance(r.Context(), p)
			ok = err == nil
		}
		if ok {
			lines.write(itemOf(p, found))
		}
	})
}

// lineWriter writes lines of JSON from several goroutines.
type lineWriter struct {
	mu    sync.Mutex // guards what follows
	json  *json.Encoder
	flush func() error
}

func (l *lineWriter) write(line any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.json.Encode(line) // who has left needs nothing
	_ = l.flush()
}

// folderCount is a folder and how many pictures are in it, not counting what is below.
type folderCount struct {
	Dir   string `json:"dir"`
	Count int    `json:"count"`
}

func (g *Gallery) serveFolders(w http.ResponseWriter, r *http.Request) {
	folders := []folderCount{}
	for _, p := range g.source.catalog().pictures { // those of a folder stand side by side
		dir := readable(p.dir())
		if n := len(folders); n == 0 || folders[n-1].Dir != dir {
			folders = append(folders, folderCount{Dir: dir})
		}
		folders[len(folders)-1].Count++
	}
	serveJSON(w, r, map[string][]folderCount{"folders": folders})
}
