// origin.go learns what a load takes, and how many at a time are worth it.

package prefetch

import (
	"math"
	"time"
)

// origin is what is known of where loads go. A load is taken to last
//
//	latency + transfer * company * weight
//
// where company is how many ran on average meanwhile, itself among them, and weight is in mean
// weights. Both unknowns are the least squares over the last loads. Where latency is most of it,
// loads do not hinder each other and many should run; where transfer is, they share a wire.
//
// It is pure: times are arguments.
type origin struct {
	n, sx, sy, sxx, sxy float64 // sums of which each load takes away a part: forget
	latency, transfer   float64 // seconds
	spread              float64 // mean distance of loads from the estimate, seconds
	weight, uneven      float64 // mean weight of late, 0 if unknown; mean distance from it
}

// forget is the share of what is known that a load takes the place of: about the last ten count.
const forget = 0.1

// prior is how many loads the assumption is worth that a third of a load is latency. It decides
// where all loads had the same company and weight.
const prior = 0.5

// note takes in a load: how long it took, in what company.
func (o *origin) note(took time.Duration, company float64, weight int64) {
	w := float64(weight)
	if !o.known() {
		o.weight = w
	}
	x, y := company*w/o.weight, took.Seconds()
	o.uneven += (math.Abs(w-o.weight) - o.uneven) * forget
	o.weight += (w - o.weight) * forget
	if o.known() { // the weight of the next load is not known, so that of this one does not count
		off := math.Abs(y - o.latency - o.transfer*company)
		o.spread += (off - o.spread) * forget
	}
	const keep = 1 - forget
	o.n, o.sx, o.sy = o.n*keep+1, o.sx*keep+x, o.sy*keep+y
	o.sxx, o.sxy = o.sxx*keep+x*x, o.sxy*keep+x*y
	o.solve()
}

// solve finds latency and transfer, neither of which is negative.
func (o *origin) solve() {
	perX := o.sy / o.sx // a load alone, if all of it were transfer
	n, sy := o.n+prior, o.sy+prior*perX/3
	slope := (n*o.sxy - o.sx*sy) / (n*o.sxx - o.sx*o.sx)
	slope = min(max(slope, 0), o.sxy/o.sxx)
	o.transfer = slope
	o.latency = max((sy-slope*o.sx)/n, 0)
}

// known tells whether anything was loaded yet.
func (o *origin) known() bool { return o.n > 0 }

// width is how many loads saturate the origin: more only share what there is. It is not whole.
func (o *origin) width() float64 {
	switch {
	case !o.known():
		return 1
	case o.transfer <= 0:
		return math.Inf(1)
	}
	return (o.latency + o.transfer) / o.transfer
}

// takes returns how many seconds a load alone takes, and so many times the spread.
func (o *origin) takes(spreads float64) float64 {
	return o.latency + o.transfer + spreads*o.spread
}

// spacing returns how long a load occupies what it would share with others.
func (o *origin) spacing() time.Duration {
	return time.Duration(o.transfer * float64(time.Second))
}

// margin is how many mean deviations of the weight a load is given on top of the mean, so that few
// are more than there was room for. With 1 one in twenty was, and loaded in vain; with 2 a small
// memory was less well used.
const margin = 1.5

// estimate returns the weight that a load may bring.
func (o *origin) estimate() int64 {
	return max(int64(math.Ceil(o.weight+margin*o.uneven)), 1)
}
