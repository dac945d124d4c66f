// segment.go reads and writes one mapped segment file.

package disk

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
)

// A segment file begins with 64 bytes: magic, format, id, folder, salt, CRC. Records follow.
const (
	segmentMagic = "LARDERSG"
	segmentHead  = 64
	writeAt      = 8 << 10 // from this length on, pwrite is cheaper than faults on fresh pages
)

// segment is a segment file as this process has it open.
type segment struct {
	id    uint64
	place int // in shared.segments
	salt  uint32
	file  *os.File
	m     []byte // mapped to the size the file may grow to
}

func segmentName(id uint64) string { return fmt.Sprintf("%016x.seg", id) }

func appendSegmentHead(b []byte, id, folder uint64, salt uint32) []byte {
	b = append(b, segmentMagic...)
	b = binary.LittleEndian.AppendUint32(b, Format)
	b = binary.LittleEndian.AppendUint32(b, salt)
	b = binary.LittleEndian.AppendUint64(b, id)
	b = binary.LittleEndian.AppendUint64(b, folder)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return append(b, make([]byte, segmentHead-len(b))...)
}

// parseSegmentHead returns the salt of a segment if b is the head of segment id of folder.
func parseSegmentHead(b []byte, id, folder uint64) (salt uint32, err error) {
	switch {
	case len(b) < segmentHead || string(b[:8]) != segmentMagic:
		return 0, fmt.Errorf("%w: not a segment", errDamaged)
	case binary.LittleEndian.Uint32(b[32:]) != crc32.Checksum(b[:32], castagnoli):
		return 0, fmt.Errorf("%w: checksum of the segment's head", errDamaged)
	case binary.LittleEndian.Uint32(b[8:]) != Format:
		return 0, fmt.Errorf("segment %016x has format %d, this version of larder reads %d; "+
			"upgrade larder or use another folder", id, binary.LittleEndian.Uint32(b[8:]), Format)
	case binary.LittleEndian.Uint64(b[16:]) != id || binary.LittleEndian.Uint64(b[24:]) != folder:
		return 0, fmt.Errorf("%w: segment of another folder or number", errDamaged)
	}
	return binary.LittleEndian.Uint32(b[12:]), nil
}

// mapSegment opens and maps the file of segment id, which has its place in the table.
func (s *Store) mapSegment(place int, id uint64) (*segment, error) {
	flag := os.O_RDWR
	if s.readOnly {
		flag = os.O_RDONLY
	}
	f, err := os.OpenFile(s.path(segmentName(id)), flag, 0)
	if err != nil {
		return nil, err
	}
	g := &segment{id: id, place: place, file: f}
	if err := g.mapIn(s); err != nil {
		f.Close()
		return nil, err
	}
	return g, nil
}

// mapIn checks the head of the file and maps as much as it may grow to.
func (g *segment) mapIn(s *Store) error {
	head := make([]byte, segmentHead)
	if _, err := g.file.ReadAt(head, 0); err != nil {
		return fmt.Errorf("%w: read the segment's head: %w", errDamaged, err)
	}
	var err error
	if g.salt, err = parseSegmentHead(head, g.id, s.ix.head.folder); err != nil {
		return err
	}
	span := min(max(s.ix.segments[g.place].limit.Load(), segmentHead), maxSegment)
	g.m, err = mapFile(g.file, span, s.readOnly)
	return err
}

func (g *segment) close() {
	unmapFile(g.m)
	g.file.Close()
}

// head returns the head of the record at off, of which end bytes of the file may be used.
func (g *segment) head(off, end int64) (r recordInfo, ok bool) {
	end = min(end, int64(len(g.m)))
	if off < segmentHead || off+recordHead > end {
		return r, false
	}
	r, ok = parseHead(g.m[off : off+recordHead])
	return r, ok && off+r.size() <= end
}

// key returns the key of the record at off, in the mapped file: it is gone with the segment.
func (g *segment) key(off int64, r *recordInfo) []byte {
	return g.m[off+recordHead:][:r.keyLen]
}

// read copies the record at off out of the file and checks the copy.
func (g *segment) read(off int64, r *recordInfo) (meta, value []byte, err error) {
	var head [recordHead]byte
	copy(head[:], g.m[off:])
	body := make([]byte, int64(r.keyLen)+int64(r.metaLen)+r.valueLen)
	copy(body, g.m[off+recordHead:])
	if checksum(begin(g.salt, off), head[:], body) != r.sum {
		return nil, nil, errDamaged
	}
	return body[r.keyLen : r.keyLen+r.metaLen], body[r.keyLen+r.metaLen:], nil
}

// write puts a record at off. prefix is its head, key and meta.
func (g *segment) write(off int64, prefix, value []byte) error {
	sum := checksum(begin(g.salt, off), prefix, prefix[recordHead:], value)
	binary.LittleEndian.PutUint32(prefix[4:], sum)
	if len(prefix)+len(value) < writeAt {
		copy(g.m[off+int64(len(prefix)):], value)
		copy(g.m[off:], prefix)
		return nil
	}
	if _, err := g.file.WriteAt(value, off+int64(len(prefix))); err != nil {
		return err
	}
	_, err := g.file.WriteAt(prefix, off)
	return err
}

// kill marks the record at off as deleted, for a rebuild of the index.
func (g *segment) kill(off int64) { g.m[off+deadOffset] = 1 }
