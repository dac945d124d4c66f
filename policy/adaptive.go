// adaptive.go lets several policies compete all the time, and does what the best does.

package policy

// adaptiveSmall is up to which weight Adaptive is a vote. Above it, to hear of every hit costs more
// than it gains, and experts of the size of the cache would keep more than half a megabyte.
const adaptiveSmall = 2048

// adaptive is a vote or a follow, by its size.
type adaptive struct {
	form
	max    uint64
	marks  Marks
	marked bool // somebody knows the marks
}

type form interface {
	Ranker
	each(visit func(slot, hash, weight uint32))
}

// Adaptive does what does best on the traffic that it sees: what holds newcomers for long, what
// resists loops and scans, or what keeps what is popular. Small caches hold experts against each
// other that are as large as they are and hear of every hit; large ones are lazy, and learn from
// miniatures that see a sample of the keys. See docs/design/0006-adaptive.md. About 200 bytes an
// entry up to 2048 entries; above, 14 and half a megabyte.
//
// It is a Marker. Up to 2048 entries it watches all keys, and does not look at the marks.
func Adaptive(max uint64) Policy {
	p := &adaptive{max: max}
	p.form = p.shaped()
	return p
}

// shaped makes the form that is right for the size.
func (p *adaptive) shaped() form {
	if p.max <= adaptiveSmall {
		return newVote(p.max)
	}
	f := newFollow(p.max, &p.marks)
	f.marked = p.marked
	return f
}

func (p *adaptive) Resize(max uint64) {
	old := p.max
	p.max = max
	if (old <= adaptiveSmall) == (max <= adaptiveSmall) {
		p.form.Resize(max)
		return
	}
	before := p.form
	p.form = p.shaped()
	before.each(p.form.Admit)
}

// Marks is where hits are marked. Who calls it promises to mark them: until then Touch does.
func (p *adaptive) Marks() *Marks {
	p.marked = true
	if f, ok := p.form.(*follow); ok {
		f.marked = true
	}
	return &p.marks
}

// Watches is all keys in a small cache. In a large one it is the sample that the miniatures see,
// and nothing before something had to leave.
func (p *adaptive) Watches() (mask uint32, ok bool) {
	f, large := p.form.(*follow)
	if !large {
		return 0, true
	}
	return f.mask, f.panel != nil
}
