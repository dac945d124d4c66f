// predict.go guesses what will be asked for next, from what was.

package prefetch

// What the predictor remembers and says.
const (
	remembered = 128 // steps at least, twice as many at most
	foreseen   = 64  // positions at most
	near       = 16  // a longer step is a jump, unless it was made before
	jump       = int(^uint(0)>>1) - 1
)

// predictor takes the positions that are asked for and says which come next: the walk is expected to
// go on as it did whenever it came along like now. How it came along is the longest row of last
// steps that was seen before; of several places where it was seen, most win. That covers steps of
// any size, turns at the same places, comparing neighbours, runs between jumps; and it expects a
// jump where jumps are the rule, which is silence. Without a precedent the last step is repeated.
//
// It is pure: no lock, no clock, no I/O, no keys.
type predictor struct {
	inside func(position int) bool

	last  int   // position
	asks  int   // how many
	steps []int // the last ones, oldest first; jump for a far one that was not made before
	raw   []int // the same with the jumps' lengths
	// same[i] is how many steps up to steps[i] equal the last steps of all.
	same []int

	// trust is how far ahead the guesses are followed: doubles when one comes true, halves when not.
	trust int
	match int   // how many last steps had a precedent
	path  []int // the guesses: positions
	aside []int // the second best
	next  int   // the first guessed step

	votes      []vote
	precedents []int
}

// vote is how many precedents say that a step comes next.
type vote struct{ step, count int }

func newPredictor(inside func(int) bool) *predictor {
	return &predictor{inside: inside, trust: 2}
}

// ask tells that a position is asked for.
func (p *predictor) ask(position int) {
	if p.asks++; p.asks == 1 {
		p.last = position
		p.guess()
		return
	}
	step := position - p.last
	if step == 0 {
		return
	}
	p.learn(p.symbol(step), step)
	p.last = position
	p.guess()
}

// ahead returns the positions expected next, in order, and how many of them are worth a load. The
// slice is valid until the next ask.
func (p *predictor) ahead() (path []int, depth int) {
	depth = p.trust
	if p.asks == 1 {
		depth = 1
	} else if p.match < 6 { // beyond that trust is the smaller one
		depth = min(depth, 2<<p.match)
	}
	return p.path, min(depth, len(p.path))
}

// symbol returns what a step is remembered as.
func (p *predictor) symbol(step int) int {
	if step <= near && step >= -near {
		return step
	}
	for _, s := range p.raw {
		if s == step {
			return step
		}
	}
	return jump
}

// learn remembers a step and judges the last guess by it.
func (p *predictor) learn(symbol, step int) {
	switch {
	case symbol == p.next:
		p.trust = min(max(2*p.trust, 1), foreseen)
	case !p.visited(p.last + step):
		p.trust /= 2
	}
	if len(p.steps) == 2*remembered {
		p.steps = p.steps[:copy(p.steps, p.steps[remembered:])]
		p.raw = p.raw[:copy(p.raw, p.raw[remembered:])]
		p.same = p.same[:copy(p.same, p.same[remembered:])]
	}
	for i := len(p.steps) - 1; i > 0; i-- {
		if p.steps[i] == symbol {
			p.same[i] = p.same[i-1] + 1
		} else {
			p.same[i] = 0
		}
	}
	if len(p.steps) > 0 {
		p.same[0] = 0
		if p.steps[0] == symbol {
			p.same[0] = 1
		}
	}
	p.steps, p.raw, p.same = append(p.steps, symbol), append(p.raw, step), append(p.same, 0)
}

// visited tells whether a position was asked for lately.
func (p *predictor) visited(position int) bool {
	at := p.last
	for i := len(p.raw) - 1; i >= 0 && at != position; i-- {
		at -= p.raw[i]
	}
	return at == position
}

// guess finds the path ahead.
func (p *predictor) guess() {
	p.path, p.aside, p.next = p.path[:0], p.aside[:0], jump
	p.findPrecedents()
	defer p.hedge()
	if p.match == 0 {
		p.repeat(p.unprecedented())
		return
	}
	n, at := len(p.steps), p.last
	for range foreseen {
		step := p.poll()
		if len(p.steps) == n {
			p.next = step
		}
		if step == jump || !p.inside(at+step) {
			break
		}
		at += step
		p.path = append(p.path, at)
		p.steps = append(p.steps, step) // precedents that reach the present go on with guesses
	}
	p.steps = p.steps[:n]
}

// findPrecedents finds the places at which the longest row of last steps was seen before.
func (p *predictor) findPrecedents() {
	p.match, p.precedents = 0, p.precedents[:0]
	for i := range len(p.steps) - 1 {
		if p.same[i] > p.match {
			p.match, p.precedents = p.same[i], p.precedents[:0]
		}
		if p.same[i] == p.match && p.match > 0 {
			p.precedents = append(p.precedents, i+1)
		}
	}
}

// poll returns the step that most precedents say comes next, and goes on with those alone.
func (p *predictor) poll() int {
	winner := p.steps[p.precedents[len(p.precedents)-1]] // the latest, if several have most
	if len(p.precedents) > 1 {
		winner = p.most(winner)
	}
	kept := p.precedents[:0]
	for _, i := range p.precedents {
		if p.steps[i] == winner {
			kept = append(kept, i+1)
		}
	}
	p.precedents = kept
	return winner
}

// most counts the precedents' votes.
func (p *predictor) most(latest int) int {
	p.votes = append(p.votes[:0], vote{latest, 0})
	for _, i := range p.precedents {
		p.count(p.steps[i])
	}
	return p.elected()
}

func (p *predictor) count(step int) {
	for i := range p.votes {
		if p.votes[i].step == step {
			p.votes[i].count++
			return
		}
	}
	p.votes = append(p.votes, vote{step, 1})
}

func (p *predictor) elected() int {
	best := p.votes[0]
	for _, v := range p.votes {
		if v.count > best.count || v.count == best.count && best.step == jump {
			best = v
		}
	}
	return best.step
}

// unprecedented returns the step to expect where nothing was like now: the last one again; after a
// jump the usual one; at first one forward, or backward from the end.
func (p *predictor) unprecedented() int {
	if n := len(p.steps); n > 0 && p.steps[n-1] != jump {
		return p.steps[n-1]
	}
	first := 1
	if !p.inside(p.last + 1) {
		first = -1
	}
	p.votes = append(p.votes[:0], vote{first, 1})
	for _, s := range p.steps {
		p.count(s)
	}
	return p.elected()
}

// repeat expects the same step again and again.
func (p *predictor) repeat(step int) {
	if p.next = step; step == jump {
		return
	}
	for at := p.last + step; len(p.path) < foreseen && p.inside(at); at += step {
		p.path = append(p.path, at)
	}
}

func (p *predictor) hedge() {
	if len(p.steps) == 0 {
		return
	}
	p.votes = p.votes[:0]
	n := len(p.steps)
	total := 0
	for i := 0; i < n-1; i++ {
		if p.steps[i] == p.steps[n-1] {
			p.count(p.steps[i+1])
			total++
		}
	}
	if total == 0 {
		for i := 0; i < n; i++ {
			p.count(p.steps[i])
			total++
		}
	}
	best := vote{}
	for _, v := range p.votes {
		if v.step != p.next && v.step != jump && v.count > best.count {
			best = v
		}
	}
	if best.count*4 < total || best.count == 0 {
		return
	}
	for at := p.last + best.step; len(p.aside) < near && p.inside(at); at += best.step {
		p.aside = append(p.aside, at)
	}
}
