// tiff.go reads the directories of TIFF, which raw files of most cameras are as well.

package thumb

import (
	"encoding/binary"
	"errors"
	"io"
)

// The tags that matter (TIFF 6.0, and TIFF/EP for raw files).
const (
	tagWidth, tagHeight      = 256, 257
	tagBits, tagCompression  = 258, 259
	tagStrips, tagStripSizes = 273, 279
	tagOrientation           = 274
	tagRowsPerStrip          = 278
	tagTileWidth             = 322
	tagTileHeight            = 323
	tagSubdirectories        = 330
	tagJPEG, tagJPEGLen      = 513, 514
	tagPanasonicJPEG         = 46
)

const (
	maxEntries     = 1000 // of a directory
	maxDirectories = 20   // of a file
)

var errTIFF = errors.New("TIFF directory")

// directory is what an IFD says, of the numbers in it: up to maxValues of each tag.
type directory map[uint16][]int64

const maxValues = 16

// first returns the first number of a tag, or otherwise.
func (d directory) first(tag uint16, otherwise int64) int64 {
	if len(d[tag]) == 0 {
		return otherwise
	}
	return d[tag][0]
}

// directories returns those of a TIFF, in the order in which they refer to each other, beginning
// with the main one. Loops end at a bound.
func directories(r io.ReaderAt) (all []directory, err error) {
	var head [8]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return nil, err
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if head[0] == 'M' {
		order = binary.BigEndian
	}
	todo := []int64{int64(order.Uint32(head[4:]))}
	for ; len(todo) > 0 && len(all) < maxDirectories; todo = todo[1:] {
		d, next, err := readDirectory(r, order, todo[0])
		if err != nil && len(all) == 0 {
			return nil, err
		}
		all = append(all, d)
		todo = append(todo, d[tagSubdirectories]...)
		if next != 0 {
			todo = append(todo, next)
		}
	}
	return all, nil
}

// readDirectory reads the directory at an offset, and where the next is.
func readDirectory(r io.ReaderAt, order binary.ByteOrder, at int64) (directory, int64, error) {
	var count [2]byte
	if _, err := r.ReadAt(count[:], at); err != nil {
		return nil, 0, err
	}
	n := int(order.Uint16(count[:]))
	if n > maxEntries {
		return nil, 0, errTIFF
	}
	p := make([]byte, 12*n+4)
	if got, err := r.ReadAt(p, at+2); err != nil && got < 12*n {
		return nil, 0, err
	}
	d := directory{}
	for ; len(p) > 4; p = p[12:] {
		d[order.Uint16(p)] = numbers(r, order, p[:12])
	}
	return d, int64(order.Uint32(p)), nil
}

// numbers returns the values of an entry: nil unless they are whole numbers.
func numbers(r io.ReaderAt, order binary.ByteOrder, entry []byte) (values []int64) {
	size := map[uint16]int64{1: 1, 3: 2, 4: 4, 7: 1, 13: 4}[order.Uint16(entry[2:])]
	count := int64(order.Uint32(entry[4:]))
	p := entry[8:]
	if size*count > 4 {
		p = make([]byte, size*min(count, maxValues))
		if _, err := r.ReadAt(p, int64(order.Uint32(entry[8:]))); err != nil {
			return nil
		}
	}
	for range min(count, maxValues) {
		switch size {
		case 1:
			values = append(values, int64(p[0]))
		case 2:
			values = append(values, int64(order.Uint16(p)))
		case 4:
			values = append(values, int64(order.Uint32(p)))
		}
		p = p[size:]
	}
	return values
}

// tiffMemory returns how many bytes x/image/tiff holds for the picture of a directory: the pixels,
// and the largest strip or tile, which grows as it is unpacked.
func tiffMemory(d directory, size int64) int64 {
	w, h := d.first(tagWidth, 0), d.first(tagHeight, 0)
	bytes := max(1, d.first(tagBits, 1)/8)
	if len(d[tagBits]) > 1 {
		bytes *= 4
	}
	wide, high := w, min(h, d.first(tagRowsPerStrip, h))
	if tile := d.first(tagTileWidth, 0); tile > 0 { // the last ones reach beyond the picture
		wide, high = min(tile, max(w+16, 1024)), min(d.first(tagTileHeight, h), max(h+16, 1024))
	}
	strip := 8 * wide * high
	if d.first(tagCompression, 1) == 1 {
		strip = min(strip, size)
	}
	return w*h*bytes + 3*strip
}
