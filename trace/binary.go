// binary.go reads the formats of records of one length.

package trace

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// records calls do with each record of n bytes. One that the end cuts short is bad.
func (b *builder) records(n int, do func(record []byte) error) error {
	chunk := make([]byte, n<<12)
	for count := 0; ; {
		got, err := io.ReadFull(b.in, chunk)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return err
		}
		whole := got - got%n
		for at := 0; at < whole; at += n {
			if err := do(chunk[at : at+n]); err != nil {
				return err
			}
		}
		count += whole / n
		if err == nil {
			continue
		}
		if got > whole {
			b.t.Bad.note(count+1, fmt.Sprintf("%d bytes of %d", got-whole, n))
		}
		return b.ended()
	}
}

// ended tells the end of the data from the end of compressed data that was cut, which
// io.ReadFull does not.
func (b *builder) ended() error {
	if _, err := b.in.ReadByte(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func readU32(b *builder) error {
	return b.records(4, func(r []byte) error {
		return b.number(uint64(binary.LittleEndian.Uint32(r)))
	})
}

func readU64(b *builder) error {
	return b.records(8, func(r []byte) error {
		return b.number(binary.LittleEndian.Uint64(r))
	})
}

// oracleSize is the length of a record of oracleGeneral, the binary format of libCacheSim: time
// (uint32), key (uint64), size (uint32), number of the next access to the key (int64, -1 or the
// largest number if there is none), little-endian and packed.
const oracleSize = 24

func readOracle(b *builder) error {
	return b.records(oracleSize, func(r []byte) error {
		if err := b.number(binary.LittleEndian.Uint64(r[4:])); err != nil {
			return err
		}
		b.size(uint64(binary.LittleEndian.Uint32(r[12:])))
		return nil
	})
}

// isOracle says whether a sample looks like oracleGeneral: times do not run back, there are sizes,
// and the next access is behind this one.
func isOracle(sample []byte) bool {
	n := len(sample) / oracleSize
	var last uint32
	for i := range n {
		r := sample[i*oracleSize:]
		time := binary.LittleEndian.Uint32(r)
		size := binary.LittleEndian.Uint32(r[12:])
		next := int64(binary.LittleEndian.Uint64(r[16:]))
		behind := next == -1 || next == math.MaxInt64 || next > int64(i) && next < 1<<48
		if time < last || size == 0 || size > math.MaxInt32 || !behind {
			return false
		}
		last = time
	}
	return n > 0
}

// isU64 says whether a sample looks like uint64s: nearly all upper halves are 0, and the lower ones
// are not.
func isU64(sample []byte) bool {
	n := len(sample) / 8
	lower, upper := 0, 0 // that are not 0
	for i := range n {
		key := binary.LittleEndian.Uint64(sample[i*8:])
		if key >= 1<<48 {
			return false
		}
		if key>>32 != 0 {
			upper++
		}
		if uint32(key) != 0 {
			lower++
		}
	}
	return n > 0 && upper*10 <= n && (lower > 2*upper || lower == 0)
}

// isU32 says whether a sample looks like uint32s: the numbers are not spread over all 32 bits, as
// those of a program or a picture are.
func isU32(sample []byte) bool {
	n := len(sample) / 4
	for i := range n {
		if binary.LittleEndian.Uint32(sample[i*4:]) >= 1<<28 {
			return false
		}
	}
	return n > 0
}
