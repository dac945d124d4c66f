// hear.go forgets what others have changed.

package larder

import (
	"context"
	"strings"
	"time"

	"github.com/larder-go/larder/store"
)

// watch begins to listen to the store, and to the origin if that can tell.
func (c *Cache[K, V]) watch() {
	c.lost.Add(1)
	if c.tier != nil {
		c.listen(c.tier.store.Watch, c.hearStore, func() {})
	}
	if w := c.engine.options.Watch; w != nil {
		c.listen(w.Watch, c.hearOrigin, c.doubtStore)
	}
	c.lost.Add(-1) // of New, so that no link is the last one before all are there
	c.noteLinks()
}

// doubtStore lets nothing be read from the store that was there when changes of the origin may have
// gone unheard.
func (c *Cache[K, V]) doubtStore() {
	if c.tier != nil {
		c.tier.doubt()
	}
}

// noteLinks lets go of who waits for all links to stand.
func (c *Cache[K, V]) noteLinks() {
	if c.lost.Load() == 0 {
		c.linkedOnce.Do(func() { close(c.linked) })
	}
}

// awaitLinks waits until all links stand for the first time, for a while: what is kept before is
// not kept for long.
func (c *Cache[K, V]) awaitLinks(ctx context.Context) {
	select {
	case <-c.linked:
		return
	default:
	}
	timer := time.NewTimer(c.engine.options.LostTTL)
	defer timer.Stop()
	select {
	case <-c.linked:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// listen hears events on a link, which is lost until it stands. change does what an event tells of;
// missed is called when something may have been missed on a link that stood before.
func (c *Cache[K, V]) listen(
	watch func(func(store.Event)) func(), change func(store.Event), missed func(),
) {
	c.lost.Add(1)
	lost, stood := true, false // only hear uses them, and that runs once at a time
	hear := func(e store.Event) {
		switch e.Kind {
		case store.Linked:
			if stood {
				missed()
			}
			if lost {
				c.lost.Add(-1)
			}
			lost, stood = false, true
			c.distrust()
			c.noteLinks()
		case store.Lost:
			if !lost {
				c.lost.Add(1)
				missed()
			}
			lost = true
			c.distrust()
		default:
			c.counts.heard.Add(1)
			change(e)
		}
	}
	c.stops = append(c.stops, watch(hear))
}

// distrust forgets all that memory holds, or keeps it for the case that the origin fails.
func (c *Cache[K, V]) distrust() {
	c.doubts.Add(1)
	c.calls.doubtAll()
	c.tellBehind(c.engine.distrust())
}

// tellBehind tells of entries that left because of what others did: they do not wait for OnEvict.
func (c *Cache[K, V]) tellBehind(gone []departure[K, V]) {
	if len(gone) > 0 {
		go c.engine.tellOf(gone)
	}
}

// hearStore forgets what another process has changed in the store.
func (c *Cache[K, V]) hearStore(e store.Event) {
	switch e.Kind {
	case store.Changed:
		if name, ok := strings.CutPrefix(e.Key, c.tier.head); ok {
			c.forget(name)
		}
	case store.TagDeleted:
		if tag, ok := strings.CutPrefix(e.Tag, c.tier.tagHead); ok {
			c.tellBehind(c.forgetTag(tag))
		}
	case store.Cleared:
		c.tellBehind(c.forgetAll())
	}
}

// forget takes a key out of memory by its name, and drops its load.
func (c *Cache[K, V]) forget(name string) {
	if c.names.key != nil {
		if key, ok := c.names.key(name); ok {
			c.calls.drop(key)
			gone, _ := c.engine.take(key)
			c.tellBehind(gone)
		}
		return
	}
	is := func(key K) bool {
		n, err := c.names.of(key)
		return err != nil || n == name
	}
	c.calls.dropWhere(is)
	if c.tier != nil {
		c.tellBehind(c.engine.takeNamed(name))
	} else {
		c.tellBehind(c.engine.takeWhere(is))
	}
}

// forgetTag takes the entries of a tag out of memory, and drops loads that will bring such.
func (c *Cache[K, V]) forgetTag(tag string) []departure[K, V] {
	c.calls.dropTag(tag)
	return c.engine.takeTag(tag)
}

// forgetAll takes all entries out of memory, and drops all loads.
func (c *Cache[K, V]) forgetAll() []departure[K, V] {
	c.calls.dropAll()
	return c.engine.takeAll()
}

// hearOrigin forgets what has changed at the origin, in memory and in the store. The store need not
// be told at once, since it is not asked for what it has not deleted yet.
func (c *Cache[K, V]) hearOrigin(e store.Event) {
	t := c.tier
	switch e.Kind {
	case store.Changed:
		if t != nil {
			t.owed.add(t.head + e.Key)
			t.owed.pay()
		}
		c.forget(e.Key)
	case store.TagDeleted:
		if t != nil {
			t.unsaid.add(t.tagHead + e.Tag)
			t.unsaid.pay()
		}
		c.tellBehind(c.forgetTag(e.Tag))
	case store.Cleared:
		c.doubtStore()
		c.tellBehind(c.forgetAll())
		if t != nil {
			go func() {
				if err := t.deletePrefix(c.open, ""); err != nil {
					c.report(err)
				}
			}()
		}
	}
}
