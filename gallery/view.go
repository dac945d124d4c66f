// view.go puts pictures into the order that somebody asked for, and leaves out what they do not
// want to see.

package gallery

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
)

// keptViews is how many views are kept: one for every way that somebody looks just now.
const keptViews = 16

// errSort is returned for an order that there is not.
var errSort = errors.New("sort: not an order: give name, time or size, or one of them after a -")

// viewKey says which pictures somebody wants to see in which order.
type viewKey struct {
	generation uint64
	sort       string // name, time or size; with a - in front: the other way round
	words      string // all of them are part of the path; in lower case
	dir        string // only what is below it
}

// view is a list of pictures as somebody wants to see it.
type view struct {
	generation uint64
	pictures   []*picture
	reading    bool
}

// viewOf reads the parameters of a request.
func (g *Gallery) viewOf(ctx context.Context, q url.Values) (*view, error) {
	c := g.source.catalog()
	k := viewKey{
		generation: c.generation, sort: cmp.Or(q.Get("sort"), "name"), dir: q.Get("dir"),
		words: strings.ToLower(strings.Join(strings.Fields(q.Get("q")), " ")),
	}
	by := strings.TrimPrefix(k.sort, "-")
	switch {
	case by != "name" && by != "time" && by != "size":
		return nil, errSort
	case k.sort == "name" && k.words == "" && k.dir == "":
		return &view{c.generation, c.pictures, c.reading}, nil
	case by != "name" && !g.source.inspectAll():
		v, err := g.arrange(ctx, k) // it changes from moment to moment
		if err == nil {
			v.reading = true
		}
		return v, err
	}
	return g.views.Get(ctx, k)
}

// arrange makes a view of the catalog. That may be newer than k says; then the view is too.
func (g *Gallery) arrange(_ context.Context, k viewKey) (*view, error) {
	c := g.source.catalog()
	v := &view{generation: c.generation, reading: c.reading}
	wanted := matcher(k)
	for _, p := range c.pictures {
		if wanted(p) {
			v.pictures = append(v.pictures, p)
		}
	}
	switch by := strings.TrimPrefix(k.sort, "-"); by {
	case "time":
		slices.SortStableFunc(v.pictures, func(a, b *picture) int {
			return a.known().time.Compare(b.known().time)
		})
	case "size":
		slices.SortStableFunc(v.pictures, func(a, b *picture) int {
			return cmp.Compare(a.known().bytes, b.known().bytes)
		})
	}
	if strings.HasPrefix(k.sort, "-") {
		slices.Reverse(v.pictures)
	}
	return v, nil
}

// matcher returns what tells the pictures of a view.
func matcher(k viewKey) func(*picture) bool {
	words := strings.Fields(k.words)
	below := k.dir + "/"
	return func(p *picture) bool {
		path := readable(p.path) // as the page knows it
		if k.dir != "" && !strings.HasPrefix(path, below) {
			return false
		}
		if len(words) == 0 {
			return true
		}
		path = strings.ToLower(path)
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(path, w) })
	}
}

// window returns up to count pictures from position from on.
func (v *view) window(from, count int) []*picture {
	from = min(max(from, 0), len(v.pictures))
	return v.pictures[from:min(from+count, len(v.pictures))]
}
