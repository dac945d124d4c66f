// large.go keeps values too long for a segment in files of their own.

package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/larder-go/larder/store"
)

// A large file begins with magic, format, salt, id, folder, length of the key, key, CRC. Blocks of
// at most 64 KiB follow, each after its length and its CRC, so that no byte is given out unchecked
// however long the value is. It is written in tmp and renamed when it is whole.
const (
	largeMagic = "LARDERLG"
	largeHead  = 36 // before the key
	blockBytes = 64 << 10
	blockHead  = 8
)

func appendLargeHead(b []byte, id, folder uint64, salt uint32, key string) []byte {
	b = append(b, largeMagic...)
	b = binary.LittleEndian.AppendUint32(b, Format)
	b = binary.LittleEndian.AppendUint32(b, salt)
	b = binary.LittleEndian.AppendUint64(b, id)
	b = binary.LittleEndian.AppendUint64(b, folder)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(key)))
	b = append(b, key...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// largeBytes is the size of the file of a value.
func largeBytes(key string, size int64) int64 {
	blocks := (size + blockBytes - 1) / blockBytes
	return largeHead + int64(len(key)) + 4 + size + blocks*blockHead
}

func appendBlockHead(b []byte, salt uint32, number uint32, block []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(block)))
	return binary.LittleEndian.AppendUint32(b, blockSum(salt, number, block))
}

// blockSum is the CRC of block number of a file: blocks cannot change places.
func blockSum(salt, number uint32, block []byte) uint32 {
	return crc32.Update(salt^number*0x9e3779b1^uint32(len(block)), castagnoli, block)
}

func (s *Store) largePath(id uint64) string {
	return s.path(largeDir, fmt.Sprintf("%02x", id&0xff), fmt.Sprintf("%016x", id))
}

// uncheckedRef reads what large file the record f names. The record may be damaged.
func (f *found) uncheckedRef() (largeRef, bool) {
	if f.kind != kindLarge {
		return largeRef{}, false
	}
	value := f.off + recordHead + int64(f.keyLen) + int64(f.metaLen)
	return parseLargeRef(f.seg.m[value : value+f.valueLen])
}

// checkedRef is uncheckedRef of a sound record: a file may be removed by it.
func (f *found) checkedRef() (largeRef, bool) {
	if f.kind != kindLarge {
		return largeRef{}, false
	}
	_, value, err := f.seg.read(f.off, &f.recordInfo)
	if err != nil {
		return largeRef{}, false
	}
	return parseLargeRef(value)
}

// largeSize is the size of the large file of f, 0 if it has none.
func (f *found) largeSize() int64 {
	ref, ok := f.uncheckedRef()
	if !ok {
		return 0
	}
	return largeBytes(string(f.seg.key(f.off, &f.recordInfo)), ref.size)
}

// forgetLarge removes the large file of a record that cannot be found any more. That of a damaged
// record is found when files are counted.
func (rm *room) forgetLarge(f *found) error {
	ref, ok := f.checkedRef()
	if !ok {
		return nil
	}
	s, size := rm.s, largeBytes(string(f.seg.key(f.off, &f.recordInfo)), ref.size)
	s.ix.large.Add(-1)
	s.ix.live.Add(-size)
	s.ix.segments[f.seg.place].large.Add(-size)
	return rm.remove(s.largePath(ref.id), size)
}

// moveLarge accounts for a record of a large file that moved to another segment.
func (rm *room) moveLarge(from, to *found) {
	size := from.largeSize()
	rm.s.ix.segments[from.seg.place].large.Add(-size)
	rm.s.ix.segments[to.seg.place].large.Add(size)
}

// adoptLarge makes the finished file temp the value of key.
func (rm *room) adoptLarge(w *writer) error {
	s := rm.s
	s.ix.dirty.Store(dirtyLarge)
	path := s.largePath(w.id)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	if err := rm.rollHeavy(); err != nil {
		return err
	}
	if err := os.Rename(w.file.Name(), path); err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	ref := largeRef{id: w.id, size: w.size}
	if err := s.put(w.ctx, kindLarge, w.key, &w.item, ref.bytes(), rm); err != nil {
		return errors.Join(err, rm.remove(path, w.fileBytes))
	}
	s.ix.large.Add(1)
	s.ix.live.Add(w.fileBytes)
	s.ix.segments[s.activePlace()].large.Add(w.fileBytes)
	return nil
}

// rollHeavy begins a new segment when the large files of the active one weigh as much as a segment:
// when it leaves, they leave with it.
func (rm *room) rollHeavy() error {
	s := rm.s
	place := s.activePlace()
	if s.ix.segments[place].large.Load() < s.segmentLimit() {
		return nil
	}
	return rm.roll(place)
}

