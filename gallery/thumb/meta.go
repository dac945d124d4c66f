// meta.go reads what EXIF says: how the camera was held, and where its small picture is.

package thumb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/bep/imagemeta"
)

const (
	exifLen   = 64 << 10 // more is no EXIF: it has to fit into a segment of a JPEG
	exifTags  = 500
	maxChunks = 100 // of PNG and WebP that are looked at
)

// meta is what EXIF says that matters here.
type meta struct {
	orientation orientation
	preview     []byte // a JPEG, if it begins as one
}

// readMeta returns what the EXIF of a file says; nothing if there is none, or it is damaged.
func readMeta(k Kind, r *reader) meta {
	switch k {
	case JPEG:
		return parseEXIF(exifOfJPEG(r.head))
	case PNG:
		return parseEXIF(chunkOfPNG(r.again(), "eXIf"))
	case WebP:
		return parseEXIF(bytes.TrimPrefix(chunkOfWebP(r.again(), "EXIF"), exifName))
	}
	return meta{}
}

var exifName = []byte("Exif\x00\x00")

// exifOfJPEG returns the TIFF block of the first EXIF segment in the head of a JPEG.
func exifOfJPEG(head []byte) []byte {
	p := head[min(2, len(head)):]
	for len(p) >= 4 && p[0] == 0xff && p[1] != 0xda {
		n := int(binary.BigEndian.Uint16(p[2:]))
		if n < 2 || 2+n > len(p) {
			return nil
		}
		if block, ok := bytes.CutPrefix(p[4:2+n], exifName); p[1] == 0xe1 && ok {
			return block
		}
		p = p[2+n:]
	}
	return nil
}

// parseEXIF reads a TIFF block. It is given to imagemeta as a JPEG of nothing else, so that the
// offset of the preview in it is known.
func parseEXIF(block []byte) (m meta) {
	if len(block) < 8 || len(block)+len(exifName)+2 > exifLen {
		return meta{}
	}
	file := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1},
		uint16(len(block)+len(exifName)+2))
	file = append(append(append(file, exifName...), block...), 0xff, 0xda)
	tags, _ := readTags(file) // what was read before the damage is as good as any
	m.orientation = orientation(tags["IFD0/Orientation"])
	from, n := tags["IFD1/ThumbnailOffset"], tags["IFD1/ThumbnailLength"]
	if from > 0 && n > 0 && from < len(file) && n <= len(file)-from {
		m.preview = file[from : from+n]
	}
	return m
}

// readTags returns the numbers among a file's EXIF tags that are wanted. A decoder of untrusted
// data that panics must not take the process with it.
func readTags(file []byte) (tags map[string]int, err error) {
	tags = map[string]int{}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("EXIF: %v", p)
		}
	}()
	wanted := func(t imagemeta.TagInfo) bool {
		return t.Tag == "Orientation" || t.Tag == "ThumbnailOffset" || t.Tag == "ThumbnailLength"
	}
	_, err = imagemeta.Decode(imagemeta.Options{
		R: bytes.NewReader(file), ImageFormat: imagemeta.JPEG, Sources: imagemeta.EXIF,
		LimitNumTags: exifTags, LimitTagSize: 16, ShouldHandleTag: wanted,
		HandleTag: func(t imagemeta.TagInfo) error {
			if n, ok := number(t.Value); ok {
				tags[t.Namespace+"/"+t.Tag] = n
			}
			return nil
		},
	})
	return tags, err
}

func number(v any) (int, bool) {
	switch v := v.(type) {
	case uint16:
		return int(v), true
	case uint32:
		return int(v), true
	case int:
		return v, true
	}
	return 0, false
}

// chunkOfPNG returns the data of the first chunk of a name before the pixels; nil if there is none.
func chunkOfPNG(r io.ReadSeeker, name string) []byte {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil
	}
	for range maxChunks {
		if _, err := io.ReadFull(r, head[:]); err != nil || string(head[4:]) == "IDAT" {
			return nil
		}
		n := int64(binary.BigEndian.Uint32(head[:]))
		if string(head[4:]) == name {
			return take(r, n)
		}
		if _, err := r.Seek(n+4, io.SeekCurrent); err != nil { // and its checksum
			return nil
		}
	}
	return nil
}

// chunkOfWebP returns the data of the first chunk of a name; nil if there is none.
func chunkOfWebP(r io.ReadSeeker, name string) []byte {
	n, ok := findWebP(r, name)
	if !ok {
		return nil
	}
	return take(r, n)
}

// findWebP leaves r at the data of the first chunk of a name, and returns its length.
func findWebP(r io.ReadSeeker, name string) (n int64, ok bool) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, false
	}
	for range maxChunks {
		if _, err := io.ReadFull(r, head[:8]); err != nil {
			return 0, false
		}
		n := int64(binary.LittleEndian.Uint32(head[4:]))
		if string(head[:4]) == name {
			return n, true
		}
		if _, err := r.Seek(n+n&1, io.SeekCurrent); err != nil {
			return 0, false
		}
	}
	return 0, false
}

// take reads n bytes, if that is no more than EXIF may be.
func take(r io.Reader, n int64) []byte {
	p := make([]byte, min(n, exifLen))
	if _, err := io.ReadFull(r, p); err != nil || n > exifLen {
		return nil
	}
	return p
}
