// rank.go lets a policy say which of its entries are most worth having.

package policy

// Ranker is a Policy that can say which of its entries are most worth having: the best of them are
// what one takes along into the next process. All policies here are Rankers.
type Ranker interface {
	Policy
	// Ranked yields every slot that is admitted, once each, the one most worth having first, until
	// yield returns false. It changes nothing, so whoever leaves next is the same as without it.
	// What the policy knows decides, and marks that it has not looked at yet count as hits. That
	// comes close to the order of leaving, backwards; where it differs, the policy says so. The
	// weight of an entry matters to a policy only if it matters to its choice of victims.
	//
	// Like all methods it must not meet another one of the policy, so yield must call none; marks
	// may be set all the while. It takes at most the time of sorting all entries, and may allocate
	// some ten bytes for each until it returns.
	Ranked(yield func(slot uint32) bool)
}

// grades sorts slots by a small number, the grade: the highest come first, and of one grade those
// that were added first. A slot's grade is asked for once, since marks change while others sort.
type grades [maxCount + most + 1][]uint32

func (g *grades) add(slot, grade uint32) { g[grade] = append(g[grade], slot) }

func (g *grades) yield(yield func(slot uint32) bool) {
	for grade := len(g) - 1; grade >= 0; grade-- {
		for _, slot := range g[grade] {
			if !yield(slot) {
				return
			}
		}
	}
}
