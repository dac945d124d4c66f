// order_other.go is order_amd64.go where nothing is known of the order of stores.

//go:build !amd64 || race

package larder

import (
	"sync/atomic"
	"unsafe"
)

func setUint32(p *atomic.Uint32, v uint32) { p.Store(v) }

func setUint64(p *atomic.Uint64, v uint64) { p.Store(v) }

func setInt64(p *atomic.Int64, v int64) { p.Store(v) }

func setWord(p *uintptr, v uintptr) { atomic.StoreUintptr(p, v) }

func setPointer(p *unsafe.Pointer, v unsafe.Pointer) { atomic.StorePointer(p, v) }
