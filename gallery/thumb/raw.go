// raw.go finds the JPEG that cameras put into their raw files.

package thumb

import (
	"encoding/binary"
	"image"
	"io"
)

// embedded is a JPEG in a raw file.
type embedded struct {
	at, size    int64
	orientation orientation
}

// raw makes a thumbnail of the largest JPEG in a raw file, or has a program make one of the file.
func (m *Maker) raw(r *reader, size int) (Thumb, error) {
	e, ok := findJPEG(r)
	if !ok {
		return m.byProgram(r, Raw, image.Point{}, size)
	}
	part := File{Reader: io.NewSectionReader(r, e.at, e.size), Size: e.size}
	inner, err := part.open(r.ctx)
	if err != nil {
		return Thumb{}, err
	}
	return m.decode(inner, JPEG, e.orientation, size)
}

// findJPEG returns the largest JPEG that a raw file refers to.
func findJPEG(r *reader) (largest embedded, ok bool) {
	for _, e := range references(r) {
		var start [3]byte
		if e.size <= largest.size || e.at+e.size > r.file.Size {
			continue
		}
		_, err := r.ReadAt(start[:], e.at)
		if err == nil && (magic{JPEG, 0, "\xff\xd8\xff"}).matches(start[:]) {
			largest, ok = e, decodable(r, e)
		}
	}
	return largest, ok
}

// decodable reports whether e is a JPEG of a common kind: raw data may be lossless JPEG.
func decodable(r *reader, e embedded) bool {
	part := File{Reader: io.NewSectionReader(r, e.at, e.size), Size: e.size}
	inner, err := part.open(r.ctx)
	if err != nil {
		return false
	}
	_, err = jpegHeader(inner, 1)
	return err == nil
}

// references returns the parts of a raw file that may be JPEGs.
func references(r *reader) (all []embedded) {
	if (magic{Raw, 0, "FUJIFILM"}).matches(r.head) && len(r.head) >= 92 {
		at := binary.BigEndian.Uint32(r.head[84:])
		return []embedded{{at: int64(at), size: int64(binary.BigEndian.Uint32(r.head[88:]))}}
	}
	directories, err := directories(r)
	if err != nil {
		return nil
	}
	main := orientation(directories[0].first(tagOrientation, 1))
	for _, d := range directories {
		all = append(all, embedded{d.first(tagJPEG, 0), d.first(tagJPEGLen, 0), main})
		if c := d.first(tagCompression, 0); (c == 6 || c == 7) && len(d[tagStrips]) == 1 {
			all = append(all, embedded{d[tagStrips][0], d.first(tagStripSizes, 0), main})
		}
		if n := d.first(tagPanasonicJPEG, 0); n > 0 {
			all = append(all, embedded{n, r.file.Size - n, main})
		}
	}
	return all
}
