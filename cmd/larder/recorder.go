// recorder.go records two streams up to a common limit while they pass.

package main

import (
	"bytes"
	"io"
	"sync"
)

// recorder keeps what is written to its streams, until together they hold more than limit bytes;
// then it forgets all of it and keeps no more.
type recorder struct {
	limit int64

	mu   sync.Mutex // guards the fields below
	used int64
	out  bytes.Buffer
	err  bytes.Buffer
}

// stdout returns a writer that passes bytes on to live and then records them.
func (r *recorder) stdout(live io.Writer) io.Writer { return &stream{r, &r.out, live} }

// stderr is stdout for the other stream.
func (r *recorder) stderr(live io.Writer) io.Writer { return &stream{r, &r.err, live} }

// over reports whether there was more than the limit.
func (r *recorder) over() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.used > r.limit
}

type stream struct {
	to   *recorder
	buf  *bytes.Buffer
	live io.Writer
}

func (s *stream) Write(p []byte) (int, error) {
	n, err := s.live.Write(p)
	s.to.add(s.buf, p[:n])
	return n, err
}

func (r *recorder) add(buf *bytes.Buffer, p []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used += int64(len(p))
	if r.used > r.limit {
		r.out, r.err = bytes.Buffer{}, bytes.Buffer{}
		return
	}
	buf.Write(p)
}

// lastLine returns the last line of text that is not blank, cut to a length that fits a message.
func lastLine(text []byte) string {
	const longest = 200
	text = bytes.TrimSpace(text)
	if i := bytes.LastIndexByte(text, '\n'); i >= 0 {
		text = text[i+1:]
	}
	return string(text[:min(len(text), longest)])
}
