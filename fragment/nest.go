// nest.go lets a fragment know of those within it.

package fragment

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// gathering is what is known of a fragment while it is rendered: its own tags and time, and those
// of the fragments within it so far.
type gathering struct {
	depth int // how many fragments it is in, itself included

	mu   sync.Mutex // guards the field below: a plain call may ask for several at once
	kept kept
}

// maxDepth is how deep fragments may be nested: more than anybody writes, less than what fills the
// memory. One that contains itself with the same key is found out at once, by the cache.
const maxDepth = 100

var errDeep = errors.New("fragments are nested deeper than 100: it contains itself")

// deeper returns the depth of a fragment within.
func (g *gathering) deeper() int {
	if g == nil {
		return 1
	}
	return g.depth + 1
}

// gatheringKey is the key of a gathering in a context.
type gatheringKey struct{}

// around returns the gathering of the fragment that is being rendered, nil if there is none.
func around(ctx context.Context) *gathering {
	g, _ := ctx.Value(gatheringKey{}).(*gathering)
	return g
}

// add notes a fragment within.
func (g *gathering) add(within kept) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.kept.ttl = min(g.kept.ttl, within.ttl)
	g.kept.tags = append(slices.Clip(g.kept.tags), within.tags...)
}

// end returns what was gathered.
func (g *gathering) end() kept {
	g.mu.Lock()
	defer g.mu.Unlock()
	k := g.kept
	k.tags = slices.Compact(slices.Sorted(slices.Values(k.tags)))
	return k
}
