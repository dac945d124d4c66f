// results.go counts how tests went, and prints those that did not pass.

package cachetests

import (
	"fmt"
	"slices"
	"strings"
)

// Kind says how much a test matters.
type Kind string

// The kinds of tests.
const (
	Required Kind = "required" // who fails breaks the RFCs
	Optimal  Kind = "optimal"  // who fails asks the origin more often than needed
	Check    Kind = "check"    // asks a question without a right answer
)

// Verdict says how a test went.
type Verdict string

// The verdicts, by the suite's names for them.
const (
	Pass           Verdict = "pass"
	Fail           Verdict = "fail"            // of a required one
	OptionalFail   Verdict = "optional_fail"   // of an optimal one
	Yes            Verdict = "yes"             // the answer of a check
	No             Verdict = "no"              // the answer of a check
	SetupFail      Verdict = "setup_fail"      // what the test builds on did not work
	DependencyFail Verdict = "dependency_fail" // another test that it builds on did not pass
	HarnessFail    Verdict = "harness_fail"    // no answer within ten seconds
	Retry          Verdict = "retry"           // a request was repeated on the way
	Untested       Verdict = "untested"
)

// Result is how one test went.
type Result struct {
	ID      string
	Name    string // what it asks for, a sentence
	Group   string
	Kind    Kind
	Verdict Verdict
	Message string // what was wrong; "" if nothing was
}

// Passed reports whether the test counts.
func (r Result) Passed() bool { return r.Verdict == Pass || r.Verdict == Yes }

// String is one line, and a second one with what was wrong.
func (r Result) String() string {
	line := fmt.Sprintf("%-8s %-15s %s: %s", r.Kind, r.Verdict, r.ID, r.Name)
	if r.Message == "" {
		return line
	}
	return line + "\n\t\t" + r.Message
}

// Results are tests in the suite's order.
type Results []Result

// Only returns those that keep returns true for.
func (rs Results) Only(keep func(Result) bool) Results {
	return slices.DeleteFunc(slices.Clone(rs), func(r Result) bool { return !keep(r) })
}

// Of returns those of a kind.
func (rs Results) Of(k Kind) Results {
	return rs.Only(func(r Result) bool { return r.Kind == k })
}

// Passed returns how many count.
func (rs Results) Passed() int {
	return len(rs.Only(Result.Passed))
}

// NotPassed returns the required and the optimal ones that do not count.
func (rs Results) NotPassed() Results {
	return rs.Only(func(r Result) bool { return r.Kind != Check && !r.Passed() })
}

// String is a line with the counts, and those that did not pass.
func (rs Results) String() string {
	var b strings.Builder
	for _, k := range []Kind{Required, Optimal, Check} {
		fmt.Fprintf(&b, "%s %d/%d, ", k, rs.Of(k).Passed(), len(rs.Of(k)))
	}
	text := strings.TrimSuffix(b.String(), ", ")
	for _, r := range rs.NotPassed() {
		text += "\n" + r.String()
	}
	return text
}
