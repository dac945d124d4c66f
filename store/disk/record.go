// record.go turns items into records of a segment, checks them, and turns them back. It is pure.

package disk

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"time"

	"github.com/larder-go/larder/store"
)

// A record begins at a multiple of 16 bytes:
//
//	 0 magic   2
//	 2 dead    1    set by Delete, outside of the CRC: only a rebuild of the index asks
//	 3 zero    1
//	 4 CRC     4    of all that follows, begun with a number that only this place has
//	 8 seq     8    which record of a key is the newest
//	16 created 8    Unix nanoseconds, as the next two; 0 is none
//	24 fresh   8
//	32 gone    8
//	40 value   4    length
//	44 key     2    length, and the kind in the two upper bits
//	46 meta    2    length
//	48 key, meta (tags and validators), value, zeros up to a multiple of 16
//
// All numbers are little-endian.
const (
	recordMagic  = 0x4c52
	recordHead   = 48
	maxMeta      = math.MaxUint16
	deadOffset   = 2
	kindShift    = 14
	keyLenMask   = 1<<kindShift - 1
	largeRefSize = 16
)

// kind says what a record is.
type kind uint16

const (
	kindItem  kind = iota // the value lies in the record
	kindLarge             // the value lies in a file of its own, the record names it
	kindMark              // a tag was deleted: its older items are gone
)

var errDamaged = errors.New("record damaged")

// recordInfo is the head of a record.
type recordInfo struct {
	seq                  uint64
	created, fresh, gone int64
	kind                 kind
	keyLen, metaLen      int
	valueLen             int64
	sum                  uint32
}

// size is what the record takes in its segment.
func (r *recordInfo) size() int64 {
	n := int64(recordHead) + int64(r.keyLen) + int64(r.metaLen) + r.valueLen
	return (n + recordAlign - 1) &^ (recordAlign - 1)
}

// newRecordInfo describes item for a record with value bytes.
func newRecordInfo(k kind, key string, item *store.Item, meta, value []byte) recordInfo {
	return recordInfo{
		kind: k, keyLen: len(key), metaLen: len(meta), valueLen: int64(len(value)),
		created: nanos(item.Created), fresh: nanos(item.FreshUntil), gone: nanos(item.GoneAfter),
	}
}

// appendHead appends the head of the record, its CRC still zero.
func (r *recordInfo) appendHead(b []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, recordMagic)
	b = append(b, 0, 0, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, r.seq)
	b = binary.LittleEndian.AppendUint64(b, uint64(r.created))
	b = binary.LittleEndian.AppendUint64(b, uint64(r.fresh))
	b = binary.LittleEndian.AppendUint64(b, uint64(r.gone))
	b = binary.LittleEndian.AppendUint32(b, uint32(r.valueLen))
	b = binary.LittleEndian.AppendUint16(b, uint16(r.keyLen)|uint16(r.kind)<<kindShift)
	return binary.LittleEndian.AppendUint16(b, uint16(r.metaLen))
}

// parseHead reads the head of a record; ok is false where none begins. It checks no CRC.
func parseHead(b []byte) (r recordInfo, ok bool) {
	_ = b[recordHead-1]
	if binary.LittleEndian.Uint16(b) != recordMagic {
		return r, false
	}
	word := binary.LittleEndian.Uint16(b[44:])
	r = recordInfo{
		sum:      binary.LittleEndian.Uint32(b[4:]),
		seq:      binary.LittleEndian.Uint64(b[8:]),
		created:  int64(binary.LittleEndian.Uint64(b[16:])),
		fresh:    int64(binary.LittleEndian.Uint64(b[24:])),
		gone:     int64(binary.LittleEndian.Uint64(b[32:])),
		valueLen: int64(binary.LittleEndian.Uint32(b[40:])),
		kind:     kind(word >> kindShift),
		keyLen:   int(word & keyLenMask),
		metaLen:  int(binary.LittleEndian.Uint16(b[46:])),
	}
	return r, r.keyLen > 0 && r.kind <= kindMark
}

// checksum is the CRC of a record whose head (48 bytes) and body (key, meta, value) are given.
func checksum(begin uint32, head []byte, body ...[]byte) uint32 {
	sum := crc32.Update(begin, castagnoli, head[8:recordHead])
	for _, b := range body {
		sum = crc32.Update(sum, castagnoli, b)
	}
	return sum
}

// begin returns the number the CRC of a record at off starts with. A record copied to another
// place, or one that a value pretends to contain, does not pass there.
func begin(salt uint32, off int64) uint32 { return salt ^ uint32(off/recordAlign)*0x9e3779b1 }

// expired is store.Item.Expired on a record.
func (r *recordInfo) expired(now int64) bool {
	return r.gone != 0 && (now >= r.gone || r.created-now > int64(store.Skew))
}

// item builds the item of a record; the caller gives it its value.
func (r *recordInfo) item(meta []byte) (store.Item, error) {
	item := store.Item{Created: clock(r.created), FreshUntil: clock(r.fresh), GoneAfter: clock(r.gone)}
	return item, parseMeta(meta, &item)
}

// nanos is t in Unix nanoseconds; what does not fit (before 1678, after 2262) is none.
func nanos(t time.Time) int64 {
	if t.IsZero() || t.Year() < 1678 || t.Year() > 2261 {
		return 0
	}
	return t.UnixNano()
}

func clock(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// appendMeta appends tags and validators; an item without any has no meta at all.
func appendMeta(b []byte, item *store.Item) []byte {
	if len(item.Tags) == 0 && item.Validators == (store.Validators{}) {
		return b
	}
	b = appendString(b, item.Validators.ETag)
	b = appendString(b, item.Validators.LastModified)
	for _, tag := range item.Tags {
		b = appendString(b, tag)
	}
	return b
}

func parseMeta(b []byte, item *store.Item) error {
	if len(b) == 0 {
		return nil
	}
	var err error
	if item.Validators.ETag, b, err = cutString(b); err != nil {
		return err
	}
	if item.Validators.LastModified, b, err = cutString(b); err != nil {
		return err
	}
	item.Tags, err = parseStrings(b)
	return err
}

func parseStrings(b []byte) (all []string, err error) {
	for len(b) > 0 {
		var s string
		if s, b, err = cutString(b); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func cutString(b []byte) (string, []byte, error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return "", nil, errDamaged
	}
	return string(b[w : w+int(n)]), b[w+int(n):], nil
}

// largeRef is the value of a kindLarge record.
type largeRef struct {
	id     uint64
	size   int64  // of the value
	folder uint64 // the folder it was read in, not stored
}

func (l largeRef) bytes() []byte {
	b := binary.LittleEndian.AppendUint64(nil, l.id)
	return binary.LittleEndian.AppendUint64(b, uint64(l.size))
}

func parseLargeRef(b []byte) (largeRef, bool) {
	if len(b) != largeRefSize {
		return largeRef{}, false
	}
	l := largeRef{id: binary.LittleEndian.Uint64(b), size: int64(binary.LittleEndian.Uint64(b[8:]))}
	return l, l.size >= 0
}
