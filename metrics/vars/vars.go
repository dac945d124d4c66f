// vars.go shows the numbers of a set among the variables of the standard library.

// Package vars publishes what the parts of a program report in expvar, where /debug/vars has it as
// JSON. It needs nothing but the standard library.
//
// A set is a list of [stats.Snapshot]: what is read from /debug/vars can be decoded into it.
package vars

import (
	"expvar"
	"math"
	"slices"

	"github.com/larder-go/larder/stats"
)

// Publish publishes a set under a name. The parts are asked each time somebody looks, and may come
// and go. Like expvar.Publish it panics if the name is taken, also by an earlier call, and nothing
// gives a name back: call it once, from main. [Func] leaves that to the caller.
func Publish(name string, set *stats.Set) { expvar.Publish(name, Func(set)) }

// Func returns the set as a variable, for whoever publishes it elsewhere, such as in an expvar.Map.
// It is safe for concurrent use.
func Func(set *stats.Set) expvar.Func {
	return func() any {
		all := set.Snapshots()
		for i := range all {
			all[i] = writable(all[i])
		}
		return all
	}
}

// writable returns a snapshot without numbers that JSON does not have: one alone would leave
// nothing of all variables that can be read.
func writable(s stats.Snapshot) stats.Snapshot {
	s.Samples = slices.DeleteFunc(append([]stats.Sample{}, s.Samples...),
		func(sample stats.Sample) bool { return !finite(sample.Value) })
	if s.Durations != nil && !finite(s.Durations.Sum) {
		s.Durations = nil
	}
	return s
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
