// envelope.go turns a stored response into bytes and back.

package httpcache

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/http"
	"time"
)

// An envelope begins with fixed fields, little endian, at these offsets; then follow, as lengths
// and bytes: the status text, the selecting names, the header. Then the body, unless it has a key
// of its own. The checksum covers the envelope after itself; the body's wholeness is the promise
// of the store.
const (
	magic           = "LHC\x02" // the last byte is the version
	offLength       = 4         // of the envelope, uint32
	offChecksum     = 8         // CRC-32C, uint32
	offBodyLength   = 12        // int64
	offBodyID       = 20        // uint64
	offRequested    = 28        // nanoseconds since 1970, int64
	offReceived     = 36        // the same
	offGeneration   = 44        // uint64
	offSelector     = 52        // 16 bytes
	offLoose        = 68        // 16 bytes
	offOutdated     = 84        // nanoseconds since 1970, int64; 0: not
	offGuess        = 92        // nanoseconds, int64
	offStale        = 100       // the same
	offStatus       = 108       // uint16
	offProto        = 110       // major, minor
	offUncompressed = 112       // 0 or 1
	fixedSize       = 113

	// maxEnvelope is a bound on what is read and written; net/http itself refuses to read a
	// response header over 10 MiB unless told otherwise, and 256 KiB is already a mistake.
	maxEnvelope = 1 << 20
)

// errDamaged is also what an envelope of another version is.
var errDamaged = errors.New("httpcache: damaged envelope")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendEnvelope appends s to buf, which must be empty. What is known only when the body has ended
// is added by seal.
func appendEnvelope(buf []byte, s *stored) []byte {
	var fixed [fixedSize]byte
	copy(fixed[:], magic)
	le := binary.LittleEndian
	le.PutUint64(fixed[offRequested:], uint64(s.requested.UnixNano()))
	le.PutUint64(fixed[offReceived:], uint64(s.received.UnixNano()))
	le.PutUint64(fixed[offGeneration:], s.generation)
	copy(fixed[offSelector:], s.selector[:])
	copy(fixed[offLoose:], s.loose[:])
	if !s.outdated.IsZero() {
		le.PutUint64(fixed[offOutdated:], uint64(s.outdated.UnixNano()))
	}
	le.PutUint64(fixed[offGuess:], uint64(s.guess))
	le.PutUint64(fixed[offStale:], uint64(s.usualStale))
	le.PutUint16(fixed[offStatus:], uint16(s.status))
	fixed[offProto], fixed[offProto+1] = s.protoMajor, s.protoMinor
	if s.uncompressed {
		fixed[offUncompressed] = 1
	}
	buf = append(buf, fixed[:]...)
	buf = appendString(buf, s.statusText)
	buf = appendStrings(buf, s.vary)
	buf = appendHeader(buf, s.header)
	le.PutUint32(buf[offLength:], uint32(len(buf)))
	return buf
}

// seal completes the envelope at the start of value, which will lie under key.
func seal(value []byte, key string, length int64, bodyID uint64) {
	le := binary.LittleEndian
	le.PutUint64(value[offBodyLength:], uint64(length))
	le.PutUint64(value[offBodyID:], bodyID)
	end := le.Uint32(value[offLength:])
	le.PutUint32(value[offChecksum:], checksum(key, value[offBodyLength:end]))
}

// checksum is that of an envelope under its key: under another one it is damaged.
func checksum(key string, rest []byte) uint32 {
	return crc32.Update(crc32.Checksum([]byte(key), castagnoli), castagnoli, rest)
}

// appendHeader appends the count of all values, the count of names, and each name with its values.
func appendHeader(buf []byte, h http.Header) []byte {
	n := 0
	for _, values := range h {
		n += len(values)
	}
	buf = binary.AppendUvarint(buf, uint64(n))
	buf = binary.AppendUvarint(buf, uint64(len(h)))
	for name, values := range h {
		buf = appendString(buf, name)
		buf = appendStrings(buf, values)
	}
	return buf
}

func appendStrings(buf []byte, list []string) []byte {
	buf = binary.AppendUvarint(buf, uint64(len(list)))
	for _, s := range list {
		buf = appendString(buf, s)
	}
	return buf
}

