// room.go chooses what is kept.

package prefetch

import "time"

// item is a value that is kept, or was.
type item[K comparable, V any] struct {
	key    K
	value  V
	weight int64
	held   int
	gone   bool // not kept any more; told of when it is released
	ahead  bool // loaded ahead, and not asked for yet
	wish   stamp

	list       *list[K, V]
	prev, next *item[K, V]
}

// list is a doubly linked list of items, the latest last.
type list[K comparable, V any] struct {
	first, last *item[K, V]
	len         int
}

func (l *list[K, V]) push(i *item[K, V]) {
	i.list, i.prev, i.next = l, l.last, nil
	if l.last != nil {
		l.last.next = i
	} else {
		l.first = i
	}
	l.last = i
	l.len++
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
	i.list, i.prev, i.next = nil, nil, nil
	l.len--
}

// asked is the rank of what somebody waits for, or has just been given.
const asked = -1

// expectedWeight returns what a load of key is expected to bring.
func (p *Prefetcher[K, V]) expectedWeight(key K) int64 {
	if w, ok := p.heavy[key]; ok {
		return w
	}
	return p.origin.estimate()
}

// freeLocked makes room for a load of that weight ahead, if all that has to leave for it is wanted
// less than a wish of that rank.
func (p *Prefetcher[K, V]) freeLocked(weight int64, rank int) bool {
	for p.weight+p.running.estimate+weight > p.options.MaxWeight {
		v := p.victimLocked(rank)
		if v == nil {
			return false
		}
		p.dropLocked(v)
	}
	return true
}

// victimLocked returns what is wanted least, and less than a wish of that rank; nil if there is
// none: first what was loaded ahead and is not expected any more, then what was shown longest ago
// and is not expected, then what is expected latest. The last Keep shown stay.
func (p *Prefetcher[K, V]) victimLocked(rank int) *item[K, V] {
	var furthest *item[K, V]
	consider := func(i *item[K, V]) (unwanted bool) {
		switch {
		case i.held > 0:
			return false
		case !p.plan.wants(i.wish):
			return true
		case i.wish.rank > rank && (furthest == nil || i.wish.rank > furthest.wish.rank):
			furthest = i
		}
		return false
	}
	for i := p.unseen.first; i != nil; i = i.next {
		if consider(i) {
			return i
		}
	}
	spared := p.sparedLocked()
	for i := p.seen.first; i != spared; i = i.next {
		if consider(i) {
			return i
		}
	}
	return furthest
}

// sparedLocked returns the first of the last shown that stay; nil if none do.
func (p *Prefetcher[K, V]) sparedLocked() (spared *item[K, V]) {
	i, room := p.seen.last, p.options.MaxWeight*2/3
	for n := 0; n < p.options.Keep && i != nil; n++ {
		if room -= i.weight; room < 0 {
			break
		}
		spared, i = i, i.prev
	}
	return spared
}

// keepLocked keeps what a flight has brought, unless there is no room.
func (p *Prefetcher[K, V]) keepLocked(f *flight[K, V], n *item[K, V], now time.Time) {
	n.held, n.ahead = f.holds, !f.fresh && !f.asked
	rank, shown := f.rank(&p.plan), f.waiters > 0
	p.kept[n.key] = n
	p.weight += n.weight
	if shown {
		p.seen.push(n)
	} else {
		p.unseen.push(n)
	}
	delete(p.heavy, n.key)
	if p.closed || f.stopped && !shown {
		p.dropLocked(n)
		return
	}
	for p.weight > p.options.MaxWeight && !n.gone {
		p.dropLocked(p.leastLocked(n, rank))
	}
	if n.gone && !shown {
		if len(p.heavy) >= remembering {
			clear(p.heavy)
		}
		p.heavy[n.key] = n.weight
	}
}

// leastLocked returns what leaves for n, which may be n itself.
func (p *Prefetcher[K, V]) leastLocked(n *item[K, V], rank int) *item[K, V] {
	if n.weight > p.options.MaxWeight {
		return n
	}
	if v := p.victimLocked(rank); v != nil && v != n {
		return v
	}
	if rank > asked {
		return n
	}
	for i := p.seen.first; i != nil; i = i.next {
		if i != n && i.held == 0 {
			return i
		}
	}
	return n
}

// latestLocked returns the flight that is wanted latest, nil if somebody waits for all of them.
func (p *Prefetcher[K, V]) latestLocked() (latest *flight[K, V]) {
	for _, f := range p.flights {
		if f.waiters > 0 || f.stopped {
			continue
		}
		if latest == nil || f.rank(&p.plan) > latest.rank(&p.plan) {
			latest = f
		}
	}
	return latest
}

// showLocked notes that an item was asked for.
func (p *Prefetcher[K, V]) showLocked(i *item[K, V]) {
	if i.ahead {
		i.ahead = false
		p.stats.Used++
		p.earn(earned)
	}
	i.list.remove(i)
	p.seen.push(i)
}

// dropLocked takes an item out.
func (p *Prefetcher[K, V]) dropLocked(i *item[K, V]) {
	if i.ahead {
		p.stats.Wasted++
		p.earn(-1)
	}
	i.list.remove(i)
	delete(p.kept, i.key)
	p.weight -= i.weight
	if i.gone = true; i.held == 0 {
		p.leaving = append(p.leaving, i)
	}
}

// release ends one hold of an item.
func (p *Prefetcher[K, V]) release(i *item[K, V]) {
	p.mu.Lock()
	defer p.unlock()
	if i.held--; i.held == 0 && i.gone {
		p.leaving = append(p.leaving, i)
	}
}
