// cache.go keeps what was rendered.

package fragment

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/codec"
	"github.com/larder-go/larder/store"
)

// Options says what a cache of fragments keeps and how. The zero value keeps 64 MiB in memory.
type Options struct {
	// Name begins the names of fragments in Store, and says in Stats which cache it is. Default:
	// "fragments".
	Name string
	// MaxBytes bounds what is kept in memory: markup, keys and tags, and 256 bytes for each
	// fragment. One that is larger is rendered each time. 0 means 64 MiB.
	MaxBytes int64

	// TTL is how long a fragment is fresh that does not say so itself. 0 means larder.Forever.
	TTL time.Duration
	// Stale is how long after its time a fragment is still shown while it is rendered anew behind,
	// with the data of the request that found it so. 0 means not at all.
	Stale time.Duration
	// StaleOnError is how long after its time a fragment is shown if rendering it fails. 0 means
	// not at all.
	StaleOnError time.Duration
	// RenderTimeout ends the context of rendering, which lazy data and plain calls get. 0 means 30
	// seconds.
	RenderTimeout time.Duration

	// Store is shared by processes that show the same fragments. It is as in larder.Options: it
	// never fails a page, and is not closed. Whoever can write to it can write into the pages.
	Store store.Store
	// Version is part of all keys. Raise it when what functions of a template return looks
	// different: the source of the templates counts by itself.
	Version string
	// Observe lets the cache look at some of its own requests, so that Curve and Inspector have
	// answers; see larder.Options.
	Observe bool
	// OnError hears of errors that no page shows: of rendering behind, and of Store. Several
	// goroutines may call it at once. nil means that they are only counted.
	OnError func(err error)
}

// Part says which part of a page is meant, where no template says it.
type Part struct {
	// Name says what it is, such as "sidebar".
	Name string
	// Key is what else its markup depends on, made by Keys.
	Key []any
	// TTL is how long it is fresh. 0 means Options.TTL.
	TTL time.Duration
	// Tags are names under which DeleteTag finds it.
	Tags []string
	// Version stands for the code that writes it, and is part of its key.
	Version string
}

// Keys returns its arguments as the Key of a Part: Keys(user.ID, lang).
//
// They may be strings, numbers and booleans, of any type, and whatever larder.KeyOf takes, such as
// a struct, a time.Time, a larder.Key or a UUID. A pointer, a function or a channel is an error,
// and so is nil, for what was not set identifies nobody. Keys are told apart part by part: "a",
// "bc" is not "ab", "c", and "7" is not 7; but 7 is 7, whether int or int64.
func Keys(parts ...any) []any { return parts }

// Cache keeps fragments. All methods may be called by many goroutines at once.
type Cache struct {
	options Options
	kept    *larder.Cache[string, kept]
}

// New makes a cache. It panics on options that make no sense. It should be closed.
func New(o Options) *Cache {
	o.Name = cmp.Or(o.Name, "fragments")
	o.MaxBytes = cmp.Or(o.MaxBytes, 64<<20)
	o.TTL = cmp.Or(o.TTL, larder.Forever)
	o.RenderTimeout = cmp.Or(o.RenderTimeout, 30*time.Second)
	inner := larder.Options[string, kept]{
		Name: o.Name, MaxWeight: o.MaxBytes, Weigh: weigh, Reload: render, TTL: o.TTL,
		Stale: o.Stale, StaleOnError: o.StaleOnError, LoadTimeout: o.RenderTimeout,
		Store: o.Store, OnError: o.OnError, Observe: o.Observe,
	}
	if o.Store != nil {
		inner.Codec = codec.Binary{}
	}
	return &Cache{options: o, kept: larder.New(inner)}
}

// errTTL is returned for a time that no clock shows.
var errTTL = errors.New("the time to live is negative")

// Get returns what write writes for a part of a page, and calls it where that is not kept: once for
// all who ask at the same time. An error or a panic of write is returned with the name of the part,
// and nothing is kept. The result is what was written, byte for byte: escaping is up to write.
//
// If ctx ends Get returns, but write goes on for the others. So write must not use what belongs to
// the request alone, such as its ResponseWriter; its own context ends by Options.RenderTimeout.
// Fragments that write gets in turn, with the context that it was given, are part of this one.
func (c *Cache) Get(
	ctx context.Context, p Part, write func(ctx context.Context, w io.Writer) error,
) (string, error) {
	id, err := identify(p.Name, p.Key)
	if err != nil {
		return "", fmt.Errorf("fragment %q: %w", p.Name, err)
	}
	return c.get(ctx, id, &job{ttl: p.TTL, tags: p.Tags, version: p.Version, write: write})
}

// job is how to render a fragment. The loader finds it in its context.
type job struct {
	ttl     time.Duration
	tags    []string
	version string
	write   func(ctx context.Context, w io.Writer) error
}

// jobKey is the key of a job in a context.
type jobKey struct{}

// get returns a fragment, and lets the one around it know.
func (c *Cache) get(ctx context.Context, id identity, j *job) (string, error) {
	if j.ttl < 0 {
		return "", fmt.Errorf("fragment %q: %w", id.name, errTTL)
	}
	j.ttl = cmp.Or(j.ttl, c.options.TTL)
	j.tags = id.tags(j.tags)
	key := id.key(c.options.Version, j.version)
	k, err := c.kept.Get(context.WithValue(ctx, jobKey{}, j), key)
	if err != nil {
		return "", fmt.Errorf("fragment %q: %w", id.name, err)
	}
	around(ctx).add(k)
	return k.markup, nil
}

// render is the loader of all fragments.
func render(ctx context.Context, _ string, _ larder.Entry[kept]) (e larder.Entry[kept], err error) {
	j := ctx.Value(jobKey{}).(*job)
	within := &gathering{depth: around(ctx).deeper(), kept: kept{ttl: j.ttl, tags: j.tags}}
	if within.depth > maxDepth {
		return e, errDeep
	}
	var b bytes.Buffer
	if err = j.write(context.WithValue(ctx, gatheringKey{}, within), &b); err != nil {
		return e, err
	}
	k := within.end()
	k.markup = b.String()
	return larder.Entry[kept]{Value: k, TTL: k.ttl, Tags: k.tags}, nil
}

// Delete deletes the fragment of name with this key, of whatever version, and those around it.
// Where a template gives no key, the key is its data. It holds for all who share the store. One
// that is being rendered is shown to those who wait for it, and not kept.
func (c *Cache) Delete(ctx context.Context, name string, key ...any) error {
	id, err := identify(name, key)
	if err != nil {
		return fmt.Errorf("fragment %q: %w", name, err)
	}
	return c.kept.DeleteTag(ctx, id.keyTag())
}

// DeleteName deletes all fragments of a name as Delete does.
func (c *Cache) DeleteName(ctx context.Context, name string) error {
	return c.kept.DeleteTag(ctx, nameTag(name))
}

// DeleteTag deletes all fragments with a tag as Delete does.
func (c *Cache) DeleteTag(ctx context.Context, tag string) error {
	return c.kept.DeleteTag(ctx, userTag(tag))
}

// Clear deletes all fragments.
func (c *Cache) Clear(ctx context.Context) error { return c.kept.Clear(ctx) }

// Stats returns what the cache has done. Its weight is in bytes.
func (c *Cache) Stats() larder.Stats { return c.kept.Stats() }

// Close takes all fragments out of memory; a closed cache renders each time. It may be called
// again.
func (c *Cache) Close() error { return c.kept.Close() }
