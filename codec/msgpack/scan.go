// scan.go looks over bytes that are not trusted, so that the library never believes a length.

package msgpack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// The library makes room for as many elements as an array says, up to 2^32, skips what is nested
// without a limit, and where it looks for a map it takes an extension for a part of its head and
// reads on in the middle of it. So the bytes are looked over first, and the library reads them by a
// reader that knows where the times are.

// maxDepth is how deep arrays and maps may be nested; what Append writes is not deeper.
const maxDepth = 10_001

var (
	errShort = errors.New("codec: msgpack: a length is more than there is")
	errDeep  = errors.New("codec: msgpack: nested too deep")
)

// scan checks that b is one value, and appends to times where the bytes of its times begin.
func scan(b []byte, times []int) ([]int, error) {
	s := scanner{b: b, times: times}
	if err := s.value(maxDepth); err != nil {
		return s.times, err
	}
	if s.at != len(b) {
		return s.times, fmt.Errorf("codec: msgpack: %d bytes after the value", len(b)-s.at)
	}
	return s.times, nil
}

type scanner struct {
	b     []byte
	at    int
	times []int
}

// skip passes over n bytes.
func (s *scanner) skip(n int) error {
	if n > len(s.b)-s.at {
		return errShort
	}
	s.at += n
	return nil
}

// number reads a number of size bytes.
func (s *scanner) number(size int) (int, error) {
	at := s.at
	if err := s.skip(size); err != nil {
		return 0, err
	}
	switch size {
	case 1:
		return int(s.b[at]), nil
	case 2:
		return int(binary.BigEndian.Uint16(s.b[at:])), nil
	}
	n := binary.BigEndian.Uint32(s.b[at:])
	if uint64(n) > uint64(len(s.b)) { // before it becomes negative on a small machine
		return 0, errShort
	}
	return int(n), nil
}

// value passes over one value.
func (s *scanner) value(depth int) error {
	if s.at == len(s.b) {
		return errShort
	}
	if depth == 0 {
		return errDeep
	}
	c := s.b[s.at]
	s.at++
	switch {
	case msgpcode.IsFixedNum(c), c == msgpcode.Nil, c == msgpcode.False, c == msgpcode.True:
		return nil
	case msgpcode.IsFixedString(c):
		return s.skip(int(c & msgpcode.FixedStrMask))
	case msgpcode.IsFixedArray(c):
		return s.values(int(c&msgpcode.FixedArrayMask), depth)
	case msgpcode.IsFixedMap(c):
		return s.values(2*int(c&msgpcode.FixedMapMask), depth)
	case msgpcode.IsExt(c):
		return s.time(c)
	}
	return s.sized(c, depth)
}

// sized passes over a value whose code says how long it is, or how long its length is.
func (s *scanner) sized(c byte, depth int) error {
	switch c {
	case msgpcode.Uint8, msgpcode.Int8:
		return s.skip(1)
	case msgpcode.Uint16, msgpcode.Int16:
		return s.skip(2)
	case msgpcode.Uint32, msgpcode.Int32, msgpcode.Float:
		return s.skip(4)
	case msgpcode.Uint64, msgpcode.Int64, msgpcode.Double:
		return s.skip(8)
	case msgpcode.Str8, msgpcode.Bin8:
		return s.bytes(1)
	case msgpcode.Str16, msgpcode.Bin16:
		return s.bytes(2)
	case msgpcode.Str32, msgpcode.Bin32:
		return s.bytes(4)
	case msgpcode.Array16, msgpcode.Map16, msgpcode.Array32, msgpcode.Map32:
		return s.list(c, depth)
	}
	return fmt.Errorf("codec: msgpack: unknown code %#x", c)
}

// bytes passes over a string whose length has size bytes.
func (s *scanner) bytes(size int) error {
	n, err := s.number(size)
	if err != nil {
		return err
	}
	return s.skip(n)
}

func (s *scanner) list(c byte, depth int) error {
	size := 4
	if c == msgpcode.Array16 || c == msgpcode.Map16 {
		size = 2
	}
	n, err := s.number(size)
	if err != nil {
		return err
	}
	if c == msgpcode.Map16 || c == msgpcode.Map32 {
		if n > len(s.b)/2 {
			return errShort
		}
		n *= 2
	}
	return s.values(n, depth)
}

// values passes over n values, each of which takes a byte at least.
func (s *scanner) values(n, depth int) error {
	if n > len(s.b)-s.at {
		return errShort
	}
	for range n {
		if err := s.value(depth - 1); err != nil {
			return err
		}
	}
	return nil
}

// timeType is the number of the extension type that is a time.
const timeType = 0xff

// time passes over an extension, which must be a time.
func (s *scanner) time(c byte) (err error) {
	n := 0
	switch c {
	case msgpcode.FixExt4:
		n = 4
	case msgpcode.FixExt8:
		n = 8
	case msgpcode.Ext8:
		if n, err = s.number(1); err != nil {
			return err
		}
	}
	if s.at == len(s.b) {
		return errShort
	}
	if s.b[s.at] != timeType || n != 4 && n != 8 && n != 12 {
		return fmt.Errorf("codec: msgpack: an extension of type %d", s.b[s.at])
	}
	s.at++
	s.times = append(s.times, s.at)
	return s.skip(n)
}

// reader reads bytes that were looked over. Where a time is, it gives its bytes as a whole or not.
type reader struct {
	b     []byte
	at    int
	times []int // where the bytes of times begin, ascending
}

var errTime = errors.New("codec: msgpack: a time where none belongs")

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	if r.at == len(r.b) && len(p) > 0 {
		return 0, io.EOF
	}
	n := copy(p, r.b[r.at:])
	r.at += n
	return n, nil
}

// ReadByte implements io.ByteReader. The library reads by it what it takes for codes.
func (r *reader) ReadByte() (byte, error) {
	if r.at == len(r.b) {
		return 0, io.EOF
	}
	if len(r.times) > 0 {
		if _, inside := slices.BinarySearch(r.times, r.at); inside {
			return 0, errTime
		}
	}
	r.at++
	return r.b[r.at-1], nil
}

// UnreadByte implements io.ByteScanner.
func (r *reader) UnreadByte() error {
	if r.at == 0 {
		return io.ErrShortBuffer
	}
	r.at--
	return nil
}
