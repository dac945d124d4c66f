// index.go finds the record of a key: hash tables in memory that all processes share.

package disk

import (
	"math/bits"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

// index is the mapped index file of a folder. Readers take no lock: a slot is one word, and what
// it leads to is checked against the key. Writers of a region take the region's lock, a word in
// shared memory held for some hundred nanoseconds; one that a dead process left is taken over.
type index struct {
	*shared
	m       []byte
	file    *os.File
	process uint64 // what this process locks with
	nonce   atomic.Uint64
}

func (x *index) region(hash uint64) *region { return &x.regions[hash>>56] }

const (
	stealDead = 2 * time.Millisecond // how long to wait before asking whether the holder lives
	stealAny  = 10 * time.Second     // a holder that we cannot see, or that was stopped for so long
)

// lock takes r for writing. unlock gives back what it returns.
func (x *index) lock(r *region) (token uint64) {
	token = x.process | uint64(x.nonce.Add(1))&nonceMask
	for range 64 {
		if r.lock.CompareAndSwap(0, token) {
			return token
		}
		runtime.Gosched()
	}
	x.lockSlowly(r, token)
	return token
}

// A token is the process number (22 bits, no system has more), 20 bits of the space that numbers
// are from (containers that share a folder have spaces of their own), and a nonce.
const (
	spaceMask = 1<<20 - 1
	nonceMask = 1<<22 - 1
)

func processToken() uint64 {
	return uint64(os.Getpid())<<42 | (processSpace()&spaceMask)<<22
}

// dead reports whether the holder of a lock is known to have died.
func (x *index) dead(token uint64) bool {
	return token>>22&spaceMask == x.process>>22&spaceMask && !alive(int(token>>42))
}

func (x *index) lockSlowly(r *region, me uint64) {
	holder, since := r.lock.Load(), time.Now()
	for {
		if r.lock.CompareAndSwap(0, me) {
			return
		}
		if now := r.lock.Load(); now != holder {
			holder, since = now, time.Now()
		}
		if waited := time.Since(since); holder != 0 && waited > stealDead &&
			(waited > stealAny || x.dead(holder)) && r.lock.CompareAndSwap(holder, me) {
			x.mend(r)
			return
		}
		time.Sleep(20 * time.Microsecond)
	}
}

// unlock gives r back, unless it was taken from us because we were stopped for so long.
func (x *index) unlock(r *region, token uint64) { r.lock.CompareAndSwap(token, 0) }

// mend puts a region right whose writer died. Slots move by copying, then clearing, so that a
// death in between leaves one slot twice.
func (x *index) mend(r *region) {
	if r.version.Load()&1 == 1 {
		r.version.Add(1)
	}
	slots := r.slots(x.m)
	for i := doubled(slots); i >= 0; i = doubled(slots) {
		x.removeLocked(r, slots, i)
	}
	used := uint64(0)
	for i := range slots {
		if slots[i].Load() != 0 {
			used++
		}
	}
	r.used.Store(used)
}

// doubled returns the number of a slot that leads where another one does, or -1.
func doubled(slots []atomic.Uint64) int {
	seen := make(map[slot]bool, len(slots))
	for i := range slots {
		v := slot(slots[i].Load())
		if v != 0 && seen[v.location()] {
			return i
		}
		seen[v.location()] = true
	}
	return -1
}

// spotLocked returns the place of a free slot for hash, or ok false where the region has to grow.
func (x *index) spotLocked(r *region, hash uint64) (spot *atomic.Uint64, ok bool) {
	slots := r.slots(x.m)
	if uint64(len(slots))*3/4 <= r.used.Load() {
		return nil, false
	}
	mask := len(slots) - 1
	for n, i := 0, int(hash&fingerprints); n < len(slots); n, i = n+1, i+1 {
		if slots[i&mask].Load() == 0 {
			return &slots[i&mask], true
		}
	}
	return nil, false
}

// addLocked writes v to a spot that spotLocked gave.
func (x *index) addLocked(r *region, spot *atomic.Uint64, v slot) {
	r.used.Add(1)
	spot.Store(uint64(v))
}

// removeLocked empties slots[i] and moves those behind it up, so that no chain is broken and no
// mark is left behind. Readers that found nothing meanwhile see the version and look again.
func (x *index) removeLocked(r *region, slots []atomic.Uint64, i int) {
	r.version.Add(1)
	mask := len(slots) - 1
	for n, j := 1, i+1; n < len(slots) && slots[j&mask].Load() != 0; n, j = n+1, j+1 {
		v := slots[j&mask].Load()
		if home := int(slot(v).fingerprint()); (j-home)&mask < (j-i)&mask {
			continue // it may not stand before its home
		}
		slots[i].Store(v)
		i = j & mask
	}
	slots[i].Store(0)
	r.used.Add(^uint64(0))
	r.version.Add(1)
}

// growLocked moves r to an extent at off with twice the slots. The old one is left to readers that
// are still in it and is not used again: all that is left behind is less than what is in use.
func (x *index) growLocked(r *region, off int64) {
	old := r.slots(x.m)
	n := grownSlots(old)
	word := extentWord(off, bits.Len(uint(n))-1)
	var next region
	next.extent.Store(word)
	slots, used := next.slots(x.m), uint64(0)
	for i := range slots {
		slots[i].Store(0) // somebody may have died here
	}
	for i := range old {
		v := old[i].Load()
		if v == 0 {
			continue
		}
		used++
		j := int(slot(v).fingerprint()) & (n - 1)
		for slots[j].Load() != 0 {
			j = (j + 1) & (n - 1)
		}
		slots[j].Store(v)
	}
	r.version.Add(1) // a reader of the old extent looks again before it says "absent"
	r.extent.Store(word)
	r.used.Store(used)
	r.version.Add(1)
}

func grownSlots(old []atomic.Uint64) int { return max(2*len(old), firstSlots) }

// snapshot returns the slots of r that are not empty, all of one moment as far as slots move.
func (x *index) snapshot(r *region) (all []slot) {
	for range maxLooks {
		version := r.version.Load()
		slots := r.slots(x.m)
		all = all[:0]
		for i := range slots {
			if v := slot(slots[i].Load()); v != 0 {
				all = append(all, v)
			}
		}
		if r.version.Load() == version && (version&1 == 0 || r.lock.Load() == 0) {
			break
		}
		runtime.Gosched()
	}
	return all
}

// place returns the number of the slot v, read or not, in slots; -1 if it is not there.
func place(slots []atomic.Uint64, v slot) int {
	mask := len(slots) - 1
	for n, i := 0, int(v.fingerprint()); n < len(slots); n, i = n+1, i+1 {
		now := slot(slots[i&mask].Load())
		if now == 0 {
			break
		}
		if now.same(v) {
			return i & mask
		}
	}
	for i := range slots { // a damaged slot may stand where it does not belong
		if now := slot(slots[i].Load()); now != 0 && now.same(v) {
			return i
		}
	}
	return -1
}
