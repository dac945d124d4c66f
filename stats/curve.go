// curve.go is what a cache would do at other sizes and with other policies.

package stats

// Curver is a Source that observes itself. Curve returns false while it has seen too little to
// tell, or does not observe itself.
type Curver interface {
	Source
	Curve() (Curve, bool)
}

// Curve is the hit ratio of a cache at other sizes and with other policies, estimated from a share
// of its requests while it serves.
type Curve struct {
	Policy   string        `json:"policy"`   // the cache's own
	Size     int64         `json:"size"`     // its bound now, entries or weight
	Weighed  bool          `json:"weighed"`  // sizes are weights
	Ratio    float64       `json:"ratio"`    // what it has now, measured
	Points   []Point       `json:"points"`   // its own policy by size, from small to large
	Policies []PolicyPoint `json:"policies"` // at its size, the best first, its own among them
	Seen     uint64        `json:"seen"`     // requests that were looked at
	Rate     float64       `json:"rate"`     // which share of the keys they are chosen from
}

// Point is a size.
type Point struct {
	Size   int64   `json:"size"`
	Factor float64 `json:"factor"` // of the cache's size
	Ratio  float64 `json:"ratio"`
}

// PolicyPoint is a policy.
type PolicyPoint struct {
	Policy string  `json:"policy"`
	Ratio  float64 `json:"ratio"`
}

// Best returns the policy with the highest ratio: the cache's own, unless another has at least least
// more. Estimates may be off by some thousandths.
func (c Curve) Best(least float64) PolicyPoint {
	own := PolicyPoint{Policy: c.Policy, Ratio: c.Ratio}
	if len(c.Policies) > 0 && c.Policies[0].Ratio >= own.Ratio+least {
		return c.Policies[0]
	}
	return own
}

// At returns the ratio at a factor of the size; ok is false if the curve has no such point.
func (c Curve) At(factor float64) (ratio float64, ok bool) {
	for _, p := range c.Points {
		if p.Factor == factor {
			return p.Ratio, true
		}
	}
	return 0, false
}
