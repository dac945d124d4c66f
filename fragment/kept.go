// kept.go is a fragment as it is kept, in memory and as bytes in a store.

package fragment

import (
	"encoding/binary"
	"errors"
	"time"
)

// kept is a fragment, and what whoever shows it inside of another one has to know.
type kept struct {
	markup string
	tags   []string      // its own, and those of all within
	ttl    time.Duration // for which it is fresh when it is new
}

// overhead is what a fragment takes in memory besides its markup, key and tags, in bytes.
const overhead = 256

// weigh returns how many bytes of memory a fragment takes.
func weigh(key string, k kept) int {
	n := len(key) + len(k.markup) + overhead
	for _, tag := range k.tags {
		n += 2*len(tag) + 32 // it is listed twice
	}
	return n
}

// errDamaged is returned for bytes that are no fragment.
var errDamaged = errors.New("fragment: damaged")

// MarshalBinary writes the time, the number of tags, each with its length before it, the markup.
func (k kept) MarshalBinary() ([]byte, error) {
	b := binary.AppendUvarint(nil, uint64(k.ttl))
	b = binary.AppendUvarint(b, uint64(len(k.tags)))
	for _, tag := range k.tags {
		b = binary.AppendUvarint(b, uint64(len(tag)))
		b = append(b, tag...)
	}
	return append(b, k.markup...), nil
}

// UnmarshalBinary reads what MarshalBinary has written.
func (k *kept) UnmarshalBinary(b []byte) error {
	ttl, b, ok := cutNumber(b)
	n, b, found := cutNumber(b)
	if !ok || !found || int64(ttl) < 0 || n > uint64(len(b)) { // each tag takes a byte
		return errDamaged
	}
	k.ttl, k.tags = time.Duration(ttl), nil
	for range n {
		var size uint64
		size, b, ok = cutNumber(b)
		if !ok || size > uint64(len(b)) {
			return errDamaged
		}
		k.tags = append(k.tags, string(b[:size]))
		b = b[size:]
	}
	k.markup = string(b)
	return nil
}

func cutNumber(b []byte) (n uint64, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 {
		return 0, nil, false
	}
	return n, b[size:], true
}
