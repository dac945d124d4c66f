// purge.go makes what is kept leave before its time.

package httpcache

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/larder-go/larder/store"
)

// Purge says what is to leave: give exactly one of URL, Prefix, Tag and All.
type Purge struct {
	// URL is the URL of a response, as clients ask for it: http://example.com/a?b=c. All its variants
	// leave.
	URL string
	// Prefix is the beginning of such URLs, at least scheme and a whole host: http://example.com/blog.
	Prefix string
	// Tag is a surrogate key.
	Tag string
	// All is everything.
	All bool
	// Soft lets it stay, stale: it is served while the origin is asked behind, or when the origin is
	// down, as far as its header and the options permit to serve it stale; else it is validated.
	Soft bool
}

// Purge makes what p names leave and returns how many responses it were, as far as that is known:
// what only a store has, or what the store was quicker to tell of, is not counted. What is loaded
// meanwhile is not kept by this cache; another node may still put what it had asked for before into
// a store that both share. An
// error means that p is no purge, or that the store may still have some; memory does not.
func (c *Cache) Purge(ctx context.Context, p Purge) (int, error) {
	reach, err := c.reachOf(p)
	if err != nil {
		return 0, err
	}
	if p.Soft {
		return c.outdate(ctx, reach)
	}
	n := c.countInMemory(reach)
	return n, c.remove(ctx, reach)
}

// countInMemory returns how many responses in memory reach names.
func (c *Cache) countInMemory(reach []purged) (n int) {
	for _, o := range c.engine.memory.All() {
		if slices.ContainsFunc(reach, func(one purged) bool { return one.names(o) }) {
			n++
		}
	}
	return n
}

// reachOf returns the keys, prefixes and tags that p is about.
func (c *Cache) reachOf(p Purge) ([]purged, error) {
	switch (Purge{p.URL, p.Prefix, p.Tag, p.All, false}) {
	case Purge{URL: p.URL}:
		return c.keysOf(p.URL)
	case Purge{Prefix: p.Prefix}:
		u, err := url.Parse(p.Prefix)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("httpcache: purge %q: give at least a scheme and a host", p.Prefix)
		}
		rest := p.Prefix[strings.Index(p.Prefix, "://")+len("://"):]
		_, path, _ := strings.Cut(rest, "/")
		scheme := strings.ToLower(u.Scheme)
		return []purged{{prefix: scheme + "://" + hostOf(scheme, u.Host) + "/" + path}}, nil
	case Purge{Tag: p.Tag}:
		return []purged{{tag: p.Tag}}, nil
	case Purge{All: true}:
		return []purged{{}}, nil
	}
	return nil, errors.New("httpcache: purge: give one of URL, prefix, tag and all")
}

// keysOf returns the keys under which the responses of a URL lie.
func (c *Cache) keysOf(raw string) ([]purged, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("httpcache: purge %q: give a whole URL, as clients ask for it", raw)
	}
	return c.keysOfURL(u, targetIn(raw)), nil
}

// targetIn is the path and query of a URL as it is written, byte for byte.
func targetIn(raw string) string {
	_, rest, _ := strings.Cut(raw, "://")
	rest, _, _ = strings.Cut(rest, "#")
	i := strings.IndexAny(rest, "/?")
	switch {
	case i < 0:
		return "/"
	case rest[i] == '?':
		return "/" + rest[i:]
	}
	return rest[i:]
}

// keysOfURL returns the keys under which the responses of u lie, whose path and query are target.
func (c *Cache) keysOfURL(u *url.URL, target string) []purged {
	r := &http.Request{
		Method: http.MethodGet, Host: u.Host, URL: u, RequestURI: target, Header: http.Header{},
	}
	if u.Scheme == "https" {
		r.TLS = &tls.ConnectionState{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var keys []purged
	for _, h := range c.views {
		key := shortKey(h.urlOf(r))
		if !slices.Contains(keys, purged{key: key}) {
			keys = append(keys, purged{key: key})
		}
	}
	return keys
}

// begin has loads that are under way not be kept, nor joined by who asks from now on.
func (c *Cache) begin(reach []purged) {
	for _, one := range reach {
		c.engine.purges.note(one)
		c.flights.forget(one)
	}
}

// remove takes what reach names out of both levels. Memory comes last: what is read from the store
// meanwhile gets there.
func (c *Cache) remove(ctx context.Context, reach []purged) error {
	c.begin(reach)
	var failed []error
	for _, one := range reach {
		failed = append(failed, c.removeFromStore(ctx, one), c.removeFromMemory(ctx, one))
	}
	return errors.Join(failed...)
}

func (c *Cache) removeFromMemory(ctx context.Context, one purged) error {
	m := c.engine.memory
	switch {
	case one.tag != "":
		return m.DeleteTag(ctx, one.tag)
	case one.key != "":
		return errors.Join(m.Delete(ctx, one.key), m.DeleteTag(ctx, urlTag(one.key)))
	case one.prefix != "":
		return m.DeletePrefix(ctx, one.prefix)
	}
	return m.Clear(ctx)
}

func (c *Cache) removeFromStore(ctx context.Context, one purged) error {
	s := c.engine.store
	switch {
	case s == nil:
		return nil
	case one.tag != "":
		return store.DeleteTag(ctx, s, one.tag)
	case one.key != "":
		return errors.Join(s.Delete(ctx, one.key), c.removeScopes(ctx, one.key))
	case one.prefix != "":
		_, err := store.DeletePrefix(ctx, s, one.prefix)
		return err
	}
	return store.Clear(ctx, s)
}

// removeScopes removes what a store has of a URL for scopes and languages. Variants need no removal:
// without the primary response nobody finds them.
func (c *Cache) removeScopes(ctx context.Context, key string) error {
	err := store.DeleteTag(ctx, c.engine.store, urlTag(key))
	if errors.Is(err, errors.ErrUnsupported) {
		_, err = store.DeletePrefix(ctx, c.engine.store, key+"#")
	}
	if errors.Is(err, errors.ErrUnsupported) && !c.hasScopes() {
		return nil
	}
	return err
}

// outdate makes what reach names stale in both levels.
func (c *Cache) outdate(ctx context.Context, reach []purged) (int, error) {
	c.begin(reach)
	found, failed := map[string]*object{}, []error(nil)
	for _, one := range reach {
		for key, o := range c.engine.memory.All() {
			if one.names(o) {
				found[key] = o
			}
		}
		failed = append(failed, c.outdatedInStore(ctx, one, found))
	}
	for _, o := range found {
		c.makeOutdated(ctx, o)
	}
	return len(found), errors.Join(failed...)
}

// outdatedInStore adds to found what the store has that one names.
func (c *Cache) outdatedInStore(ctx context.Context, one purged, found map[string]*object) error {
	if c.engine.store == nil {
		return nil
	}
	for info, err := range store.List(ctx, c.engine.store, one.key+one.prefix) {
		if err != nil {
			return err
		}
		if found[info.Key] != nil || strings.Contains(info.Key, bodyMark) {
			continue
		}
		if o, _ := c.engine.read(ctx, info.Key); o != nil && one.names(o) {
			found[info.Key] = o
		}
	}
	return nil
}

// makeOutdated replaces o by a stale one.
func (c *Cache) makeOutdated(ctx context.Context, o *object) {
	s := *o.stored
	s.outdated = time.Now()
	stale := &object{stored: &s, key: o.key, value: o.value, forms: o.forms}
	x := &exchange{engine: &c.engine, req: (&http.Request{}).WithContext(ctx)}
	x.restore(stale)
	c.engine.remember(stale, s.outdated)
}
