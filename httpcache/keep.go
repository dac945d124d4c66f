// keep.go stores a response while its caller reads it, and forgets those that are outdated.

package httpcache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"

	"github.com/larder-go/larder/store"
)

// inlineBody is the largest body kept in one value with its envelope: small enough to be held in
// memory by every request at once, large enough for nearly every page.
const inlineBody = 256 << 10

// newID returns a number that is not used for the same URL yet, and never 0.
func newID() uint64 { return rand.Uint64() | 1 }

// keep has the body of resp stored under s as the caller reads it. One that is known to be empty
// is stored at once, since nobody needs to read it.
func (x *exchange) keep(resp *http.Response, s *stored) {
	key, old := x.place(s)
	k := &keeper{x: x, s: s, key: key, old: old, body: resp.Body, want: resp.ContentLength}
	k.value = appendEnvelope(make([]byte, 0, 1024+min(max(k.want, 0), inlineBody)), s)
	k.head = len(k.value)
	if k.head > maxEnvelope {
		return
	}
	if k.want == 0 || resp.Body == http.NoBody {
		k.finish()
		return
	}
	resp.Body = k
}

// keeper is the body of a response that is being read from the origin and stored.
type keeper struct {
	x    *exchange
	s    *stored
	key  string
	old  *found // lay under key when the request looked
	body io.ReadCloser
	want int64 // its length, or -1

	// mu guards the fields below, since Close may be called while Read waits. The store is called
	// under it: only the reader of this one body waits for that.
	mu    sync.Mutex
	value []byte // the envelope, and the body until it is too large
	head  int    // bytes of the envelope
	n     int64  // bytes of the body so far
	id    uint64 // of a body that has a key of its own
	w     store.Writer
	done  bool
}

// Read implements io.Reader. An error of the store stops the storing and not the reading.
func (k *keeper) Read(p []byte) (int, error) {
	n, err := k.body.Read(p)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.add(p[:n])
	switch err {
	case nil:
	case io.EOF:
		k.finish()
	default:
		k.drop(nil)
	}
	return n, err
}

// Close implements io.Closer. A body of known length is complete even if its reader did not wait
// for the EOF; any other is dropped.
func (k *keeper) Close() error {
	k.mu.Lock()
	if k.n == k.want {
		k.finish()
	}
	k.drop(nil)
	k.mu.Unlock()
	return k.body.Close()
}

// add stores the next piece of the body.
func (k *keeper) add(p []byte) {
	if k.done || len(p) == 0 {
		return
	}
	k.n += int64(len(p))
	if k.n > k.x.t.maxBody() {
		k.drop(nil)
		return
	}
	if k.w == nil && k.n <= inlineBody {
		k.value = append(k.value, p...)
		return
	}
	if err := k.write(p); err != nil {
		k.drop(err)
	}
}

// write streams p to the store, after what was held in memory.
func (k *keeper) write(p []byte) error {
	if k.w == nil {
		k.id = newID()
		w, err := store.Create(k.x.req.Context(), k.x.t.Store, bodyKey(k.x.key, k.id),
			k.x.rules.item(k.s), k.x.t.maxBody())
		if err != nil {
			return err
		}
		k.w = w
		if _, err := w.Write(k.value[k.head:]); err != nil {
			return err
		}
		k.value = bytes.Clone(k.value[:k.head]) // lets go of the rest
	}
	_, err := k.w.Write(p)
	return err
}

// finish stores the response if its body is whole (RFC 9111, section 3.3). The envelope of a large
// body comes last: whoever finds it finds the body too.
func (k *keeper) finish() {
	if k.done {
		return
	}
	if k.want >= 0 && k.n != k.want {
		k.drop(nil)
		return
	}
	if k.w != nil {
		if err := k.w.Commit(); err != nil {
			k.drop(err)
			return
		}
	}
	k.done = true
	seal(k.value, k.n, k.id)
	k.replace()
	k.value = nil
}

// replace puts the envelope in the place of what lies under its key by now: a concurrent miss may
// have stored it since the request looked. Two misses that both look here before either stores
// still leave a body that nobody finds; it goes when its time is up.
func (k *keeper) replace() {
	old := k.old
	if f, _ := k.x.get(k.key); f != nil {
		old = f
	}
	switch {
	case !k.x.set(k.key, k.s, k.value):
		k.x.forgetBody(k.x.key, k.id)
	case old != nil:
		k.x.forgetBody(k.x.key, old.bodyID)
	}
}

// drop gives up storing, because of err if there is one.
func (k *keeper) drop(err error) {
	if k.done {
		return
	}
	k.done, k.value = true, nil
	if k.w != nil {
		k.w.Close()
	}
	if err != nil {
		k.x.note(fmt.Errorf("httpcache: store body of %s: %w", k.key, err))
	}
}

// refresh stores f again after its header changed, or forgets it if it may no longer be stored.
func (x *exchange) refresh(f *found) {
	get := *x.req
	get.Method = http.MethodGet
	switch why := x.rules.unstorable(&get, x.cc, f.stored); {
	case x.cc.has(noStore):
		return // nothing of this exchange may be stored; what was there before may stay
	case why != "":
		x.forget(f)
		return
	}
	value := appendEnvelope(make([]byte, 0, 2048+len(f.value)), f.stored)
	if len(value) > maxEnvelope {
		x.forget(f)
		return
	}
	value = append(value, f.value...)
	seal(value, f.length, f.bodyID)
	x.set(f.key, f.stored, value)
}

// set stores s, whose envelope and maybe body are value, and reports whether that worked.
func (x *exchange) set(key string, s *stored, value []byte) bool {
	item := x.rules.item(s)
	item.Value = value
	err := x.t.Store.Set(x.req.Context(), key, item)
	if err != nil {
		x.note(fmt.Errorf("httpcache: store %s: %w", key, err))
	}
	return err == nil
}

// forget removes f from the store.
func (x *exchange) forget(f *found) {
	x.delete(f.key)
	x.forgetBody(x.key, f.bodyID)
}

// forgetBody removes the body id of key if there is one. Readers keep what they opened.
func (x *exchange) forgetBody(key string, id uint64) {
	if id != 0 {
		x.delete(bodyKey(key, id))
	}
}

// forgetKey removes the primary response under key. Its variants cannot be found without it and
// leave when their time is up.
func (x *exchange) forgetKey(key string) {
	item, err := x.t.Store.Get(x.req.Context(), key)
	if errors.Is(err, store.ErrNotFound) {
		return
	}
	if s, _, err := parseEnvelope(item.Value); err == nil {
		x.forgetBody(key, s.bodyID)
	}
	x.delete(key)
}

// delete removes key, even for a caller who has given up meanwhile.
func (x *exchange) delete(key string) {
	ctx := context.WithoutCancel(x.req.Context())
	if err := x.t.Store.Delete(ctx, key); err != nil {
		x.t.note(fmt.Errorf("httpcache: delete %s: %w", key, err))
	}
}
