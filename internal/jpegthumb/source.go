// source.go reads a JPEG: segments as they are, entropy-coded data without its stuffing.

package jpegthumb

import (
	"bytes"
	"io"
)

const (
	sourceLen = 64 << 10 // bytes asked of the reader at once
	headerLen = 4 << 10  // the same where only a header is wanted
	idleReads = 100      // reads that return nothing before we give up
)

// source takes bytes off a reader.
type source struct {
	r     io.Reader
	store []byte // what raw is a part of
	raw   []byte // read and not yet taken
}

// more reads until there are at least n bytes in raw, n being small. The end of the data is
// io.ErrUnexpectedEOF.
func (s *source) more(n int) error {
	have := copy(s.store, s.raw)
	s.raw = s.store[:have]
	for range idleReads {
		if len(s.raw) >= n {
			return nil
		}
		got, err := s.r.Read(s.store[have:])
		have += got
		s.raw = s.store[:have]
		switch {
		case have >= n:
			return nil
		case err == io.EOF:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
	}
	return io.ErrNoProgress
}

// take fills p.
func (s *source) take(p []byte) error {
	for len(p) > 0 {
		if err := s.more(1); err != nil {
			return err
		}
		n := copy(p, s.raw)
		p, s.raw = p[n:], s.raw[n:]
	}
	return nil
}

// drop steps over n bytes.
func (s *source) drop(n int) error {
	for n > 0 {
		if err := s.more(1); err != nil {
			return err
		}
		m := min(n, len(s.raw))
		n, s.raw = n-m, s.raw[m:]
	}
	return nil
}

// marker steps over everything up to the next marker and returns its second byte: over data between
// segments, which others ignore as well, and over a scan that nobody wants, restarts included.
func (s *source) marker(wanted func(byte) bool) (byte, error) {
	for {
		if err := s.find(); err != nil {
			return 0, err
		}
		if m := s.raw[1]; wanted(m) {
			s.raw = s.raw[2:]
			return m, nil
		}
		s.raw = s.raw[1:]
	}
}

// find steps over everything that is no 0xff and leaves at least two bytes in raw.
func (s *source) find() error {
	for {
		i := bytes.IndexByte(s.raw, 0xff)
		if i < 0 {
			i = len(s.raw)
		}
		s.raw = s.raw[i:]
		if len(s.raw) >= 2 {
			return nil
		}
		if err := s.more(2); err != nil {
			return err
		}
	}
}

// clean moves entropy-coded bytes to dst, without the zeros stuffed into them, until dst is full or
// a marker is next.
func (s *source) clean(dst []byte) (n int, atMarker bool, err error) {
	for n < len(dst) {
		if len(s.raw) < 2 {
			if err := s.more(2); err != nil {
				return n, false, err
			}
		}
		part := s.raw[:min(len(s.raw)-1, len(dst)-n)]
		i := bytes.IndexByte(part, 0xff)
		if i < 0 {
			i = len(part)
		}
		n += copy(dst[n:], part[:i])
		s.raw = s.raw[i:]
		if i == len(part) {
			continue
		}
		switch s.raw[1] {
		case 0:
			dst[n] = 0xff
			n++
			s.raw = s.raw[2:]
		case 0xff: // markers may be preceded by any number of them
			s.raw = s.raw[1:]
		default:
			return n, true, nil
		}
	}
	return n, false, nil
}
