// keep.go stores a response while its body arrives.

package httpcache

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/larder-go/larder/store"
)

// inlineBody is the largest body kept in one value with its envelope: small enough to be held in
// memory by every request at once, large enough for nearly every page.
const inlineBody = 256 << 10

// newID returns a number that is not used for the same URL yet, and never 0.
func newID() uint64 { return rand.Uint64() | 1 }

// saver puts one response into the store while its body arrives. It is not safe for concurrent use.
type saver struct {
	x     *exchange
	s     *stored
	key   string
	old   *found // lay under key when the request looked
	want  int64  // the length of the body, or -1
	value []byte // the envelope, and the body until it is too large
	head  int    // bytes of the envelope
	n     int64  // bytes of the body so far
	id    uint64 // of a body that has a key of its own
	w     store.Writer
	done  bool
}

// newSaver begins to store s, whose body has want bytes, or -1 if nobody knows. It returns nil and
// the reason if its header is too large.
func (x *exchange) newSaver(s *stored, want int64) (*saver, reason) {
	key, old := x.place(s)
	k := &saver{x: x, s: s, key: key, old: old, want: want}
	if x.store == nil {
		return k, ""
	}
	k.value = appendEnvelope(make([]byte, 0, 1024+min(max(want, 0), inlineBody)), s)
	if k.head = len(k.value); k.head > maxEnvelope {
		return nil, becauseHeaderTooLarge
	}
	return k, ""
}

// add stores the next piece of the body.
func (k *saver) add(p []byte) {
	if k.done || len(p) == 0 {
		return
	}
	k.n += int64(len(p))
	switch {
	case k.n > k.x.maxBody:
		k.drop(nil)
	case k.x.store == nil:
	case k.w == nil && k.n <= inlineBody:
		k.value = append(k.value, p...)
	default:
		if err := k.write(p); err != nil {
			k.drop(err)
		}
	}
}

// write streams p to the store, after what was held in memory.
func (k *saver) write(p []byte) error {
	if k.w == nil {
		k.id = newID()
		w, err := store.Create(k.x.context(), k.x.store, bodyKey(k.x.key, k.id),
			k.x.rules.item(k.s), k.x.maxBody)
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

// finish stores the response if its body is whole (RFC 9111, section 3.3), and returns what is kept
// of it, or nil. The envelope of a large body comes last: whoever finds it finds the body too. body
// is the whole of it if it is to be kept in memory.
func (k *saver) finish(body []byte) *object {
	if k.done {
		return nil
	}
	if k.want >= 0 && k.n != k.want {
		k.drop(nil)
		return nil
	}
	if k.w != nil {
		if err := k.w.Commit(); err != nil {
			k.drop(err)
			return nil
		}
	}
	k.done = true
	if k.x.store == nil && body == nil && k.n > 0 {
		return nil // it was too large for memory, at this moment
	}
	k.s.length, k.s.bodyID = k.n, k.id
	o := &object{stored: k.s, key: k.key, value: body, forms: k.x.newForms()}
	if k.x.purges.hit(o, k.s.requested) || k.x.store != nil && !k.replace() {
		k.x.forgetBody(k.x.context(), k.x.key, k.id)
		return nil
	}
	k.value = nil
	if !k.x.purges.unless(o, k.s.requested, func() { k.x.remember(o, time.Now()) }) {
		k.x.drop(&found{object: o})
		return nil
	}
	return o
}

// replace puts the envelope in the place of what lies under its key by now: a concurrent miss may
// have stored it since the request looked. Two misses that both look here before either stores
// still leave a body that nobody finds; it goes when its time is up.
func (k *saver) replace() bool {
	seal(k.value, k.key, k.n, k.id)
	old := k.old
	if o, _ := k.x.read(k.x.context(), k.key); o != nil {
		old = &found{object: o}
	}
	if !k.x.set(k.x.context(), k.key, k.s, k.value) {
		return false
	}
	if old != nil {
		k.x.forgetBody(k.x.context(), k.x.key, old.bodyID)
	}
	return true
}

// drop gives up storing, because of err if there is one.
func (k *saver) drop(err error) {
	if k.done {
		return
	}
	k.done, k.value = true, nil
	if k.w != nil {
		k.w.Close()
	}
	if err != nil {
		k.x.noteUnless(k.x.context(), fmt.Errorf("httpcache: store body of %q: %w", k.key, err))
	}
}

// keep has the body of resp stored under s as the caller reads it. One that is known to be empty
// is stored at once, since nobody needs to read it.
func (x *exchange) keep(resp *http.Response, s *stored) {
	k, why := x.newSaver(s, resp.ContentLength)
	if why != "" {
		return
	}
	if k.want == 0 || resp.Body == http.NoBody {
		k.finish(nil)
		return
	}
	resp.Body = &keeper{body: resp.Body, saver: k}
}

// keeper is the body of a response that is being read from the origin and stored.
type keeper struct {
	body io.ReadCloser

	// mu guards the saver, since Close may be called while Read waits. The store is called under it:
	// only the reader of this one body waits for that.
	mu    sync.Mutex
	saver *saver
}

// Read implements io.Reader. An error of the store stops the storing and not the reading.
func (k *keeper) Read(p []byte) (int, error) {
	n, err := k.body.Read(p)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.saver.add(p[:n])
	switch err {
	case nil:
	case io.EOF:
		k.saver.finish(nil)
	default:
		k.saver.drop(nil)
	}
	return n, err
}

// Close implements io.Closer. A body of known length is complete even if its reader did not wait
// for the EOF; any other is dropped.
func (k *keeper) Close() error {
	k.mu.Lock()
	if k.saver.n == k.saver.want {
		k.saver.finish(nil)
	}
	k.saver.drop(nil)
	k.mu.Unlock()
	return k.body.Close()
}
