// wheel.go finds the entries whose time is up, without looking at the others.

package larder

import "math/bits"

// wheel is a hierarchical timing wheel (Varghese and Lauck, SOSP 1987): 64 buckets of one tick, 64
// of 64 ticks, and so on. A slot lies in a bucket that comes no later than its deadline; whoever
// empties a bucket looks at the deadline and puts back what is not due. So a deadline that moves
// on costs nothing until then.
type wheel struct {
	tick  int64  // nanoseconds
	at    uint64 // ticks that have passed
	links []link // heads of all buckets, then the slots; nil until something can expire
	full  [levels]uint64
}

type link struct{ next, prev uint32 }

const (
	levels  = 7 // 64^7 ticks of 10 ms are 1 400 years, more than nanoseconds can count
	buckets = 64
	heads   = levels * buckets
)

// absent marks a slot that is in no bucket.
const absent = ^uint32(0)

// reach makes room for slot; there are seldom more than most.
func (w *wheel) reach(slot uint32, most uint64) {
	if w.links == nil {
		w.links = make([]link, heads, heads+16)
		for i := range w.links {
			w.links[i] = link{uint32(i), uint32(i)}
		}
	}
	need := int(slot) + 1 + heads
	if need <= len(w.links) {
		return
	}
	n := max(2*len(w.links)-heads, need)
	if uint64(n) > most+heads {
		n = max(int(most)+heads, need)
	}
	links := append(make([]link, 0, n), w.links...)
	for len(links) < n {
		links = append(links, link{absent, absent})
	}
	w.links = links
}

// add puts a slot that is in no bucket where its deadline belongs, always ahead of now.
func (w *wheel) add(slot uint32, deadline int64) {
	due := max(uint64(deadline/w.tick), w.at+1)
	level := min((bits.Len64(due^w.at)-1)/6, levels-1)
	bucket := due >> (6 * level) % buckets
	head := uint32(level*buckets) + uint32(bucket)
	n, last := slot+heads, w.links[head].prev
	w.links[n] = link{head, last}
	w.links[last].next, w.links[head].prev = n, n
	w.full[level] |= 1 << bucket
}

// remove takes a slot out, if it is in. Its bucket may stay marked as full.
func (w *wheel) remove(slot uint32) {
	n := slot + heads
	if int(n) >= len(w.links) || w.links[n].next == absent {
		return
	}
	l := w.links[n]
	w.links[l.prev].next, w.links[l.next].prev = l.next, l.prev
	w.links[n] = link{absent, absent}
}

// next returns the bucket that is to be emptied first, and the tick when; ok is false if there is
// none. Of two that begin at one tick the coarser one comes first: it fills the finer one.
func (w *wheel) next() (level int, bucket uint, tick uint64, ok bool) {
	for l := range levels {
		if w.full[l] == 0 {
			continue
		}
		b := uint(bits.TrailingZeros64(w.full[l]))
		begin := (w.at>>(6*(l+1))<<6 + uint64(b)) << (6 * l)
		if !ok || begin <= tick {
			level, bucket, tick, ok = l, b, begin, true
		}
	}
	return level, bucket, tick, ok
}

// pop moves on to tick and takes out a slot whose bucket comes no later; ok is false when there is
// none left. The caller adds it again if it is not due.
func (w *wheel) pop(tick uint64) (slot uint32, ok bool) {
	for {
		level, bucket, begin, ok := w.next()
		if !ok || begin > tick {
			w.at = max(w.at, tick)
			return 0, false
		}
		w.at = max(w.at, begin)
		head := uint32(level*buckets) + uint32(bucket)
		if n := w.links[head].next; n != head {
			w.remove(n - heads)
			return n - heads, true
		}
		w.full[level] &^= 1 << bucket
	}
}
