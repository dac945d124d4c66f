// record.go turns items, the marks of their tags and their lease into bytes and back.

package memcached

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"time"

	"github.com/larder-go/larder/store"
)

// A record is what Memcached holds for a key, numbers little-endian:
//
//	0 version  1
//	1 CRC      4   Castagnoli, of all that follows before the envelope
//	5 parts    1   whether there is an item, whether there is a lease
//	6 lease    16  token, and its end in Unix nanoseconds, if there is one
//	  marks        their number as a varint, then 8 bytes for each tag of the item
//	  envelope     of the item, see store.AppendItem
const (
	recordVersion = 1
	recordHead    = 6
	hasItem       = 1
	hasLease      = 2
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// record is an item, a lease, or an item that is leased.
type record struct {
	present bool // there is an item
	item    store.Item
	marks   []uint64 // numbers of the marks of item.Tags when it was set
	lease   leaseMark
}

// leaseMark says who has the lease of a key. The zero value is nobody.
type leaseMark struct {
	token uint64
	until time.Time
}

func newRecord(item store.Item, marks map[string]mark) record {
	r := record{present: true, item: item}
	for _, tag := range item.Tags {
		r.marks = append(r.marks, marks[tag].number)
	}
	return r
}

// alive reports whether there is an item that has not expired.
func (r record) alive(now time.Time) bool { return r.present && !r.item.Expired(now) }

// untouched reports whether no tag of the item was deleted since it was set. A mark that is missing
// was evicted: nobody knows any more.
func (r record) untouched(marks map[string]mark) bool {
	for i, tag := range r.item.Tags {
		if m, ok := marks[tag]; !ok || m.number != r.marks[i] {
			return false
		}
	}
	return true
}

// leased reports whether somebody has the lease.
func (r record) leased(now time.Time) bool {
	return r.lease.token != 0 && now.Before(r.lease.until)
}

// neededUntil is when Memcached may forget the record: not before its item is gone and its lease is
// over. The zero time is never.
func (r record) neededUntil() time.Time {
	gone := r.item.GoneAfter
	if r.present && (gone.IsZero() || gone.After(r.lease.until)) {
		return gone
	}
	return r.lease.until
}

// relativeLimit is the number of seconds from which on Memcached takes an expiration for a time.
const relativeLimit = 30 * 24 * 60 * 60

// expiration returns what to send so that an item lives until gone at least: Memcached counts whole
// seconds and its second may be over at once. 0 is never, negative is already gone. What cannot be
// said in 32 bits, beyond the year 2038, is never: the item itself says when it is gone.
func expiration(gone, now time.Time) int32 {
	if gone.IsZero() {
		return 0
	}
	left := gone.Sub(now)
	if left <= 0 {
		return -1
	}
	seconds := int64((left+time.Second-1)/time.Second) + 1
	if seconds > relativeLimit {
		seconds = gone.Unix() + 2
	}
	if seconds > math.MaxInt32 {
		return 0
	}
	return int32(seconds)
}

func appendRecord(b []byte, key string, r record) []byte {
	start := len(b)
	b = append(b, recordVersion, 0, 0, 0, 0, 0)
	if r.lease.token != 0 {
		b[start+5] |= hasLease
		b = binary.LittleEndian.AppendUint64(b, r.lease.token)
		b = binary.LittleEndian.AppendUint64(b, uint64(r.lease.until.UnixNano()))
	}
	if r.present {
		b[start+5] |= hasItem
		b = binary.AppendUvarint(b, uint64(len(r.marks)))
		for _, m := range r.marks {
			b = binary.LittleEndian.AppendUint64(b, m)
		}
	}
	sum := crc32.Checksum(b[start+5:], castagnoli)
	binary.LittleEndian.PutUint32(b[start+1:], sum)
	if r.present {
		b = store.AppendItem(b, key, r.item)
	}
	return b
}

// parseRecord returns what appendRecord has written for key. The item's value is a part of b. The
// bytes may be anything: what is no record of key is an error that wraps ErrNotFound and
// ErrDamaged.
func parseRecord(b []byte, key string) (r record, err error) {
	if len(b) < recordHead || b[0] != recordVersion || b[5]&^(hasItem|hasLease) != 0 {
		return record{}, damaged(key, "this is no record")
	}
	sum, parts, rest := binary.LittleEndian.Uint32(b[1:]), b[5], b[recordHead:]
	if parts&hasLease != 0 {
		if len(rest) < 16 {
			return record{}, damaged(key, "cut in the lease")
		}
		r.lease.token = binary.LittleEndian.Uint64(rest)
		r.lease.until = time.Unix(0, int64(binary.LittleEndian.Uint64(rest[8:])))
		rest = rest[16:]
	}
	if parts&hasItem != 0 {
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > uint64(len(rest)-size)/8 {
			return record{}, damaged(key, "cut in the marks")
		}
		rest = rest[size:]
		for range n {
			r.marks = append(r.marks, binary.LittleEndian.Uint64(rest))
			rest = rest[8:]
		}
	}
	if crc32.Checksum(b[5:len(b)-len(rest)], castagnoli) != sum {
		return record{}, damaged(key, "the checksum differs")
	}
	if parts&hasItem == 0 {
		return r, nil
	}
	r.present = true
	if r.item, err = store.ParseItem(rest, key); err != nil {
		return record{}, fmt.Errorf("memcached: %w", err)
	}
	if len(r.marks) != len(r.item.Tags) {
		return record{}, damaged(key, "marks that belong to no tags")
	}
	return r, nil
}

func damaged(key, why string) error {
	return fmt.Errorf("memcached: %w: %w: %.60q: %s", store.ErrNotFound, store.ErrDamaged, key, why)
}
