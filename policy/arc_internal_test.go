// arc_internal_test.go checks what of ARC does not show in its victims.

package policy

import (
	"math/rand/v2"
	"testing"
)

func TestARCLearnsOnceFromAMiss(t *testing.T) {
	p := ARC(4).(*arc)
	for i := range uint32(4) {
		p.Admit(i, i+1, 1)
	}
	p.Touch(0, 1)
	gone := p.Victim(9) + 1 // its hash
	p.Admit(gone-1, 9, 1)
	for range 3 {
		p.Victim(gone)
	}
	if p.target != 1 {
		t.Errorf("after three victims for one miss p is %d, want 1", p.target)
	}
	if p.Admit(0, gone, 1); p.target != 1 || p.where[0] != arcT2 {
		t.Errorf("after it came p is %d and it is in list %d, want 1 and T2", p.target, p.where[0])
	}
}

func TestARCRemembersNoMoreThanItKeeps(t *testing.T) {
	const max = 50
	p, r := ARC(max).(*arc), rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		hash := 1 + r.Uint32N(1+r.Uint32N(150))
		slot, weight := hash, 1+hash%5
		switch present := int(slot) < len(p.where) && p.where[slot] != nowhere; {
		case present && r.IntN(20) == 0:
			p.Remove(slot)
			continue
		case present:
			p.Touch(slot, hash)
			continue
		}
		for p.weight[arcT1]+p.weight[arcT2]+uint64(weight) > max {
			p.Victim(hash)
		}
		p.Admit(slot, hash, weight)
		l1 := p.weight[arcT1] + p.left[arcB1].weight
		l2 := p.weight[arcT2] + p.left[arcB2].weight
		if l1 > max || l1+l2 > 2*max || p.target > max {
			t.Fatalf("L1 weighs %d, L2 %d, p is %d; max is %d", l1, l2, p.target, max)
		}
	}
}
