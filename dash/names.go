// names.go says how keys are shown: as they are, or as digests that tell nobody what they are of.

package dash

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"unicode/utf8"

	"github.com/larder-go/larder/stats"
)

// names shows keys. Digests are made with a secret of this process, so that nobody can find a key
// by trying; and those shown last are remembered, so that one can ask for them.
type names struct {
	secret []byte // nil: keys are shown as they are

	mu    sync.Mutex // guards the field below
	shown map[string]string
}

// mostShown bounds the digests that are remembered.
const mostShown = 10_000

func newNames(o Options) *names {
	n := &names{shown: map[string]string{}}
	if o.HashKeys {
		n.secret = make([]byte, sha256.Size)
		rand.Read(n.secret)
	}
	return n
}

// show returns what a key is shown as.
func (n *names) show(key string) string {
	if n.secret == nil {
		return cut(key, longestKey)
	}
	d := n.digest(key)
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.shown) >= mostShown {
		clear(n.shown)
	}
	n.shown[d] = key
	return d
}

func (n *names) digest(text string) string {
	mac := hmac.New(sha256.New, n.secret)
	mac.Write([]byte(text))
	return "#" + hex.EncodeToString(mac.Sum(nil)[:6])
}

// asked returns the key that a request means: what it says, or what was shown as that.
func (n *names) asked(text string) (string, error) {
	switch {
	case text == "":
		return "", refuse(http.StatusBadRequest, "key is missing")
	case len(text) > longestKey:
		return "", refuse(http.StatusBadRequest,
			fmt.Sprintf("a key may have %d bytes here, not %d", longestKey, len(text)))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return cmp.Or(n.shown[text], text), nil
}

// keys returns keys as they are shown.
func (n *names) keys(keys []stats.Key) []stats.Key {
	all := make([]stats.Key, 0, len(keys))
	for _, k := range keys[:min(len(keys), topKeys)] {
		k.Key = n.show(k.Key)
		all = append(all, k)
	}
	return all
}

// loads returns loads as they are shown.
func (n *names) loads(loads []stats.Load) []stats.Load {
	all := make([]stats.Load, 0, len(loads))
	for _, l := range loads[:min(len(loads), topKeys)] {
		all = append(all, n.load(l))
	}
	return all
}

// hidden stands for errors where keys are hidden: they may name the key in ways nobody foresees.
const hidden = "failed (errors are hidden here, as keys are)"

// load returns a load as it is shown.
func (n *names) load(l stats.Load) stats.Load {
	l.Key, l.Err = n.show(l.Key), cut(l.Err, longestLine)
	if n.secret != nil && l.Err != "" {
		l.Err = hidden
	}
	return l
}

// life returns what is known of a key as it is shown.
func (n *names) life(l stats.Life) stats.Life {
	l.Key = n.show(l.Key)
	if l.LastLoad != nil {
		last := n.load(*l.LastLoad)
		l.LastLoad = &last
	}
	if n.secret == nil {
		return l
	}
	tags := make([]string, len(l.Tags))
	for i, tag := range l.Tags {
		tags[i] = n.digest(tag)
	}
	l.Tags = tags
	l.Why = l.Sentences() // those that came may name what is hidden
	return l
}

// failure returns an error about a key as it is shown.
func (n *names) failure(err error) error {
	switch {
	case n.secret == nil:
		return err
	case errors.Is(err, stats.ErrNoKey):
		return stats.ErrNoKey
	}
	return refuse(statusOf(err), hidden)
}

// cut returns a text of at most so many bytes, and three more if it was longer.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
}
