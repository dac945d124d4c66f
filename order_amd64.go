// order_amd64.go stores what others may be reading, in the order of the program.

//go:build amd64 && !race

package larder

import (
	"sync/atomic"
	"unsafe"
)

// A sequence lock needs two things of its stores: that each word is written at once, and that they
// are seen in the order in which they were made. On this architecture every aligned store does so
// (Intel SDM 3A 8.2.2, AMD APM 2 7.2), and the compiler keeps stores and atomic operations in
// order. The stores of sync/atomic are a full barrier besides, which costs as much as everything
// else that an update does. Elsewhere, and under the race detector, they are what is used.

func setUint32(p *atomic.Uint32, v uint32) { *(*uint32)(unsafe.Pointer(p)) = v }

func setUint64(p *atomic.Uint64, v uint64) { *(*uint64)(unsafe.Pointer(p)) = v }

func setInt64(p *atomic.Int64, v int64) { *(*int64)(unsafe.Pointer(p)) = v }

func setWord(p *uintptr, v uintptr) { *p = v }

func setPointer(p *unsafe.Pointer, v unsafe.Pointer) { *p = v }
