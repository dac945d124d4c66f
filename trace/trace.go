// trace.go is what a trace is once it is read.

// Package trace reads sequences of cache accesses from files of many formats.
//
// A trace in memory is an array of small numbers, one per access: keys are numbered by their first
// appearance, once, while the file is read. Whatever the file said besides is dropped, unless one
// asks for the keys themselves. Lines that make no sense are counted and never fatal.
//
// Keys of text are told apart by 64 bits of a hash: among 100 million keys the chance that any two
// are taken for one is below 1 in 3000. Keys that are numbers are told apart exactly.
package trace

import (
	"strconv"
)

// Trace is a sequence of accesses. It is not changed once it is read, so any number of goroutines
// may use it.
type Trace struct {
	// Keys holds one number per access, in the order of the accesses: 0 to Distinct-1.
	Keys []uint32
	// Sizes holds the bytes of what each access asked for, nil if the trace says nothing of them.
	// A size over 4 GiB counts as 4 GiB.
	Sizes []uint32
	// Distinct counts the keys.
	Distinct int

	Format      string // a name of Formats
	Compression string // "gzip", "zstd" or ""

	Bad     Bad  // what could not be read
	Writes  int  // requests that change something, left out: SET, POST
	Skipped int  // requests that are neither, left out: PING, CONNECT
	Cut     bool // there were more accesses than Options.Limit

	names names
}

// Bad counts the lines, or the records of a binary format, that make no sense.
type Bad struct {
	Count int       // how many
	First []BadLine // the first few of them
}

// BadLine is a line that makes no sense.
type BadLine struct {
	Line   int    `json:"line"`   // its number, from 1; of a record in a binary format
	Reason string `json:"reason"` // in a few words
}

// shownBad is how many bad lines are remembered.
const shownBad = 5

func (b *Bad) note(line int, reason string) {
	b.Count++
	if len(b.First) < shownBad {
		b.First = append(b.First, BadLine{line, reason})
	}
}

// Name returns the key with a number, as it was in the file. Where the keys were not kept (see
// Options.KeepKeys) it returns the number in decimal.
func (t *Trace) Name(key uint32) string {
	if name, ok := t.names.of(key); ok {
		return name
	}
	return strconv.FormatUint(uint64(key), 10)
}

// Footprint returns the bytes of all distinct keys, each with the largest size it was asked for
// with; 0 if the trace has no sizes.
func (t *Trace) Footprint() uint64 {
	if t.Sizes == nil {
		return 0
	}
	largest := make([]uint32, t.Distinct)
	for i, k := range t.Keys {
		largest[k] = max(largest[k], t.Sizes[i])
	}
	var sum uint64
	for _, s := range largest {
		sum += uint64(s)
	}
	return sum
}

// names are the keys as they were in the file: all of them numbers, or all of them text.
type names struct {
	numbers []uint64
	text    []byte
	ends    []int // of the text of each key
}

func (n *names) of(key uint32) (string, bool) {
	switch k := int(key); {
	case k < len(n.numbers):
		return strconv.FormatUint(n.numbers[k], 10), true
	case k < len(n.ends):
		start := 0
		if k > 0 {
			start = n.ends[k-1]
		}
		return string(n.text[start:n.ends[k]]), true
	}
	return "", false
}

func (n *names) addText(key []byte) {
	n.text = append(n.text, key...)
	n.ends = append(n.ends, len(n.text))
}
