// room.go chooses what is kept.

package prefetch

import "time"

// item is a value that is kept, or was.
type item[K comparable, V any] struct {
	key    K
	value  V
	weight int64
	held   int  // how often
	gone   bool // not kept any more; who holds it last tells of it
	ahead  bool // loaded ahead, and not asked for yet
	wish   stamp

	list       *list[K, V]
	prev, next *item[K, V]
}

// list is a doubly linked list of items, the latest last.
type list[K comparable, V any] struct{ first, last *item[K, V] }

func (l *list[K, V]) push(i *item[K, V]) {
	i.list, i.prev, i.next = l, l.last, nil
	if l.last != nil {
		l.last.next = i
	} else {
		l.first = i
	}
	l.last = i
}

func (l *list[K, V]) remove(i *item[K, V]) {
	if i.prev != nil {
		i.prev.next = i.next
	} else {
		l.first = i.next
	}
	if i.next != nil {
		i.next.prev = i.prev
	} else {
		l.last = i.prev
	}
}

// expectedWeight returns what a load of key is expected to bring.
func (p *Prefetcher[K, V]) expectedWeight(key K) int64 {
	if w, ok := p.heavy[key]; ok {
		return w
	}
	return p.origin.estimate()
}

// freeLocked makes room for a load ahead of that weight, if all that has to leave for it is wanted
// less than a wish of that rank.
func (p *Prefetcher[K, V]) freeLocked(weight int64, rank int) bool {
	spared, stays := p.sparedLocked()
	if stays+p.running.estimate+weight > p.options.MaxWeight {
		return false
	}
	for p.weight+p.running.estimate+weight > p.options.MaxWeight {
		v := p.victimLocked(rank, spared)
		if v == nil {
			return false
		}
		p.dropLocked(v)
	}
	return true
}

// partLocked counts weight that does not count any more, but is still there: of a load that has yet
// to end, or of an item of which OnEvict has yet to hear. Where weights are guessed that is not
// worth waiting for.
func (p *Prefetcher[K, V]) partLocked(weight int64) {
	if p.options.WeighAhead == nil {
		return
	}
	if p.parting += weight; weight < 0 {
		p.signalLocked()
	}
}

// partedLocked returns a channel that is closed when something has left, or somebody asks; nil if all
// has left that a load ahead has to wait for.
func (p *Prefetcher[K, V]) partedLocked() <-chan struct{} {
	if p.parting == 0 || p.weight+p.running.estimate+p.parting <= p.options.MaxWeight {
		return nil
	}
	if p.parted == nil {
		p.parted = make(chan struct{})
	}
	return p.parted
}

// signalLocked has those look again who wait for something to leave.
func (p *Prefetcher[K, V]) signalLocked() {
	if p.parted != nil {
		close(p.parted)
		p.parted = nil
	}
}

// leaveLocked has unlock tell of an item that nobody holds any more.
func (p *Prefetcher[K, V]) leaveLocked(i *item[K, V]) {
	p.leaving = append(p.leaving, i)
	p.partLocked(i.weight)
}

// victimLocked returns what is wanted least, and less than a wish of that rank; nil if there is
// none: first what was loaded ahead and is not expected any more, then what was shown longest ago
// and is not expected, then what is expected latest. What was shown from spared on stays.
func (p *Prefetcher[K, V]) victimLocked(rank int, spared *item[K, V]) *item[K, V] {
	v, sure := p.leastOf(p.unseen.first, nil, nil, rank)
	if !sure {
		v, _ = p.leastOf(p.seen.first, spared, v, rank)
	}
	return v
}

// leastOf returns the first item from one on up to another that the plan does not want at all, and
// that this is sure; else the one that it wants latest, latest being one to begin with.
func (p *Prefetcher[K, V]) leastOf(
	from, to, latest *item[K, V], rank int,
) (least *item[K, V], sure bool) {
	for i := from; i != to; i = i.next {
		switch {
		case i.held > 0:
		case !p.plan.wants(i.wish):
			return i, true
		case i.wish.rank > rank && (latest == nil || i.wish.rank > latest.wish.rank):
			latest = i
		}
	}
	return latest, false
}

// sparedLocked returns the first of the last shown that stay, nil if none do, and their weight.
// Half of the room is for others.
func (p *Prefetcher[K, V]) sparedLocked() (spared *item[K, V], weight int64) {
	i := p.seen.last
	for n := 0; n < p.options.Keep && i != nil; n++ {
		if weight+i.weight > p.options.MaxWeight/2 {
			break
		}
		weight += i.weight
		spared, i = i, i.prev
	}
	return spared, weight
}

