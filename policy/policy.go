// policy.go is what every policy can do, and the list of them.

// Package policy chooses the entry that leaves.
//
// A policy works on slots: small dense numbers that whoever keeps the entries hands out. It knows
// no key and no value, no lock and no clock, so the same code serves in a cache and is simulated on
// a trace. Its arrays hold no pointers: the garbage collector does not look into them.
//
// The order of calls on a miss is Victim, until there is room, then Admit; on a hit Touch.
package policy

import "strings"

// Policy chooses the entry that leaves. It is not safe for concurrent use.
//
// A slot is admitted, touched any number of times, and leaves as a victim or by Remove; then the
// number may be admitted again, for another entry. Slots should be small: arrays reach as far as
// the largest one that was ever admitted. A hash is 32 well mixed bits of the entry's key. It
// stands for the key in what a policy remembers of entries that have left, so two keys of one hash
// share their history, which costs nothing but a hit now and then.
type Policy interface {
	// Admit takes in an entry that was not there. Its weight is at least 1; where entries are
	// counted it is 1.
	Admit(slot, hash, weight uint32)
	// Touch notes a hit on an entry that was admitted. The hash is the one it was admitted with.
	Touch(slot, hash uint32)
	// Weigh changes the weight of an entry that was admitted. It is not a hit.
	Weigh(slot, weight uint32)
	// Remove forgets an entry that was admitted and left for another reason than room. It leaves no
	// history: a deleted key was not a mistake of the policy.
	Remove(slot uint32)
	// Victim chooses the entry that leaves for room, and forgets it but for its history. incoming
	// is the hash of the entry that needs the room, 0 if none does. Something must be admitted.
	Victim(incoming uint32) (slot uint32)
	// Resize changes the weight that the policy reckons with. The caller asks for victims.
	Resize(max uint64)
}

// Marker is a Policy that learns of hits from marks, which any number of goroutines may set while
// others call its methods. It needs Touch only for the keys that it watches.
type Marker interface {
	Policy
	// Marks returns where hits are marked, nil if nobody needs to. It is the same at every call.
	Marks() *Marks
	// Watches tells of which keys it wants to hear by Touch besides: those with hash&mask == 0. A
	// mask of 0 means all; ok is false if it means none. The answer changes with Resize, and with
	// the first Victim after it was made or resized: by then it knows how many entries there are.
	Watches() (mask uint32, ok bool)
}

// New makes a policy for entries of a total weight of max, at least 1 and below 1<<62: all
// constructors look so.
type New func(max uint64) Policy

// Named is a policy and what it is called.
type Named struct {
	Name string // as it is written in the literature
	New  New
	Idea string // in a few words
}

// All lists the policies in the order in which they should be shown.
func All() []Named {
	return []Named{
		{"LRU", LRU, "the least recently used leaves"},
		{"MRU", MRU, "the most recently used leaves: for loops"},
		{"FIFO", FIFO, "the first that came leaves"},
		{"LFU", LFU, "the least frequently used leaves, old favourites age"},
		{"2Q", TwoQ, "newcomers wait in a queue, what comes back gets the rest"},
		{"ARC", ARC, "learns how to divide the room between recency and frequency"},
		{"LIRS", LIRS, "keeps what had the shortest time between two uses"},
		{"SIEVE", SIEVE, "a hand spares what was hit since it last came by"},
		{"S3-FIFO", S3FIFO, "newcomers prove themselves in a small queue"},
		{"W-TinyLFU", WTinyLFU, "a newcomer stays if it was used more than who would leave"},
		{"GDSF", GDSF, "the fewest hits for its weight leaves"},
		{"Adaptive", Adaptive, "does what does best on the traffic that it sees"},
	}
}

// ByName finds a policy by its name; case, hyphens, underscores and spaces do not matter.
func ByName(name string) (Named, bool) {
	for _, p := range All() {
		if plain(p.Name) == plain(name) {
			return p, true
		}
	}
	return Named{}, false
}

var separators = strings.NewReplacer("-", "", "_", "", " ", "")

func plain(name string) string { return separators.Replace(strings.ToLower(name)) }
