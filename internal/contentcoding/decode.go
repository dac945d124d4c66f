// decode.go undoes codings, of bodies that may be hostile.

package contentcoding

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Decode is NewReader for a body in memory.
func Decode(coding string, src []byte, limit int64) ([]byte, error) {
	r, err := NewReader(coding, bytes.NewReader(src), limit)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// NewReader returns what r holds in a coding: gzip, br, zstd or deflate. After limit bytes it fails
// with ErrTooLarge, if there are more; it holds some 16 MiB at most meanwhile. A body that ends too
// early is an io.ErrUnexpectedEOF; other damage is an error of the decoder. For a coding that is
// not known the error is ErrCoding.
//
// The reader may read more of r than the body has. It must be closed, which does not close r.
func NewReader(coding string, r io.Reader, limit int64) (io.ReadCloser, error) {
	d, err := decoderOf(coding, r)
	if err != nil {
		return nil, err
	}
	return &limited{d, limit}, nil
}

func decoderOf(coding string, r io.Reader) (io.ReadCloser, error) {
	switch coding {
	case Gzip:
		return lazily(func() (io.ReadCloser, error) { return gzip.NewReader(r) }), nil
	case Brotli:
		return io.NopCloser(brotli.NewReader(r)), nil
	case Zstd:
		return newZstdReader(r)
	case Deflate:
		return lazily(func() (io.ReadCloser, error) { return newDeflateReader(r) }), nil
	}
	return nil, fmt.Errorf("%w: %.40q", ErrCoding, coding)
}

func newZstdReader(r io.Reader) (io.ReadCloser, error) {
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindow),
		zstd.WithDecodeBuffersBelow(0)) // else it decodes a bytes.Buffer at once, bomb or not
	if err != nil {
		return nil, fmt.Errorf("contentcoding: zstd: %w", err)
	}
	return d.IOReadCloser(), nil
}

// newDeflateReader reads zlib, and deflate without its frame, as browsers do.
func newDeflateReader(r io.Reader) (io.ReadCloser, error) {
	b := bufio.NewReader(r)
	head, err := b.Peek(2)
	if err != nil {
		return nil, noEOF(err)
	}
	if head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 { // RFC 1950 section 2.2
		return zlib.NewReader(b)
	}
	return flate.NewReader(b), nil
}

// noEOF says of an end that it comes too early.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// lazily returns a reader that reads nothing before it is read. No error comes later than from the
// other decoders then, and none blocks in NewReader.
func lazily(open func() (io.ReadCloser, error)) io.ReadCloser { return &lazy{open: open} }

type lazy struct {
	open func() (io.ReadCloser, error)
	r    io.ReadCloser
	err  error
}

func (l *lazy) Read(p []byte) (int, error) {
	if l.r == nil && l.err == nil {
		if l.r, l.err = l.open(); l.err != nil {
			l.r, l.err = nil, noEOF(l.err)
		}
	}
	if l.err != nil {
		return 0, l.err
	}
	return l.r.Read(p)
}

func (l *lazy) Close() error {
	if l.r == nil {
		return nil
	}
	return l.r.Close()
}

// limited fails where io.LimitReader ends.
type limited struct {
	io.ReadCloser
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p))-1 > l.left {
		p = p[:l.left+1]
	}
	n, err := l.ReadCloser.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n - 1, ErrTooLarge
	}
	return n, err
}
