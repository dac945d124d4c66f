// predict.go guesses what will be asked for next, from what was.

package prefetch

import (
	"math"
	"slices"
)

// What the predictor remembers and says.
const (
	remembered = 128 // steps at least, twice as many at most
	foreseen   = 64  // positions at most, and the most trust
	near       = 16  // a longer step is a jump, unless it was made before
	proven     = 6   // steps that went as before: then there is no doubt, and trust is the limit
	jump       = math.MaxInt
)

// predictor takes the positions that are asked for and says which come next: the walk is expected
// to go on as it did whenever it came along like now. How it came along is the longest row of last
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

	trust   int   // how far guesses are followed: doubled when one is right, halved when not
	match   int   // how many of the last steps have a precedent
	next    int   // the guessed step
	path    []int // the guessed positions
	guessed []int // the steps to them
	aside   []int // the second best guess

	precedents []int  // where steps go on after those like the last and the guessed ones
	same       []int  // room for comparing
	votes      []vote // room for counting
}

// vote is how many precedents say that a step comes next.
type vote struct{ step, count int }

func newPredictor(inside func(int) bool) *predictor {
	return &predictor{inside: inside, trust: 2}
}

// ask tells that a position is asked for. It returns false if that was the last one again.
func (p *predictor) ask(position int) (moved bool) {
	step := position - p.last
	switch {
	case p.asks == 0:
		p.last = position
		p.guess()
	case step == 0:
		return false
	default:
		p.take(position, p.symbol(step))
	}
	p.asks++
	return true
}

// ahead returns the positions expected next, in order, and how many of them are worth a load: at
// first one; then twice as many with each step that went as before, within trust. The slice is
// valid until the next ask.
func (p *predictor) ahead() (path []int, depth int) {
	depth = p.trust
	switch {
	case p.asks == 1:
		depth = 1
	case p.match < proven:
		depth = min(depth, 2<<p.match)
	}
	return p.path, min(depth, len(p.path))
}

// symbol returns what a step is remembered as.
func (p *predictor) symbol(step int) int {
	if step <= near && step >= -near {
		return step
	}
	if slices.Contains(p.raw, step) {
		return step
	}
	return jump
}

// take judges the last guess by where the viewer went, remembers that, and guesses again.
func (p *predictor) take(position, symbol int) {
	right := symbol == p.next
	switch {
	case right:
		p.trust = min(max(2*p.trust, 1), foreseen)
	case !p.visited(position): // else nothing was loaded in vain
		p.trust /= 2
	}
	full := len(p.steps) == 2*remembered
	if full {
		p.steps = p.steps[:copy(p.steps, p.steps[remembered:])]
		p.raw = p.raw[:copy(p.raw, p.raw[remembered:])]
	}
	p.steps, p.raw = append(p.steps, symbol), append(p.raw, position-p.last)
	p.last = position
	if right && !full && p.match >= proven && len(p.path) == foreseen {
		p.goOn()
		return
	}
	p.guess()
}

// visited tells whether a position was asked for lately.
func (p *predictor) visited(position int) bool {
	at := p.last
	for i := len(p.raw) - 1; i >= 0 && at != position; i-- {
		at -= p.raw[i]
	}
	return at == position
}

// guess finds the path ahead, and the one aside.
func (p *predictor) guess() {
	p.path, p.guessed, p.aside, p.next = p.path[:0], p.guessed[:0], p.aside[:0], jump
	p.findPrecedents()
	if p.match > 0 {
		for len(p.path) < foreseen && p.extend() {
		}
	} else {
		p.repeat(p.unprecedented())
	}
	if p.match < proven && len(p.steps) > 0 {
		p.hedge()
	}
}

// goOn is guess after a guess that was right: the precedents are those that the path came to.
func (p *predictor) goOn() {
	p.match++
	p.path = p.path[:copy(p.path, p.path[1:])]
	p.guessed = p.guessed[:copy(p.guessed, p.guessed[1:])]
	p.aside, p.next = p.aside[:0], p.guessed[0]
	p.extend()
}

