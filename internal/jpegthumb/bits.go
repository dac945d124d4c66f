// bits.go hands out entropy-coded data bit by bit, or rather 64 bits at a time.

package jpegthumb

import (
	"encoding/binary"
	"errors"
	"io"
)

const (
	cleanLen = 32 << 10 // clean bytes at hand
	blockLen = 512      // more bytes than a block can take: 64 x (16 + 16) bits, and what is ahead
	buffers  = sourceLen + cleanLen + 8*tableLen
)

// stream is a reader of bits. A block is decoded without asking whether there is enough: ready,
// which is called before each, sees to it that there are the bytes of a whole block, or zeros
// behind the last ones; so a block that reads too far is noticed after the fact.
type stream struct {
	acc uint64 // the next bits, from the top
	n   uint   // how many of acc are real
	buf []byte // clean data, then blockLen zeros
	pos int    // buf[pos:] is not yet in acc
	end int    // buf[end:] is zeros
	low int    // where pos is to be before ready has nothing to do

	src  *source
	over bool // a marker or the end of the file is next
}

// start begins with the data at hand in the source.
func (b *stream) start(src *source) {
	if b.buf == nil {
		b.buf = make([]byte, cleanLen+blockLen)
	}
	*b = stream{buf: b.buf, src: src, low: -1}
}

// ready makes the next block's bytes available. It is an error to have read beyond the end.
func (b *stream) ready() error {
	if b.pos <= b.low {
		return nil
	}
	return b.fill()
}

func (b *stream) fill() error {
	if b.over {
		return b.check()
	}
	n := copy(b.buf, b.buf[b.pos:b.end])
	b.pos = 0
	for n < cleanLen && !b.over {
		got, atMarker, err := b.src.clean(b.buf[n:cleanLen])
		n += got
		b.over = atMarker
		if errors.Is(err, io.ErrUnexpectedEOF) {
			b.over = true
		} else if err != nil {
			return err
		}
	}
	b.end = n
	clear(b.buf[n : n+blockLen])
	b.low = n - blockLen
	return nil
}

// check returns an error if more was read than there is.
func (b *stream) check() error {
	if b.pos*8-int(b.n) > b.end*8 {
		return damaged("scan is short")
	}
	return nil
}

// need sees to it that there are at least 32 bits in acc.
func (b *stream) need() {
	if b.n < 32 {
		b.acc |= uint64(binary.BigEndian.Uint32(b.buf[b.pos:])) << ((32 - b.n) & 63)
		b.pos += 4
		b.n += 32
	}
}

// take returns the next n bits, 0 to 31 of them, which are there.
func (b *stream) take(n uint) uint32 {
	v := uint32(b.acc >> 1 >> ((63 - n) & 63))
	b.acc <<= n & 63
	b.n -= n
	return v
}

// extend returns the number that n bits stand for in a scan: the lower half of them are negative.
func (b *stream) extend(n uint) int32 {
	v := int32(b.take(n))
	if v < int32(1)<<n>>1 {
		v += -1<<n + 1
	}
	return v
}
