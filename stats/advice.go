// advice.go says in sentences what the numbers of a part mean for its owner.

package stats

// Advice is one thing that the numbers say, for people.
type Advice struct {
	About Topic  `json:"about"`
	Level Level  `json:"level"`
	Text  string `json:"text"` // one or two sentences
}

// Topic is what an advice is about.
type Topic string

// The topics.
const (
	AboutUse    Topic = "use"    // whether the cache is worth having
	AboutSize   Topic = "size"   // whether it should be larger or smaller
	AboutPolicy Topic = "policy" // whether another policy would do better
	AboutTTL    Topic = "ttl"    // whether entries live long enough
	AboutLoads  Topic = "loads"  // what misses cost
	AboutStore  Topic = "store"  // whether the second level works
)

// Level is how much an advice matters.
type Level string

// The levels.
const (
	Good Level = "good" // nothing to do
	Hint Level = "hint" // something could be better
	Warn Level = "warn" // something is wrong
)

// Advise says what the numbers of a part mean, what matters most first. curve is nil where there is
// none. It is a pure function of its arguments, and says nothing that they do not show.
func Advise(s Snapshot, curve *Curve) []Advice { return nil }
