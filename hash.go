// hash.go makes 32 bits of a key, which shards, finds, and stands for it in the policy.

package larder

import (
	"hash/maphash"
	"reflect"
	"unsafe"
)

// hasher hashes keys of one type with a seed of its own, so that nobody can choose keys that meet.
type hasher struct {
	seed    maphash.Seed
	number  uint64  // the seed for integers
	integer uintptr // size of an integer key in bytes, 0 for all else
}

func newHasher[K comparable]() hasher {
	h := hasher{seed: maphash.MakeSeed()}
	h.number = maphash.Comparable(h.seed, 0)
	switch t := reflect.TypeFor[K](); t.Kind() {
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint32, reflect.Uint64,
		reflect.Uintptr:
		h.integer = t.Size()
	}
	return h
}

// hash returns the bits for k. Equal keys have equal bits, except for a NaN, which equals nothing.
func hash[K comparable](h *hasher, k *K) uint32 {
	if h.integer == 8 {
		return mix(*(*uint64)(unsafe.Pointer(k)), h.number)
	}
	return hashAny(h, k)
}

func hashAny[K comparable](h *hasher, k *K) uint32 {
	if h.integer == 4 {
		return mix(uint64(*(*uint32)(unsafe.Pointer(k))), h.number)
	}
	return fold(maphash.Comparable(h.seed, *k))
}

// mix is the finisher of MurmurHash3 with a seed: multiply and shift twice.
func mix(x, seed uint64) uint32 {
	x ^= seed
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return uint32(x >> 32)
}

func fold(x uint64) uint32 { return uint32(x ^ x>>32) }
