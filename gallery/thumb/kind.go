// kind.go tells formats apart, by name for a list and by content for a decoder.

package thumb

import (
	"bytes"
	"path"
	"strings"
)

// Kind is the format of a file.
type Kind uint8

// The kinds of files.
const (
	None Kind = iota // not a picture
	JPEG
	PNG
	GIF
	WebP
	TIFF
	BMP
	HEIF  // HEIC too: by a program
	AVIF  // by a program
	JXL   // by a program
	Raw   // what cameras write before they make a JPEG of it: by the one inside, or a program
	Video // one frame of it, by a program
)

// String returns the name of the kind as people write it.
func (k Kind) String() string {
	names := [...]string{"none", "JPEG", "PNG", "GIF", "WebP", "TIFF", "BMP", "HEIF", "AVIF",
		"JPEG XL", "raw", "video"}
	return names[min(int(k), len(names)-1)]
}

// NeedsProgram reports whether thumbnails of the kind are made by a program: of a raw file, if no
// JPEG is found in it.
func (k Kind) NeedsProgram() bool { return k >= HEIF }

// endings lists what names of files end in, by kind.
var endings = [...]struct {
	kind    Kind
	endings string
}{
	{JPEG, ".jpg .jpeg .jpe .jfif"},
	{PNG, ".png"},
	{GIF, ".gif"},
	{WebP, ".webp"},
	{TIFF, ".tif .tiff"},
	{BMP, ".bmp"},
	{HEIF, ".heic .heif .hif"},
	{AVIF, ".avif"},
	{JXL, ".jxl"},
	{Raw, ".3fr .arw .cr2 .cr3 .crw .dcr .dng .erf .fff .iiq .kdc .mef .mos .mrw .nef .nrw .orf " +
		".pef .raf .raw .rw2 .rwl .sr2 .srf .srw .x3f"},
	{Video, ".3gp .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ogv .ts .webm .wmv"},
}

// KindOf returns the kind that a file's name promises, None if it is no picture. SVG is None, since
// it may run scripts. The content has the last word, when a thumbnail is made.
func KindOf(name string) Kind {
	ending := strings.ToLower(path.Ext(name))
	for _, e := range endings {
		for one := range strings.SplitSeq(e.endings, " ") {
			if one == ending {
				return e.kind
			}
		}
	}
	return None
}

// kindOf returns the kind of a file that begins with head. TIFF and Raw look alike: the name of
// the file tells them apart.
func kindOf(head []byte, name string) Kind {
	promised := KindOf(name)
	for _, m := range magics {
		if !m.matches(head) {
			continue
		}
		if m.kind == TIFF && promised == Raw {
			return Raw
		}
		return m.kind
	}
	if promised == Raw || promised == Video { // too many to tell: the program will
		return promised
	}
	return None
}

// magic is what files of a kind have at an offset.
type magic struct {
	kind   Kind
	offset int
	bytes  string
}

func (m magic) matches(head []byte) bool {
	return len(head) >= m.offset && bytes.HasPrefix(head[m.offset:], []byte(m.bytes))
}

var magics = [...]magic{
	{JPEG, 0, "\xff\xd8\xff"},
	{PNG, 0, "\x89PNG\r\n\x1a\n"},
	{GIF, 0, "GIF87a"},
	{GIF, 0, "GIF89a"},
	{WebP, 8, "WEBPVP8"},
	{TIFF, 0, "II*\x00"},
	{TIFF, 0, "MM\x00*"},
	{BMP, 0, "BM"},
	{AVIF, 4, "ftypavi"},
	{HEIF, 4, "ftyphei"},
	{HEIF, 4, "ftyphev"},
	{HEIF, 4, "ftypmif1"},
	{HEIF, 4, "ftypmsf1"},
	{Raw, 4, "ftypcrx"},
	{Video, 4, "ftyp"},
	{Video, 0, "\x1aE\xdf\xa3"}, // Matroska, WebM
	{Video, 8, "AVI "},
	{JXL, 0, "\xff\x0a"},
	{JXL, 4, "JXL \r\n"},
	{Raw, 0, "FUJIFILMCCD-RAW"},
	{Raw, 0, "IIRO"},    // Olympus
	{Raw, 0, "IIU\x00"}, // Panasonic
}
