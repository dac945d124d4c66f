// engine.go holds what all requests to one door have in common, and where responses are kept.

package httpcache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/store"
)

// engine is what all requests to one door have in common.
type engine struct {
	rules   rules
	memory  *larder.Cache[string, *object] // decoded responses by key; nil: none are
	store   store.Store                    // the level behind memory; nil: none
	maxBody int64                          // of what is kept
	held    int64                          // the largest body kept in memory
	purges  *purges                        // of both levels; nil: nobody can purge
	heard   *purges                        // what others changed in the store
	tally   *tally                         // of calls of the store and the origin; nil: none
	onError func(error)
}

// note hands a failure that must not fail the request to OnError.
func (e *engine) note(err error) {
	if err != nil && e.onError != nil {
		e.onError(err)
	}
}

// object is a response as it is kept in memory. It is not changed once made.
type object struct {
	*stored
	key    string
	value  []byte  // the body, unless that lies in the store alone
	forms  *forms  // of the body in content codings; nil: there are none
	fields []field // the header once more; nil: nobody goes through it often
}

// objectOverhead is about what an object takes besides its header, key and value.
const objectOverhead = 1024

// weight is how many bytes an object takes.
func weight(_ string, o *object) int {
	n := objectOverhead + 2*len(o.key) + len(o.value) + o.forms.weight()
	for name, values := range o.header {
		n += 64 + len(name)
		for _, value := range values {
			n += 16 + len(value)
		}
	}
	for _, tag := range o.tags {
		n += tagOverhead + len(tag)
	}
	return n
}

// tagOverhead is about what memory takes for one tag of an object.
const tagOverhead = 256

// newForms returns the forms of a new body, if there are any.
func (e *engine) newForms() *forms {
	if e.memory == nil {
		return nil
	}
	return &forms{}
}

// whole reports whether the body is at hand.
func (o *object) whole() bool { return o.value != nil || o.length == 0 }

// remember keeps o in memory for as long as it is of use.
func (e *engine) remember(o *object, now time.Time) {
	if e.memory == nil {
		return
	}
	left := e.rules.keepUntil(o.stored).Sub(now)
	if left <= 0 || int64(len(o.value)) > e.held || !o.whole() && o.bodyID == 0 {
		e.forgetMemory(o.key)
		return
	}
	if o.fields == nil {
		with := *o
		with.fields = fieldsOf(o.header)
		o = &with
	}
	entry := larder.Entry[*object]{Value: o, TTL: left, Tags: memoryTags(o)}
	if err := e.memory.SetEntry(context.Background(), o.key, entry); err != nil {
		e.forgetMemory(o.key) // it is too heavy, or the cache is closed
	}
}

// memoryTags are the tags of o in memory: its own, and one of its URL if there is more in its key,
// so that all that has that URL can be found.
func memoryTags(o *object) []string {
	if url, _, more := strings.Cut(o.key, "#"); more {
		return append(slices.Clip(o.tags), urlTag(url))
	}
	return o.tags
}

const urlMark = "url "

func urlTag(url string) string { return urlMark + url }

func isURLTag(tag string) bool { return strings.HasPrefix(tag, urlMark) }

// reweigh weighs o again, if it is still there.
func (e *engine) reweigh(o *object) {
	if now := e.recall(o.key); now != nil && now.forms == o.forms {
		e.remember(now, time.Now())
	}
}

// recall returns what memory has under key.
func (e *engine) recall(key string) *object {
	if e.memory == nil {
		return nil
	}
	o, _ := e.memory.Lookup(key)
	return o
}

// forgetMemory takes key out of memory.
func (e *engine) forgetMemory(key string) {
	if e.memory != nil {
		e.note(e.memory.Delete(context.Background(), key))
	}
}

// read reads the response that the store has under key. What cannot be read is none.
func (e *engine) read(ctx context.Context, key string) (*object, reason) {
	if e.store == nil {
		return nil, becauseAbsent
	}
	item, err := e.store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, becauseAbsent
	}
	if err != nil {
		e.noteUnless(ctx, fmt.Errorf("httpcache: read %q: %w", key, err))
		return nil, becauseStoreFailed
	}
	s, value, err := parseEnvelope(key, item.Value)
	if err != nil {
		e.note(fmt.Errorf("%w under %q", err, key))
		return nil, becauseDamaged
	}
	if s.bodyID != 0 {
		value = nil
	}
	s.tags = slices.DeleteFunc(item.Tags, isURLTag)
	e.rules.readHeader(s)
	return &object{stored: s, key: key, value: value, forms: e.newForms()}, ""
}

// noteUnless hands an error of a call to the store under ctx to OnError, unless the end of ctx is
// the likely cause.
func (e *engine) noteUnless(ctx context.Context, err error) {
	if ctx.Err() == nil {
		e.note(err)
	}
}

// set puts s, whose envelope and maybe body are value, into the store, and reports whether that
// worked.
func (e *engine) set(ctx context.Context, key string, s *stored, value []byte) bool {
	item := e.rules.item(s)
	item.Value, item.Tags = value, memoryTags(&object{stored: s, key: key})
	err := e.store.Set(ctx, key, item)
	if err != nil {
		e.noteUnless(ctx, fmt.Errorf("httpcache: store %q: %w", key, err))
	}
	return err == nil
}

// delete removes key from both levels, even for a caller who has given up meanwhile.
func (e *engine) delete(ctx context.Context, key string) {
	e.forgetMemory(key)
	if e.store == nil {
		return
	}
	if err := e.store.Delete(context.WithoutCancel(ctx), key); err != nil {
		e.note(fmt.Errorf("httpcache: delete %q: %w", key, err))
	}
}

// forgetBody removes the body id of the URL key, if there is one. Readers keep what they opened.
func (e *engine) forgetBody(ctx context.Context, key string, id uint64) {
	if id != 0 {
		e.delete(ctx, bodyKey(key, id))
	}
}

// forget removes what lies under key, the primary response of a URL. Its variants cannot be found
// without it and leave when their time is up.
func (e *engine) forget(ctx context.Context, key string) {
	e.purges.add(key)
	o := e.recall(key)
	if o == nil {
		if o, _ = e.read(ctx, key); o == nil {
			return
		}
	}
	e.delete(ctx, key)
	e.forgetBody(ctx, key, o.bodyID)
}
