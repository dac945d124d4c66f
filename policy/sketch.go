// sketch.go remembers how often those were used that have left, in two bytes for each.

package policy

// ways is how many cells a key may be in: they are looked at together, in a piece of a cache line.
const ways = 8

// maxCount is where a count ends: 4 bits.
const maxCount = 15

// sketch keeps counts of keys in cells of 16 bits: 12 of the key's hash and 4 of its count. A key
// pushes out the lowest count of its set, of several the one that was noted first, so what is
// forgotten is what was used least. A count-min sketch, which the paper has, is built from counters
// that keys share; with no more than 2 bytes an entry they are so crowded that rare keys look
// frequent, and a loop gets no hits (measured: 0.2 % instead of 20.7 %).
type sketch struct{ cells []uint16 }

// reach makes the sketch large enough for the keys of so many entries, and keeps what it knows. In
// small ones sets overflow by chance, and room costs nothing: they have up to 8 KiB more.
func (s *sketch) reach(entries int) {
	sets, old := (entries+min(32*entries, 4096))/ways, len(s.cells)/ways
	if sets <= old {
		return
	}
	cells := make([]uint16, sets*ways)
	for i := 0; i < sets && old > 0; i++ {
		copy(cells[i*ways:(i+1)*ways], s.cells[i*old/sets*ways:])
	}
	s.cells = cells
}

// of returns the set of a key, and its part of a cell.
func (s *sketch) of(hash uint32) (set *[ways]uint16, tag uint16) {
	i := uint64(hash) * uint64(len(s.cells)/ways) >> 32 * ways
	mixed := uint64(hash) * 0x9e3779b97f4a7c15 >> 40
	return (*[ways]uint16)(s.cells[i:]), uint16(mixed) &^ maxCount
}

// take forgets a key and returns its count, 0 if it was forgotten before.
func (s *sketch) take(hash uint32) (count uint8) {
	set, tag := s.of(hash)
	for i, cell := range set {
		if cell&^maxCount == tag {
			set[i] = 0
			return uint8(cell & maxCount)
		}
	}
	return 0
}

// note remembers the count of a key that it does not know, unless all others of its set have more.
func (s *sketch) note(hash uint32, count uint8) {
	set, tag := s.of(hash)
	at := 0
	for i, cell := range set {
		if cell&maxCount <= set[at]&maxCount {
			at = i
		}
	}
	if set[at]&maxCount > uint16(count) {
		return
	}
	copy(set[1:at+1], set[:at]) // the newest comes first
	set[0] = tag | uint16(count)
}

// halve ages all counts.
func (s *sketch) halve() {
	for i, cell := range s.cells {
		s.cells[i] = cell&^maxCount | cell&maxCount>>1
	}
}
