// sitemap.go reads one file: a sitemap, an index of sitemaps, or a list of addresses.

// Package sitemap reads sitemaps (https://www.sitemaps.org/protocol.html).
//
// [Read] reads one file, in XML or as text, plain or with gzip. [Collect] follows indexes, for the
// addresses of a whole site. How files are fetched is up to the caller: nothing here does I/O of
// its own. What is read may be hostile: it is bounded in size, entries, depth and the length of
// each part, and no entity but those of XML itself is known.
package sitemap

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// The bounds of a file that the protocol names, and of an address in it.
const (
	MaxBytes   = 50 << 20 // after decompression
	MaxEntries = 50_000
	MaxURL     = 2048 // bytes
)

const (
	// maxPart is how many bytes a tag, or a text between two tags, may have.
	maxPart = 64 << 10
	// maxDepth is how deep elements may be nested. Images and news are five deep.
	maxDepth = 16
)

var (
	// ErrFormat is returned for a file that is no sitemap, or is damaged.
	ErrFormat = errors.New("not a sitemap")
	// ErrTooLarge is returned for a file that goes beyond the bounds of the protocol.
	ErrTooLarge = errors.New("larger than a sitemap may be")
)

// File is what a file says.
type File struct {
	Pages    []Entry // of a sitemap
	Sitemaps []Entry // of an index
	Bad      int     // entries left out: without an address, or with one longer than MaxURL
}

// Entry is an address with what is said of it.
type Entry struct {
	URL      string    // as written, without the space around it
	Modified time.Time // zero if it is not given, or not in a form that the protocol knows
}

// Read reads a file. The error wraps ErrFormat, ErrTooLarge or that of r; the File then holds all
// entries that came before, which are whole.
func Read(r io.Reader) (File, error) {
	plain, err := unpacked(r)
	if err != nil {
		return File{}, err
	}
	in := &meter{in: bufio.NewReader(plain), left: MaxBytes}
	first, err := in.skipSpace()
	if err != nil {
		return File{}, trouble(err)
	}
	if first == '<' {
		return readXML(in)
	}
	in.part = 0
	return readText(in)
}

// unpacked returns r without gzip, if it has any.
func unpacked(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	if head, _ := b.Peek(2); !bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return b, nil
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, trouble(err)
	}
	return z, nil
}

// trouble says what an error of reading means.
func trouble(err error) error {
	switch {
	case errors.Is(err, ErrTooLarge), errors.Is(err, ErrFormat):
		return fmt.Errorf("sitemap: %w", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("sitemap: %w: it ends too early", ErrFormat)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return fmt.Errorf("sitemap: %w: damaged gzip", ErrFormat)
	}
	return fmt.Errorf("sitemap: read: %w", err)
}

// add appends an entry to a list, if there is room and it has an address.
func (f *File) add(list *[]Entry, e Entry) error {
	if e.URL == "" || len(e.URL) > MaxURL {
		f.Bad++
		return nil
	}
	if len(*list) >= MaxEntries {
		return fmt.Errorf("%w: more than %d entries", ErrTooLarge, MaxEntries)
	}
	*list = append(*list, e)
	return nil
}

// readText reads a list of addresses, one a line.
func readText(in *meter) (f File, err error) {
	for {
		line, err := in.line()
		if line != "" {
			if err := f.addLine(line); err != nil {
				return f, trouble(err)
			}
		}
		switch {
		case err == io.EOF:
			return f, nil
		case err != nil:
			return f, trouble(err)
		}
	}
}

func (f *File) addLine(line string) error {
	if !strings.HasPrefix(line, "http://") && !strings.HasPrefix(line, "https://") {
		return fmt.Errorf("%w: %.40q is neither XML nor an address", ErrFormat, line)
	}
	return f.add(&f.Pages, Entry{URL: line})
}

// layouts are the forms of a date that the protocol knows: those of the W3C profile of ISO 8601.
var layouts = []string{
	time.RFC3339Nano, time.DateOnly, "2006-01-02T15:04Z07:00", "2006-01", "2006",
}

func parseDate(text string) time.Time {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	return time.Time{}
}
