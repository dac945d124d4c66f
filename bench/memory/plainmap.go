// plainmap.go is a map that passes for a cache: no bound, no lock, no policy. It is the least that
// entries can take.

package main

import "time"

type plainMap[K comparable, V any] map[K]V

// newPlainMap makes one that has room for max entries from the beginning, as caches with a maximum
// may.
func newPlainMap[K comparable, V any](max int, _ time.Duration) cache[K, V] {
	return make(plainMap[K, V], max)
}

func (m plainMap[K, V]) get(k K) (V, bool) { v, ok := m[k]; return v, ok }
func (m plainMap[K, V]) set(k K, v V)      { m[k] = v }
func (m plainMap[K, V]) count() int        { return len(m) }
func (m plainMap[K, V]) settle()           {}
func (m plainMap[K, V]) close()            {}