// keepLocked keeps what a flight has brought, unless there is no room.
func (p *Prefetcher[K, V]) keepLocked(f *flight[K, V], n *item[K, V]) {
	rank := p.plan.rank(f.wish, f.waiters)
	n.held, n.wish = f.holds, f.wish
	if n.ahead = !f.asked; rank == asked {
		p.seen.push(n)
	} else {
		p.unseen.push(n)
	}
	p.kept[n.key] = n
	p.weight += n.weight
	delete(p.heavy, n.key)
	if p.closed || f.void {
		p.dropLocked(n)
	}
	for p.weight > p.options.MaxWeight && !n.gone {
		p.dropLocked(p.leastLocked(n, rank))
	}
	if n.gone && n.ahead {
		p.tooHeavyLocked(n.key, n.weight)
	}
}

// leastLocked returns what leaves for n, which may be n itself: what is wanted less; if n was
// asked for, also what was shown longest ago.
func (p *Prefetcher[K, V]) leastLocked(n *item[K, V], rank int) *item[K, V] {
	if n.weight > p.options.MaxWeight {
		return n
	}
	spared, _ := p.sparedLocked()
	if v := p.victimLocked(rank, spared); v != nil {
		return v
	}
	if rank == asked {
		if v := p.oldestLocked(n); v != nil {
			return v
		}
	}
	return n
}

// oldestLocked returns what was shown longest ago, is not held and is not n; nil if there is none.
func (p *Prefetcher[K, V]) oldestLocked(n *item[K, V]) *item[K, V] {
	for i := p.seen.first; i != nil; i = i.next {
		if i != n && i.held == 0 {
			return i
		}
	}
	return nil
}

// Limit changes MaxWeight, to at least 1: there is less room than was thought, or more. What is
// too much leaves at once, as far as nobody holds it, and loads ahead are cancelled.
func (p *Prefetcher[K, V]) Limit(maxWeight int64) {
	now := time.Now()
	p.mu.Lock()
	defer p.unlock()
	p.options.MaxWeight = min(max(maxWeight, 1), heaviest)
	p.clearLocked(now)
	p.planLocked(now)
}

// clearLocked makes room for the loads that somebody waits for. First leaves what is wanted less
// than all loads, then the loads ahead end, the latest first, then goes what else is kept. What is
// held stays, so there may still be no room.
func (p *Prefetcher[K, V]) clearLocked(now time.Time) {
	for p.weight+p.running.estimate > p.options.MaxWeight {
		rank, latest := asked, p.latestLocked()
		if latest != nil {
			rank = p.plan.rank(latest.wish, latest.waiters)
		}
		spared, _ := p.sparedLocked()
		v := p.victimLocked(rank, spared)
		if v == nil && latest != nil {
			p.tooHeavyLocked(latest.key, latest.estimate)
			p.cancelLocked(latest, now)
			continue
		}
		if v == nil {
			v = p.oldestLocked(nil)
		}
		if v == nil {
			return
		}
		p.dropLocked(v)
	}
}

// tooHeavyLocked remembers what found no room, so that it is not loaded ahead again before there
// is.
func (p *Prefetcher[K, V]) tooHeavyLocked(key K, weight int64) {
	if len(p.heavy) >= remembering {
		clear(p.heavy)
	}
	p.heavy[key] = weight
}

// showLocked notes that an item was asked for.
func (p *Prefetcher[K, V]) showLocked(i *item[K, V]) {
	if i.ahead {
		i.ahead = false
		p.usedLocked()
	}
	i.list.remove(i)
	p.seen.push(i)
}

// dropLocked takes an item out.
func (p *Prefetcher[K, V]) dropLocked(i *item[K, V]) {
	if i.ahead {
		p.wastedLocked()
	}
	i.list.remove(i)
	delete(p.kept, i.key)
	p.weight -= i.weight
	if i.gone = true; i.held == 0 {
		p.leaveLocked(i)
	}
}

// release ends one hold of an item.
func (p *Prefetcher[K, V]) release(i *item[K, V]) {
	p.mu.Lock()
	defer p.unlock()
	if i.held--; i.held == 0 && i.gone {
		p.leaveLocked(i)
	}
}
