// sequence.go says in which order keys come.

package prefetch

// Sequence is the order of keys: pages, files, frames, months. Both methods are called often, by
// several goroutines at a time and while the Prefetcher is locked, so they must be quick, must not
// use the Prefetcher and must always answer the same.
type Sequence[K comparable] interface {
	// At returns the key at a position; false if the sequence does not reach that far. Positions
	// may begin anywhere, also below zero, but have no gaps.
	At(position int) (key K, ok bool)
	// Index returns the position of a key; false if it is not in the sequence.
	Index(key K) (position int, ok bool)
}

// Integer is any type of whole numbers.
type Integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// Numbers is the sequence of the whole numbers in [From, To).
type Numbers[K Integer] struct{ From, To K }

// Range returns the sequence from, from+1, ... up to but without to. What an int cannot count must
// not be in it.
func Range[K Integer](from, to K) Numbers[K] { return Numbers[K]{from, to} }

// At returns the number at a position.
func (n Numbers[K]) At(position int) (K, bool) {
	k := K(position)
	return k, int(k) == position && k >= n.From && k < n.To
}

// Index returns the position of a number, which is the number.
func (n Numbers[K]) Index(key K) (int, bool) { return int(key), key >= n.From && key < n.To }

// List is a sequence of any keys, in the order of a slice.
type List[K comparable] struct {
	keys  []K
	index map[K]int
}

// Slice returns the sequence of keys, which it copies. A key that is there twice counts where it
// comes first.
func Slice[K comparable](keys []K) *List[K] {
	l := &List[K]{keys: append([]K(nil), keys...), index: make(map[K]int, len(keys))}
	for i, k := range l.keys {
		if _, twice := l.index[k]; !twice {
			l.index[k] = i
		}
	}
	return l
}

// At returns the key at a position, the first being 0.
func (l *List[K]) At(position int) (key K, ok bool) {
	if position < 0 || position >= len(l.keys) {
		return key, false
	}
	return l.keys[position], true
}

// Index returns where a key is.
func (l *List[K]) Index(key K) (int, bool) {
	i, ok := l.index[key]
	return i, ok
}

// Len returns how many keys there are.
func (l *List[K]) Len() int { return len(l.keys) }
