// snapshot.go reports what the cache has done, and answers questions about single fragments.

package fragment

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/larder-go/larder/stats"
)

// Snapshot implements [stats.Source]. A load renders a fragment; weights are bytes.
func (c *Cache) Snapshot() stats.Snapshot {
	s := c.kept.Snapshot().InBytes()
	s.Kind = stats.Fragment
	return s
}

// Curve implements [stats.Curver], if Options.Observe is set. Sizes are in bytes.
func (c *Cache) Curve() (stats.Curve, bool) { return c.kept.Curve() }

// Inspector implements [stats.Inspectable]. A key is the name of a fragment, the versions that it
// was rendered by, and the parts of its key, each behind a slash; or a hash of that. A fragment can
// be deleted, as Delete does it, but not refreshed: only a page can render it.
func (c *Cache) Inspector() stats.Inspector { return inspector{c.kept.Inspector(), c} }

type inspector struct {
	stats.Inspector // of what is kept
	cache           *Cache
}

// Delete implements stats.Inspector.
func (i inspector) Delete(ctx context.Context, key string) error {
	life, err := i.Find(ctx, key)
	if err != nil {
		return err
	}
	tags := ownTags(key, life.Tags)
	if len(tags) == 0 {
		return fmt.Errorf("%w: %s stands for a fragment that is not in memory", stats.ErrNoKey, key)
	}
	for _, tag := range tags {
		if err := i.cache.kept.DeleteTag(ctx, tag); err != nil {
			return err
		}
	}
	return nil
}

// ownTags returns the tag by which the fragment of a key, and those around it, are deleted. A hash
// does not tell it: then it returns those of the fragments within as well.
func ownTags(key string, tags []string) (own []string) {
	const versions = 2 // behind the name
	if parts := strings.Split(key, "/"); len(parts) > versions {
		name, rest := parts[0], parts[1+versions:]
		return []string{keyMark + short(strings.Join(append([]string{name}, rest...), "/"))}
	}
	for _, tag := range tags {
		if strings.HasPrefix(tag, keyMark) {
			own = append(own, tag)
		}
	}
	return own
}

// Refresh implements stats.Inspector.
func (inspector) Refresh(context.Context, string) error {
	return fmt.Errorf("fragment: only a page can render it: %w", errors.ErrUnsupported)
}
