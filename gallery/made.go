// made.go writes thumbnails down for a store.

package gallery

import (
	"encoding/binary"
	"errors"

	"github.com/larder-go/larder/gallery/thumb"
)

// made is a thumbnail, or why there is none, as it is kept.
type made struct {
	thumb.Thumb
	Wrong string // what the tile says instead; "" if there is a thumbnail
	Tag   string // names the bytes it was made of, where the key does not
}

// errMade is returned for bytes that are no thumbnail.
var errMade = errors.New("gallery: not a stored thumbnail")

// MarshalBinary writes the numbers and then the strings, each after its length.
func (m made) MarshalBinary() ([]byte, error) {
	b := make([]byte, 0, len(m.Bytes)+len(m.Hash)+len(m.Type)+len(m.Wrong)+len(m.Tag)+32)
	b = binary.AppendUvarint(b, uint64(m.Width))
	b = binary.AppendUvarint(b, uint64(m.Height))
	for _, part := range []string{m.Type, string(m.Hash), m.Wrong, m.Tag} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return append(b, m.Bytes...), nil
}

// UnmarshalBinary reads what MarshalBinary has written. The bytes are not kept.
func (m *made) UnmarshalBinary(b []byte) error {
	r := partReader{b: b}
	*m = made{Thumb: thumb.Thumb{Width: r.number(), Height: r.number()}}
	m.Type = string(r.part())
	m.Hash = append(m.Hash, r.part()...)
	m.Wrong, m.Tag = string(r.part()), string(r.part())
	m.Bytes = append(m.Bytes, r.b...)
	if r.bad {
		return errMade
	}
	return nil
}

// partReader reads parts after their lengths. Once something was wrong it reads nothing more.
type partReader struct {
	b   []byte
	bad bool
}

func (r *partReader) number() int {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > 1<<40 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return int(v)
}

func (r *partReader) part() []byte {
	n := r.number()
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	part := r.b[:n]
	r.b = r.b[n:]
	return part
}
