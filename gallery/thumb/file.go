// file.go is what a picture is read from.

package thumb

import (
	"context"
	"errors"
	"io"
	"time"
)

// File is a picture to read. One call at a time may use it: the offset of its Reader moves.
type File struct {
	// Reader is where the bytes are. An *os.File is passed to programs as an open file, so that no
	// name ever reaches a command line; anything else is copied to a temporary file for them.
	// It is not closed.
	Reader io.ReadSeeker
	// Size is how many bytes there are.
	Size int64
	// Name is looked at for its ending alone, which tells raw files from TIFF. It may be empty.
	Name string
}

const (
	headLen  = 128 << 10        // what is read of every file, and all that Preview reads
	patience = 30 * time.Second // of work between reads, waiting for them not counted
)

var errSlow = errors.New("decoding takes too long")

// reader reads a file from memory as far as its head goes. Reads fail once the context is done or
// patience is at its end, which is how a decoder that knows no context is stopped.
type reader struct {
	ctx  context.Context
	file File
	head []byte
	at   int64 // the next byte
	real int64 // where the file's own offset is
	held int64 // bytes of memory that the file itself is

	since  time.Time // the last read returned
	worked time.Duration
	failed error // the last error that was not the end of the file
}

// open reads the head of a file.
func (f File) open(ctx context.Context) (*reader, error) {
	r := &reader{ctx: ctx, file: f, real: -1, since: time.Now()}
	head := make([]byte, min(headLen, max(f.Size, 0)))
	n, err := io.ReadFull(r, head)
	if err == io.EOF || err == io.ErrUnexpectedEOF { // it has become shorter
		err = nil
	}
	r.head, r.at = head[:n], 0
	return r, err
}

// again returns the reader at its beginning. What was waited for until now was no work.
func (r *reader) again() *reader {
	r.at, r.since = 0, time.Now()
	return r
}

func (r *reader) Read(p []byte) (int, error) {
	r.worked += time.Since(r.since)
	if err := r.check(); err != nil {
		return 0, err
	}
	n, err := r.read(p)
	r.since = time.Now()
	if err != nil && err != io.EOF {
		r.failed = err
	}
	return n, err
}

// check returns why there is nothing more to read.
func (r *reader) check() error {
	if err := r.ctx.Err(); err != nil {
		r.failed = err
	} else if r.worked > patience {
		r.failed = damaged(errSlow)
	}
	return r.failed
}

func (r *reader) read(p []byte) (n int, err error) {
	if r.at < int64(len(r.head)) {
		n = copy(p, r.head[r.at:])
		r.at += int64(n)
		return n, nil
	}
	if r.real != r.at {
		if r.real, err = r.file.Reader.Seek(r.at, io.SeekStart); err != nil {
			return 0, err
		}
	}
	n, err = r.file.Reader.Read(p)
	r.at += int64(n)
	r.real = r.at
	return n, err
}

func (r *reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.file.Size
	}
	if offset < 0 {
		return 0, errors.New("thumb: seek before the beginning")
	}
	r.at = offset
	return offset, nil
}

// ReadAt is for TIFF, which would be read into memory otherwise. It moves the offset.
func (r *reader) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 || offset > r.file.Size {
		return 0, io.EOF
	}
	r.at = offset
	n, err := io.ReadFull(r, p)
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	return n, err
}
