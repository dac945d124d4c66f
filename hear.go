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
		c.listen(c.tier.store.Watch, c.hearStore)
	}
	if w := c.engine.options.Watch; w != nil {
		c.listen(w.Watch, c.hearOrigin)
	}
	c.lost.Add(-1) // of New, so that no link is the last one before all are there
	c.noteLinks()
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

// listen hears events on a link, which is lost until it stands.
func (c *Cache[K, V]) listen(watch func(func(store.Event)) func(), change func(store.Event)) {
	c.lost.Add(1)
	lost := true // only hear uses it, and that runs once at a time
	hear := func(e store.Event) {
		switch e.Kind {
		case store.Linked:
			// What was kept while nothing was heard may be out of date.
			c.calls.dropAll()
			if lost {
				c.lost.Add(-1)
			}
			lost = false
			c.distrust()
			c.noteLinks()
		case store.Lost:
			if !lost {
				c.lost.Add(1)
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
	c.calls.dropAll()
	if c.engine.count.Load() > 0 {
		c.engine.distrust()
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
			c.forgetTag(tag)
		}
	case store.Cleared:
		c.forgetAll()
	}
}

// forget takes a key out of memory by its name, and drops its load.
func (c *Cache[K, V]) forget(name string) {
	if c.names.key != nil {
		if key, ok := c.names.key(name); ok {
			c.calls.drop(key)
			c.engine.delete(key)
		}
		return
	}
	is := func(key K) bool {
		n, err := c.names.of(key)
		return err != nil || n == name
	}
	c.calls.dropWhere(is)
	if c.tier != nil {
		c.engine.deleteNamed(name)
	} else {
		c.engine.deleteWhere(is)
	}
}

func (c *Cache[K, V]) forgetTag(tag string) {
	c.calls.dropTag(tag)
	c.engine.deleteTag(tag)
}

func (c *Cache[K, V]) forgetAll() {
	c.calls.dropAll()
	c.engine.clearAll()
}

// hearOrigin forgets what has changed at the origin, in memory and in the store.
func (c *Cache[K, V]) hearOrigin(e store.Event) {
	switch e.Kind {
	case store.Changed:
		c.forgetEverywhere(e.Key)
	case store.TagDeleted:
		if c.tier != nil {
			c.tier.unsaid.add(c.tier.tagHead + e.Tag)
			c.tier.unsaid.pay()
		}
		c.forgetTag(e.Tag)
	case store.Cleared:
		c.forgetAll()
		if c.tier != nil {
			go c.tier.deletePrefix(c.open, "")
		}
	}
}

// forgetEverywhere takes a key out by its name. The store need not be told at once, since it is not
// asked for the key before it was.
func (c *Cache[K, V]) forgetEverywhere(name string) {
	if c.tier != nil {
		c.tier.owed.add(c.tier.head + name)
		c.tier.owed.pay()
	}
	c.forget(name)
}