func appendString(buf []byte, s string) []byte {
	return append(binary.AppendUvarint(buf, uint64(len(s))), s...)
}

// parseEnvelope reads the envelope at the start of value, found under key, and returns what follows
// it, which shares memory with value. What the rules read off the header is not read yet. It
// allocates no more than a small multiple of the envelope.
func parseEnvelope(key string, value []byte) (*stored, []byte, error) {
	end, err := checkEnvelope(key, value)
	if err != nil {
		return nil, nil, err
	}
	s, body := readFixed(value), value[end:]
	c := cursor{bytes: value[fixedSize:end], text: string(value[fixedSize:end])}
	s.statusText = c.string()
	s.vary = c.strings()
	s.header = c.header()
	if c.failed || c.pos != len(c.text) || s.status < 200 || s.status > 999 || s.length < 0 {
		return nil, nil, errDamaged
	}
	if s.bodyID == 0 && int64(len(body)) != s.length || s.bodyID != 0 && len(body) != 0 {
		return nil, nil, errDamaged
	}
	return s, body, nil
}

// checkEnvelope returns the length of the envelope at the start of value.
func checkEnvelope(key string, value []byte) (int, error) {
	if len(value) < fixedSize || string(value[:len(magic)]) != magic {
		return 0, errDamaged
	}
	end := binary.LittleEndian.Uint32(value[offLength:])
	if end < fixedSize || end > maxEnvelope || int(end) > len(value) {
		return 0, errDamaged
	}
	if checksum(key, value[offBodyLength:end]) != binary.LittleEndian.Uint32(value[offChecksum:]) {
		return 0, errDamaged
	}
	return int(end), nil
}

func readFixed(b []byte) *stored {
	le := binary.LittleEndian
	s := &stored{
		span: span{
			requested: time.Unix(0, int64(le.Uint64(b[offRequested:]))),
			received:  time.Unix(0, int64(le.Uint64(b[offReceived:]))),
		},
		guess:        time.Duration(le.Uint64(b[offGuess:])),
		usualStale:   time.Duration(le.Uint64(b[offStale:])),
		status:       int(le.Uint16(b[offStatus:])),
		protoMajor:   b[offProto],
		protoMinor:   b[offProto+1],
		uncompressed: b[offUncompressed] == 1,
		selector:     selector(b[offSelector:]),
		loose:        selector(b[offLoose:]),
		generation:   le.Uint64(b[offGeneration:]),
		bodyID:       le.Uint64(b[offBodyID:]),
		length:       int64(le.Uint64(b[offBodyLength:])),
	}
	if at := int64(le.Uint64(b[offOutdated:])); at != 0 {
		s.outdated = time.Unix(0, at)
	}
	return s
}

// cursor reads lengths and strings. All strings share the memory of text. After a failure every
// read returns nothing.
type cursor struct {
	bytes  []byte
	text   string // the same bytes
	pos    int
	spare  []string
	failed bool
}

// count reads a number that announces so many bytes or elements, of which each takes a byte at
// least.
func (c *cursor) count() int {
	n, width := binary.Uvarint(c.bytes[c.pos:])
	if width <= 0 || n > uint64(len(c.bytes)-c.pos-width) {
		c.failed, c.pos = true, len(c.bytes)
		return 0
	}
	c.pos += width
	return int(n)
}

func (c *cursor) string() string {
	n := c.count()
	s := c.text[c.pos : c.pos+n]
	c.pos += n
	return s
}

// strings reads a list, into spare memory while there is some.
func (c *cursor) strings() []string {
	n := c.count()
	if n == 0 {
		return nil
	}
	if len(c.spare) < n {
		c.spare = make([]string, n)
	}
	list := c.spare[:n:n]
	c.spare = c.spare[n:]
	for i := range list {
		list[i] = c.string()
	}
	return list
}

// header reads a header. What its counts say is only a hint of the memory to take at once.
func (c *cursor) header() http.Header {
	const manyFields = 256
	c.spare = make([]string, min(c.count(), manyFields))
	names := c.count()
	h := make(http.Header, min(names, manyFields))
	for range names {
		name := c.string()
		h[name] = c.strings()
	}
	return h
}
