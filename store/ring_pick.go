// ring_pick.go says which node has which key.

package store

import (
	"cmp"
	"math"
	"slices"
)

// ringView is a ring at a moment. It is not changed once it is in use.
//
// The node of a key is chosen by weighted rendezvous hashing (Thaler and Ravishankar 1998; weights
// after Schindelhauer and Schomaker 2005): key and name give a number x in (0, 1), evenly spread;
// -ln(1-x) is then the time at which a clock of rate 1 rings for the first time, -ln(1-x)/weight
// that of a clock of rate weight, and of several clocks each is the first with the share of its
// rate. Who comes or goes changes nothing between the others.
type ringView struct {
	nodes   []*ringNode // in the order of their names
	seeds   []uint64    // of the names
	inverse []float64   // 1/weight
}

func newRingView(nodes []*ringNode) *ringView {
	v := &ringView{nodes: slices.Clone(nodes)}
	slices.SortFunc(v.nodes, func(a, b *ringNode) int { return cmp.Compare(a.name, b.name) })
	for _, n := range v.nodes {
		v.seeds = append(v.seeds, mix64(hashText(n.name)))
		v.inverse = append(v.inverse, 1/n.weight)
	}
	return v
}

// find returns the node of that name, or nil.
func (v *ringView) find(name string) *ringNode {
	i, ok := slices.BinarySearchFunc(v.nodes, name, func(n *ringNode, name string) int {
		return cmp.Compare(n.name, name)
	})
	if !ok {
		return nil
	}
	return v.nodes[i]
}

// pick returns the node of key, or nil where there are none. As -ln(1-x) >= x, a logarithm is
// needed only for those that may come first: for about ln n of n nodes.
func (v *ringView) pick(key string) *ringNode {
	hash := hashText(key)
	first, at := math.Inf(1), -1
	inverse := v.inverse[:len(v.seeds)]
	for i, seed := range v.seeds {
		x := (float64(mix64(hash^seed)>>11) + 0.5) * 0x1p-53
		if x*inverse[i] >= first {
			continue
		}
		if rings := -math.Log1p(-x) * inverse[i]; rings < first {
			first, at = rings, i
		}
	}
	if at < 0 {
		return nil
	}
	return v.nodes[at]
}

// hashText is FNV-1a of 64 bits: the same in all processes that share the nodes, for ever.
func hashText(s string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 0x100000001b3
	}
	return h
}

// mix64 is the finalizer of SplitMix64 (Steele, Lea, Flood 2014): each bit in changes about half of
// those out.
func mix64(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
