// order.go follows an order that is known beforehand.

package prefetch

import (
	"slices"
	"time"
)

// Expect tells what will be asked for next, in that order, in place of what Expect was told
// before: the files of a command, the batches of a training run. As long as something of it is
// left, that is loaded ahead instead of what is predicted, as far as MaxWeight and MaxAhead allow.
// Who asks for something else meanwhile gets it, and does not change what is expected; the order
// need not be kept exactly. The keys are copied; they need not be in the sequence. Without keys
// nothing is expected any more.
func (p *Prefetcher[K, V]) Expect(keys ...K) {
	p.mu.Lock()
	defer p.unlock()
	p.expected = slices.Clone(keys)
	p.planLocked(time.Now())
}

// leeway is how far from the next expected key an ask is still taken for one of them.
const leeway = 256

// fulfilLocked takes a key that was asked for off what is expected, and tells whether it was
// there.
func (p *Prefetcher[K, V]) fulfilLocked(key K) bool {
	i := slices.Index(p.expected[:min(len(p.expected), leeway)], key)
	if i < 0 {
		return false
	}
	copy(p.expected[1:i+1], p.expected[:i])
	p.expected = p.expected[1:]
	return true
}
