// meter.go bounds what a file makes its reader hold.

package sitemap

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// meter reads byte by byte, as the decoder of XML does, and fails where the file or one part of it
// is too long. Whoever takes a part sets it to 0.
type meter struct {
	in   *bufio.Reader
	left int // bytes that the file may still have
	part int // bytes of the present part
	err  error
}

// ReadByte implements [io.ByteReader]. Errors other than io.EOF stay in err.
func (m *meter) ReadByte() (byte, error) {
	c, err := m.in.ReadByte()
	if err == nil {
		err = m.count()
	}
	if err != nil && err != io.EOF {
		m.err = err
	}
	return c, err
}

func (m *meter) count() error {
	m.left--
	m.part++
	switch {
	case m.left < 0:
		return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxBytes)
	case m.part > maxPart:
		return fmt.Errorf("%w: a part of more than %d bytes", ErrTooLarge, maxPart)
	}
	return nil
}

// Read implements [io.Reader]. The decoder wants it and does not call it.
func (m *meter) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c, err := m.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = c
	return 1, nil
}

// skipSpace passes over white space and a byte order mark, and returns what comes next.
func (m *meter) skipSpace() (byte, error) {
	for {
		c, err := m.ReadByte()
		if err != nil {
			return 0, err
		}
		if strings.IndexByte(" \t\r\n\xef\xbb\xbf", c) < 0 {
			return c, m.in.UnreadByte()
		}
	}
}

// line returns the next line without the space around it. The last one comes with io.EOF.
func (m *meter) line() (string, error) {
	m.part = 0
	var line strings.Builder
	for {
		c, err := m.ReadByte()
		if err == io.EOF || err == nil && c == '\n' {
			return strings.TrimSpace(line.String()), err
		}
		if err != nil {
			return "", err
		}
		line.WriteByte(c)
	}
}
