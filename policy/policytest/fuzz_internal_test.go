// fuzz_internal_test.go looks for sizes and operations that break a policy.

package policytest

import (
	"testing"

	"github.com/larder-go/larder/policy"
)

func FuzzContract(f *testing.F) {
	f.Add(uint64(1), uint32(1), uint64(1))
	f.Add(uint64(17), uint32(9), uint64(2))
	f.Add(uint64(1000), uint32(1<<31), uint64(3))
	f.Fuzz(func(t *testing.T, max uint64, heaviest uint32, seed uint64) {
		p := params{max%(1<<62-1) + 1, heaviest%(1<<31) + 1, seed}
		for _, named := range policy.All() {
			exercise(t, named.New, p)
		}
	})
}
