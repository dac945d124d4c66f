// lines.go reads the formats of one or several numbers, or one key, a line.

package trace

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
)

// maxLine is the longest line that is no garbage.
const maxLine = 64 << 10

// lines walks over the lines of a text. It never holds more than its buffer.
type lines struct {
	in    *bufio.Reader
	bad   *Bad
	n     int // the number of the line
	err   error
	ended bool
}

func (b *builder) lines() *lines { return &lines{in: b.in, bad: &b.t.Bad} }

// next returns the next line that is not empty, without its end. It is valid until the next call.
// Lines that are too long, or no text, are noted as bad and left out.
func (l *lines) next() (line []byte, ok bool) {
	for !l.ended {
		line, tooLong := l.read()
		if l.err != nil {
			return nil, false
		}
		switch line = bytes.TrimRight(line, "\r\n"); {
		case tooLong || len(line) > maxLine:
			l.bad.note(l.n, "longer than 64 KiB")
		case bytes.IndexByte(line, 0) >= 0:
			l.bad.note(l.n, "not text")
		case len(line) > 0:
			return line, true
		}
	}
	return nil, false
}

// read returns a line with its end, or says that it was too long to hold.
func (l *lines) read() (line []byte, tooLong bool) {
	l.n++
	line, err := l.in.ReadSlice('\n')
	for errors.Is(err, bufio.ErrBufferFull) {
		tooLong = true
		_, err = l.in.ReadSlice('\n')
	}
	l.ended = err != nil
	if err != nil && !errors.Is(err, io.EOF) {
		l.err = err
	}
	if l.n == 1 {
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	return line, tooLong
}

// each calls do with each line until one returns an error. What do returns as text is why the line
// is bad.
func (b *builder) each(do func(line []byte) (bad string, err error)) error {
	l := b.lines()
	for line, ok := l.next(); ok; line, ok = l.next() {
		bad, err := do(line)
		if err != nil {
			return err
		}
		if bad != "" {
			l.bad.note(l.n, bad)
		}
	}
	return l.err
}

// readText reads one key a line.
func readText(b *builder) error {
	return b.each(func(line []byte) (string, error) {
		return "", b.access(line)
	})
}

// readLIRS reads one block a line; a star ends the trace.
func readLIRS(b *builder) error {
	err := b.each(func(line []byte) (string, error) {
		line = bytes.TrimSpace(line)
		if string(line) == "*" {
			return "", io.EOF
		}
		return "", b.access(line)
	})
	if err == io.EOF { // ours, not wrapped
		return nil
	}
	return err
}

// maxBlocks is how many blocks one request of an ARC trace may read: 4 MiB of 512 bytes each.
const maxBlocks = 1 << 13

// readARC reads requests of "start count ignored number", each for count blocks from start.
func readARC(b *builder) error {
	return b.each(func(line []byte) (string, error) {
		fields := bytes.Fields(line)
		if len(fields) < 2 {
			return "not four numbers", nil
		}
		start, err := strconv.ParseUint(string(fields[0]), 10, 63)
		if err != nil {
			return "the first block is not a number", nil
		}
		count, err := strconv.ParseUint(string(fields[1]), 10, 63)
		if err != nil || count > maxBlocks {
			return "the count of blocks is not one of 0 to 8192", nil
		}
		for i := range count {
			if err := b.number(start + i); err != nil {
				return "", err
			}
		}
		return "", nil
	})
}