// extend makes the path a step longer, as most precedents went on. It returns false if it ends.
func (p *predictor) extend() bool {
	at := p.last
	if n := len(p.path); n > 0 {
		at = p.path[n-1]
	}
	step := p.poll()
	if len(p.path) == 0 {
		p.next = step
	}
	if step == jump || !p.inside(at+step) {
		return false
	}
	p.path, p.guessed = append(p.path, at+step), append(p.guessed, step)
	return true
}

// step returns a step by its number: those to come are guesses.
func (p *predictor) step(i int) int {
	if i < len(p.steps) {
		return p.steps[i]
	}
	return p.guessed[i-len(p.steps)]
}

// findPrecedents finds the places at which the longest row of last steps was seen before.
func (p *predictor) findPrecedents() {
	p.compare()
	p.match, p.precedents = 0, p.precedents[:0]
	for back := len(p.steps) - 1; back > 0; back-- {
		if p.same[back] > p.match {
			p.match, p.precedents = p.same[back], p.precedents[:0]
		}
		if p.same[back] == p.match && p.match > 0 {
			p.precedents = append(p.precedents, len(p.steps)-back)
		}
	}
}

// compare finds for each number of steps back how many steps up to there equal the last ones. It
// is the Z algorithm (Gusfield 1997) from the end: linear, since what is known of a row that
// matched holds for the rows in it.
func (p *predictor) compare() {
	n := len(p.steps)
	p.same = slices.Grow(p.same[:0], n)[:n]
	from, to := 0, 0 // the row that was found to match furthest back
	for back := 1; back < n; back++ {
		length := 0
		if back < to {
			length = min(to-back, p.same[back-from])
		}
		for back+length < n && p.steps[n-1-length] == p.steps[n-1-back-length] {
			length++
		}
		if p.same[back] = length; back+length > to {
			from, to = back, back+length
		}
	}
}

// poll returns the step that most precedents say comes next, and goes on with those alone.
func (p *predictor) poll() int {
	winner := p.step(p.precedents[0])
	if len(p.precedents) > 1 {
		winner = p.most()
	}
	kept := p.precedents[:0]
	for _, i := range p.precedents {
		if p.step(i) == winner {
			kept = append(kept, i+1)
		}
	}
	p.precedents = kept
	return winner
}

// most counts the precedents' votes. If several steps have most, the same step again wins, then
// that of the latest.
func (p *predictor) most() int {
	p.votes = append(p.votes[:0], vote{step: p.step(len(p.steps) + len(p.guessed) - 1)})
	for n := len(p.precedents) - 1; n >= 0; n-- {
		p.count(p.step(p.precedents[n]))
	}
	return p.elected()
}

// count counts a vote.
func (p *predictor) count(step int) {
	for i := range p.votes {
		if p.votes[i].step == step {
			p.votes[i].count++
			return
		}
	}
	p.votes = append(p.votes, vote{step, 1})
}

// elected returns the step with most votes, of several the first, but not a jump: silence is for
// where nothing else is as likely.
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

// hedge finds where else the viewer may well go: on in the direction that was taken, next to the
// expected one, by at least a quarter of the steps that followed one like the last.
func (p *predictor) hedge() {
	p.votes = p.votes[:0]
	all := p.countAfter(p.steps[len(p.steps)-1])
	second := vote{}
	for _, v := range p.votes {
		if v.step != p.next && v.step != jump && v.count > second.count {
			second = v
		}
	}
	if second.count == 0 || 4*second.count < all {
		return
	}
	for at := p.last + second.step; len(p.aside) < near && p.inside(at); at += second.step {
		p.aside = append(p.aside, at)
	}
}

// countAfter counts the steps that followed one, or all if none did, and returns how many.
func (p *predictor) countAfter(step int) (all int) {
	for i, s := range p.steps[:len(p.steps)-1] {
		if s == step {
			p.count(p.steps[i+1])
			all++
		}
	}
	if all > 0 {
		return all
	}
	for _, s := range p.steps {
		p.count(s)
	}
	return len(p.steps)
}
