// purges.go remembers what was purged of late, so that a load that began before is not kept.

package httpcache

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// remembered is how many purges are remembered one by one. What was asked for before the oldest of
// them is not kept, whatever it is.
const remembered = 1024

// purges are the last purges. A nil one remembers nothing, since nobody purges.
type purges struct {
	mu    sync.Mutex // guards the fields below
	last  []purged   // oldest first
	since time.Time  // of the last one that was let go
}

// purged is one purge: of a key, a prefix of keys, or a tag.
type purged struct {
	at               time.Time
	key, prefix, tag string
}

// add notes that what lies under key is to leave.
func (p *purges) add(key string) { p.note(purged{key: key}) }

// note notes a purge, as of now.
func (p *purges) note(one purged) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	one.at = time.Now()
	p.last = slices.DeleteFunc(p.last, func(old purged) bool {
		return old.key == one.key && old.prefix == one.prefix && old.tag == one.tag
	})
	if len(p.last) == remembered {
		p.since = p.last[0].at
		p.last = slices.Delete(p.last, 0, 1)
	}
	p.last = append(p.last, one)
}

// hit reports whether o, which was asked for at a time, was purged since.
func (p *purges) hit(o *object, asked time.Time) bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hitLocked(o, asked)
}

// unless calls keep, which puts o into memory, if o was not purged since it was asked for, and
// reports whether it was not. A purge that is noted before is seen here; one that is noted after
// takes o out of memory.
func (p *purges) unless(o *object, asked time.Time, keep func()) bool {
	if p == nil {
		keep()
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hitLocked(o, asked) {
		return false
	}
	keep()
	return true
}

func (p *purges) hitLocked(o *object, asked time.Time) bool {
	if !asked.After(p.since) && !p.since.IsZero() {
		return true
	}
	return p.namedSinceLocked(o, asked)
}

// voids reports whether o was asked for before a purge of it that is remembered, whenever it got to
// where it is. What a soft purge left counts from that purge.
func (p *purges) voids(o *object) bool {
	if p == nil {
		return false
	}
	made := o.requested
	if o.outdated.After(made) {
		made = o.outdated
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.namedSinceLocked(o, made)
}

func (p *purges) namedSinceLocked(o *object, asked time.Time) bool {
	for i := len(p.last) - 1; i >= 0 && !p.last[i].at.Before(asked); i-- {
		if p.last[i].names(o) {
			return true
		}
	}
	return false
}

// names reports whether o is among what was purged.
func (p purged) names(o *object) bool {
	if p.tag != "" {
		return slices.Contains(o.tags, p.tag)
	}
	return p.namesKey(o.key)
}

// namesKey reports whether a key is among what was purged, if that was not a tag.
func (p purged) namesKey(key string) bool {
	if p.key != "" {
		return key == p.key || strings.HasPrefix(key, p.key+"#")
	}
	return strings.HasPrefix(key, p.prefix)
}