// readLarge returns the whole value that ref names: the file is read at once, then each block is
// checked and moved to where it belongs.
func (s *Store) readLarge(key string, ref largeRef) ([]byte, error) {
	f, err := s.openLargeFile(key, ref)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, largeBytes(key, ref.size))
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	n := largeHead + len(key) + 4
	salt, err := checkLargeHead(b[:n], key, ref)
	if err != nil {
		return nil, err
	}
	value, rest := b[:0], b[n:]
	for number := uint32(0); len(rest) > 0; number++ {
		block, err := checkBlock(rest, salt, number)
		if err != nil {
			return nil, err
		}
		rest = rest[blockHead+len(block):]
		value = append(value, block...)
	}
	if int64(len(value)) != ref.size {
		return nil, fmt.Errorf("%w: large file of %d bytes", errDamaged, len(value))
	}
	return value, nil
}

// checkBlock returns the block at the beginning of b, which may alias it.
func checkBlock(b []byte, salt, number uint32) ([]byte, error) {
	if len(b) < blockHead {
		return nil, fmt.Errorf("%w: head of block %d", errDamaged, number)
	}
	n := int(binary.LittleEndian.Uint32(b))
	if n == 0 || n > blockBytes || n > len(b)-blockHead {
		return nil, fmt.Errorf("%w: block of %d bytes", errDamaged, n)
	}
	block := b[blockHead : blockHead+n]
	if blockSum(salt, number, block) != binary.LittleEndian.Uint32(b[4:]) {
		return nil, fmt.Errorf("%w: block %d of a large file", errDamaged, number)
	}
	return block, nil
}

// openLargeFile opens the file of ref and checks its length.
func (s *Store) openLargeFile(key string, ref largeRef) (*os.File, error) {
	f, err := os.Open(s.largePath(ref.id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errGone
	}
	if err != nil {
		return nil, fmt.Errorf("disk: %w", err)
	}
	stat, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("disk: %w", err)
	}
	if want := largeBytes(key, ref.size); stat.Size() != want {
		f.Close()
		return nil, fmt.Errorf("%w: large file of %d bytes, expected %d", errDamaged, stat.Size(), want)
	}
	return f, nil
}

// checkLargeHead returns the salt of a file that begins with head, if it is the one of ref.
func checkLargeHead(head []byte, key string, ref largeRef) (salt uint32, err error) {
	salt = binary.LittleEndian.Uint32(head[12:])
	if string(head) != string(appendLargeHead(nil, ref.id, ref.folder, salt, key)) {
		return 0, fmt.Errorf("%w: head of a large file", errDamaged)
	}
	return salt, nil
}

// openLarge opens the value of ref to be read piece by piece.
func (s *Store) openLarge(key string, ref largeRef) (*largeReader, error) {
	f, err := s.openLargeFile(key, ref)
	if err != nil {
		return nil, err
	}
	head := make([]byte, largeHead+len(key)+4)
	_, err = io.ReadFull(f, head)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	salt, err := checkLargeHead(head, key, ref)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &largeReader{file: f, size: ref.size, salt: salt}, nil
}

// errGone says that a large file has left since its record was read.
var errGone = fmt.Errorf("%w: large file", fs.ErrNotExist)

// largeReader gives out a large file, a checked block at a time.
type largeReader struct {
	file   *os.File
	size   int64 // of the value
	given  int64 // bytes of it in blocks read so far
	salt   uint32
	number uint32
	buffer []byte // a block and its head, used again for the next
	block  []byte // what of the current block was not given out yet
	err    error
}

// Size implements [store.Reader].
func (r *largeReader) Size() int64 { return r.size }

// Read implements io.Reader.
func (r *largeReader) Read(p []byte) (int, error) {
	if len(r.block) == 0 && r.err == nil {
		r.err = r.next()
	}
	if len(r.block) == 0 {
		return 0, r.err
	}
	n := copy(p, r.block)
	r.block = r.block[n:]
	return n, nil
}

// next reads and checks one block. All but the last are full.
func (r *largeReader) next() error {
	n := min(r.size-r.given, blockBytes)
	if n == 0 {
		return io.EOF
	}
	if r.buffer == nil {
		r.buffer = make([]byte, blockHead+n)
	}
	b := r.buffer[:blockHead+n]
	if _, err := io.ReadFull(r.file, b); err != nil {
		return fmt.Errorf("disk: %w: %w", errDamaged, err)
	}
	block, err := checkBlock(b, r.salt, r.number)
	if err == nil && int64(len(block)) != n {
		err = errDamaged
	}
	if err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	r.number++
	r.given += int64(len(block))
	r.block = block
	return nil
}

// Close implements io.Closer.
func (r *largeReader) Close() error {
	r.err, r.block = store.ErrClosed, nil
	return r.file.Close()
}
