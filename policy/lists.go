// lists.go keeps slots in doubly linked lists, in one array for all of them.

package policy

// nowhere is the list of a slot that is in none.
const nowhere = 0xff

// link is one node. Heads come first in the array: list i has its head at i, slot s is at s+heads.
type link struct{ newer, older uint32 }

// lists holds every slot in one of a few lists, each from the newest to the oldest, and knows the
// weight of each list.
type lists struct {
	links   []link
	where   []uint8  // the list of a slot
	weights []uint32 // by slot; nil while every weight is 1
	weight  []uint64 // by list
	max     uint64   // no more slots than that, for arrays that end where they should
}

func newLists(count int, max uint64) lists {
	l := lists{links: make([]link, count), weight: make([]uint64, count), max: max}
	for i := range l.links {
		l.links[i] = link{uint32(i), uint32(i)}
	}
	return l
}

// reach makes the arrays long enough for slot.
func (l *lists) reach(slot uint32) {
	if int(slot) < len(l.where) {
		return
	}
	heads := len(l.weight)
	n := longer(len(l.where), int(slot)+1, l.max)
	l.links = append(make([]link, 0, n+heads), l.links...)[:n+heads]
	l.where = append(make([]uint8, 0, n), l.where...)
	for len(l.where) < n {
		l.where = append(l.where, nowhere)
	}
	if l.weights != nil {
		l.weights = append(make([]uint32, 0, n), l.weights...)[:n]
	}
}

// longer is the length to which an array of length n grows that needs to hold need elements: the
// double, but most where that is enough.
func longer(n, need int, most uint64) int {
	double := 2*n + 16
	if uint64(double) > most && uint64(need) <= most {
		return int(most)
	}
	return max(double, need)
}

// weigh sets the weight of a slot that is in no list.
func (l *lists) weigh(slot, weight uint32) {
	if l.weights == nil {
		if weight == 1 {
			return
		}
		l.weights = make([]uint32, len(l.where))
		for i := range l.weights {
			l.weights[i] = 1
		}
	}
	l.weights[slot] = weight
}

func (l *lists) weightOf(slot uint32) uint64 {
	if l.weights == nil {
		return 1
	}
	return uint64(l.weights[slot])
}

// reweigh changes the weight of a slot that is in a list.
func (l *lists) reweigh(slot, weight uint32) {
	list := l.where[slot]
	l.weight[list] -= l.weightOf(slot)
	l.weigh(slot, weight)
	l.weight[list] += l.weightOf(slot)
}

// push makes slot the newest of list. It must be in none.
func (l *lists) push(list uint8, slot uint32) {
	n, head := slot+uint32(len(l.weight)), uint32(list)
	first := l.links[head].older
	l.links[n] = link{newer: head, older: first}
	l.links[first].newer = n
	l.links[head].older = n
	l.where[slot] = list
	l.weight[list] += l.weightOf(slot)
}

// unlink takes slot out of its list.
func (l *lists) unlink(slot uint32) {
	n := l.links[slot+uint32(len(l.weight))]
	l.links[n.newer].older = n.older
	l.links[n.older].newer = n.newer
	l.weight[l.where[slot]] -= l.weightOf(slot)
	l.where[slot] = nowhere
}

// oldest returns the oldest slot of list; ok is false if it is empty.
func (l *lists) oldest(list uint8) (slot uint32, ok bool) {
	n := l.links[list].newer
	return n - uint32(len(l.weight)), n != uint32(list)
}

// newest returns the newest slot of list; ok is false if it is empty.
func (l *lists) newest(list uint8) (slot uint32, ok bool) {
	n := l.links[list].older
	return n - uint32(len(l.weight)), n != uint32(list)
}

// down yields the slots of some lists, one list after the other, each from the newest on. all is
// false if yield returned false.
func (l *lists) down(yield func(slot uint32) bool, order ...uint8) (all bool) {
	heads := uint32(len(l.weight))
	for _, list := range order {
		for n := l.links[list].older; n != uint32(list); n = l.links[n].older {
			if !yield(n - heads) {
				return false
			}
		}
	}
	return true
}

// up visits the slots of a list from the oldest on.
func (l *lists) up(visit func(slot uint32), list uint8) {
	heads := uint32(len(l.weight))
	for n := l.links[list].newer; n != uint32(list); n = l.links[n].newer {
		visit(n - heads)
	}
}

// move makes slot the newest of list, wherever it is.
func (l *lists) move(list uint8, slot uint32) {
	if l.where[slot] != list {
		l.unlink(slot)
		l.push(list, slot)
		return
	}
	n, head := slot+uint32(len(l.weight)), uint32(list)
	first := l.links[head].older
	if first == n {
		return
	}
	was := l.links[n]
	l.links[was.newer].older = was.older
	l.links[was.older].newer = was.newer
	l.links[n] = link{newer: head, older: first}
	l.links[first].newer = n
	l.links[head].older = n
}
