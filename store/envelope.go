// envelope.go turns items into bytes and back, for stores that keep nothing but bytes.

package store

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"time"
)

// An envelope is, numbers little-endian:
//
//	0 "LDR"    3
//	3 version  1
//	4 CRC      4   Castagnoli, of the key and all that follows
//	8 present  1   which of created, fresh, gone, tags, validators follow
//	9 times    8   each that is present, Unix nanoseconds
//	  tags         their number, then each with its length before it
//	  validators   ETag and Last-Modified, each with its length before it
//	  value        the rest
//
// Counts and lengths are varints.
const (
	envelopeMagic   = "LDR"
	envelopeVersion = 1
	envelopeHead    = 9
)

// What is present in an envelope.
const (
	hasCreated = 1 << iota
	hasFresh
	hasGone
	hasTags
	hasValidators
	hasAll = 1<<iota - 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// AppendItem appends item as bytes that describe themselves, for ParseItem and the same key.
func AppendItem(b []byte, key string, item Item) []byte {
	start := len(b)
	b = append(b, envelopeMagic...)
	b = append(b, envelopeVersion, 0, 0, 0, 0, 0)
	present := byte(0)
	for i, t := range [...]time.Time{item.Created, item.FreshUntil, item.GoneAfter} {
		if !t.IsZero() {
			present |= hasCreated << i
			b = binary.LittleEndian.AppendUint64(b, uint64(nanoseconds(t)))
		}
	}
	if len(item.Tags) > 0 {
		present |= hasTags
		b = binary.AppendUvarint(b, uint64(len(item.Tags)))
		for _, tag := range item.Tags {
			b = appendText(b, tag)
		}
	}
	if item.Validators != (Validators{}) {
		present |= hasValidators
		b = appendText(appendText(b, item.Validators.ETag), item.Validators.LastModified)
	}
	b = append(b, item.Value...)
	b[start+envelopeHead-1] = present
	binary.LittleEndian.PutUint32(b[start+4:], envelopeSum(key, b[start+8:]))
	return b
}

// nanoseconds returns the Unix time of t in nanoseconds; what is before 1678 or after 2262, such as
// a year 9999 that means never, becomes the first or the last that there is.
func nanoseconds(t time.Time) int64 {
	switch {
	case t.Before(time.Unix(0, math.MinInt64)):
		return math.MinInt64
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	}
	return t.UnixNano()
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func envelopeSum(key string, rest []byte) uint32 {
	var room [128]byte
	return crc32.Update(crc32.Checksum(append(room[:0], key...), castagnoli), castagnoli, rest)
}

// ParseItem returns the item that AppendItem has written for key. Its value and its tags are parts
// of b. The bytes may be anything: what is no item of key is an error that wraps ErrNotFound and
// ErrDamaged.
func ParseItem(b []byte, key string) (Item, error) {
	switch {
	case len(b) < envelopeHead || string(b[:3]) != envelopeMagic:
		return Item{}, damaged(key, "these are not larder's bytes")
	case b[3] != envelopeVersion:
		return Item{}, damaged(key, fmt.Sprintf("version %d of the envelope", b[3]))
	case binary.LittleEndian.Uint32(b[4:]) != envelopeSum(key, b[8:]):
		return Item{}, damaged(key, "the checksum differs")
	}
	r := envelopeReader{rest: b[envelopeHead:], present: b[8], ok: b[8]&^hasAll == 0}
	item := Item{
		Created: r.time(hasCreated), FreshUntil: r.time(hasFresh), GoneAfter: r.time(hasGone),
		Tags: r.tags(), Validators: r.validators(), Value: r.rest,
	}
	if !r.ok {
		return Item{}, damaged(key, "a length is wrong")
	}
	return item, nil
}

func damaged(key, why string) error {
	return fmt.Errorf("%w: %w: %.60q: %s", ErrNotFound, ErrDamaged, key, why)
}

// envelopeReader reads what is present, from left to right. After an error ok is false, and all it
// returns is empty.
type envelopeReader struct {
	rest    []byte
	present byte
	ok      bool
}

func (r *envelopeReader) take(n uint64) []byte {
	if !r.ok || n > uint64(len(r.rest)) {
		r.ok = false
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *envelopeReader) time(bit byte) time.Time {
	if r.present&bit == 0 {
		return time.Time{}
	}
	b := r.take(8)
	if b == nil {
		return time.Time{}
	}
	return time.Unix(0, int64(binary.LittleEndian.Uint64(b)))
}

func (r *envelopeReader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.ok = false
		return 0
	}
	r.take(uint64(size))
	return n
}

func (r *envelopeReader) text() string { return string(r.take(r.number())) }

func (r *envelopeReader) tags() []string {
	if r.present&hasTags == 0 {
		return nil
	}
	n := r.number()
	if n > uint64(len(r.rest)) { // each takes a byte at least
		r.ok = false
		return nil
	}
	tags := make([]string, 0, min(n, 64))
	for range n {
		tags = append(tags, r.text())
	}
	return tags
}

func (r *envelopeReader) validators() (v Validators) {
	if r.present&hasValidators != 0 {
		v.ETag = r.text()
		v.LastModified = r.text()
	}
	return v
}
