// layout.go is the map of the index file: what every process sees in shared memory.

package disk

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"sync/atomic"
	"unsafe"
)

// Format is the version of the files of a folder. A folder of another format is refused.
const Format = 1

const (
	indexMagic   = "LARDERIX"
	byteOrder    = 0x01020304 // written as the machine writes it: shared words are not portable
	regionCount  = 256
	segmentCount = 1024
	firstSlots   = 64      // of a new region
	indexSpan    = 4 << 30 // bytes of address space a mapped index may grow into
)

// castagnoli is the CRC that processors compute by themselves.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// shared lies at the start of the index file. All words but the head change under the eyes of
// every process that has the folder open; each is atomic by itself. Slots follow it.
type shared struct {
	head header

	limit       atomic.Int64  // bytes all files may take
	bytes       atomic.Int64  // bytes all files take, or more while one is made; changed in the room
	indexBytes  atomic.Int64  // size of the index file; changed in the room
	indexEnd    atomic.Int64  // how much of it is in use; may run past indexBytes
	seq         atomic.Uint64 // of the newest record
	lastSegment atomic.Uint64 // id of the newest segment
	active      atomic.Uint64 // place in segments of the one that is appended to
	drops       atomic.Uint64 // counts segments that left: a reason to look which
	dirty       atomic.Uint64 // what the one in the room has begun
	replaced    atomic.Uint64 // 1 when another index has taken the place of this one
	boot        atomic.Uint64 // which start of the machine opened the folder last
	lastLarge   atomic.Uint64 // id of the newest large file

	entries  atomic.Int64  // items that can be found, tag marks left out
	live     atomic.Int64  // bytes of their records and large files
	large    atomic.Int64  // large files
	marked   atomic.Uint64 // 1 once a tag was deleted: until then nobody looks for marks
	evicted  atomic.Uint64
	damaged  atomic.Uint64
	hits     atomic.Uint64
	misses   atomic.Uint64
	_        [4096 - 40 - 20*8]byte
	regions  [regionCount]region
	segments [segmentCount]segmentInfo
}

// header is the part of the index file that never changes.
type header struct {
	magic  [8]byte
	format uint32
	order  uint32
	seed   uint64 // of the key hash: strangers cannot aim at one region
	folder uint64 // random: which folder a segment belongs to
	sum    uint32 // CRC of the bytes before it
}

// region is one of 256 independent hash tables. A key's top hash bits name its region.
type region struct {
	extent  atomic.Uint64 // where its slots are: see extentWord
	lock    atomic.Uint64 // 0, or who writes: see processToken
	version atomic.Uint64 // odd while slots move
	used    atomic.Uint64 // slots that are not empty
}

// segmentInfo describes one segment file.
type segmentInfo struct {
	id      atomic.Uint64 // 0: the place is free
	state   atomic.Uint64 // segmentLive or segmentLeaving
	tail    atomic.Int64  // where the next record goes; may run past alloc
	alloc   atomic.Int64  // size of the file
	limit   atomic.Int64  // the size it may grow to
	live    atomic.Int64  // bytes of records that can be found
	large   atomic.Int64  // bytes of large files its records own
	created atomic.Int64  // Unix nanoseconds
}

const (
	segmentLive    = 1
	segmentLeaving = 2
)

const sharedBytes = int64(unsafe.Sizeof(shared{}))

func newHeader(seed, folder uint64) header {
	h := header{format: Format, order: byteOrder, seed: seed, folder: folder}
	copy(h.magic[:], indexMagic)
	h.sum = h.checksum()
	return h
}

func (h *header) checksum() uint32 {
	b := append([]byte(nil), h.magic[:]...)
	for _, w := range []uint64{uint64(h.format), uint64(h.order), h.seed, h.folder} {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return crc32.Checksum(b, castagnoli)
}

// check returns why the index cannot be used; an [errDamagedIndex] can be mended by a rebuild.
func (h *header) check(dir string) error {
	switch {
	case string(h.magic[:]) != indexMagic:
		return fmt.Errorf("%w: no larder index", errDamagedIndex)
	case h.order != byteOrder:
		return fmt.Errorf("disk: %s was made on a machine of another byte order; "+
			"use another folder", dir)
	case h.format != Format:
		return fmt.Errorf("disk: %s has format %d, this version of larder reads %d; "+
			"upgrade larder or use another folder", dir, h.format, Format)
	case h.sum != h.checksum():
		return fmt.Errorf("%w: checksum of the header", errDamagedIndex)
	}
	return nil
}

// overlay returns the shared words at the start of a mapped index.
func overlay(m []byte) *shared { return (*shared)(unsafe.Pointer(&m[0])) }

// A slot is one word, so that a record appears or changes place in one store:
//
//	63    62..36       35..26   25..0
//	used  fingerprint  segment  offset/16
//
// The fingerprint is the low end of the key's hash; it also says where in the region the slot
// belongs. 0 is an empty slot: no record lies at offset 0.
type slot uint64

const (
	usedBit       slot = 1 << 63
	offsetBits         = 26
	segmentBits        = 10
	locationBits       = offsetBits + segmentBits
	fingerprints       = 1<<27 - 1
	recordAlign        = 16
	maxSegment         = recordAlign << offsetBits
	locationMask  slot = 1<<locationBits - 1
	placeMask          = 1<<segmentBits - 1
	offsetMask    slot = 1<<offsetBits - 1
	fingerprintAt      = locationBits
)

func newSlot(hash uint64, place int, off int64) slot {
	return slot(hash&fingerprints)<<fingerprintAt |
		slot(place)<<offsetBits | slot(off/recordAlign)
}

func (v slot) fingerprint() uint64  { return uint64(v>>fingerprintAt) & fingerprints }
func (v slot) place() int           { return int(v>>offsetBits) & placeMask }
func (v slot) offset() int64        { return int64(v&offsetMask) * recordAlign }
func (v slot) location() slot       { return v & locationMask }
func (v slot) same(other slot) bool { return v&^usedBit == other&^usedBit }

// slots returns the slots of r in the mapped index m; none if the word that leads to them is
// damaged. Such a region is as good as empty, and gets new slots when it is written.
func (r *region) slots(m []byte) []atomic.Uint64 {
	off, n, ok := parseExtent(r.extent.Load())
	if !ok || off < sharedBytes || off+n*8 > int64(len(m)) {
		return nil
	}
	return unsafe.Slice((*atomic.Uint64)(unsafe.Pointer(&m[off])), n)
}

// extentWord says where 1<<log2 slots lie, and checks itself: check 32, offset/64 26, log2 5 bits.
func extentWord(off int64, log2 int) uint64 {
	low := uint64(off/64)<<5 | uint64(log2)
	return extentCheck(low)<<32 | low
}

func parseExtent(word uint64) (off, n int64, ok bool) {
	low := word & (1<<31 - 1)
	return int64(low>>5) * 64, 1 << (low & 31), word == extentCheck(low)<<32|low
}

func extentCheck(low uint64) uint64 { return (low*0x9e3779b97f4a7c15 + 0x1234567) >> 32 }
