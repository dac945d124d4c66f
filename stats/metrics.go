// metrics.go lists the metrics: every number that is reported has its row here, and no other name.

package stats

// Metric is what a number means.
type Metric struct {
	Name   string   // snake case, without prefix, unit or _total
	Unit   string   // seconds, bytes or ratio; "" where things are counted
	Help   string   // one sentence
	Gauge  bool     // goes up and down; else a counter that only grows
	Label  string   // what tells its series apart; "" if there is but one
	Labels []string // the values of Label that parts report; nil where they depend on the part
}

// The series of Requests. Each request is counted in one of them.
const (
	Hit         = "hit"         // answered from what was kept, fresh
	Stale       = "stale"       // answered from what was kept, stale
	Negative    = "negative"    // answered from the memory that the origin has no such thing
	Revalidated = "revalidated" // answered from what was kept once the origin said it still holds
	Coalesced   = "coalesced"   // waited for the load of another request
	Miss        = "miss"        // not answered from what was kept
	Bypass      = "bypass"      // no cache may answer it
	Failed      = "failed"      // answered with an error, since the origin failed
)

// The series of Misses: why something was not there.
const (
	MissNew     = "new"     // never seen, or so long ago that nobody remembers
	MissEvicted = "evicted" // it had to leave for room
	MissExpired = "expired" // its time was up
	MissDeleted = "deleted" // somebody deleted it, by its key, its tag, or with everything
	MissFailed  = "failed"  // its last load had failed, or was not to be kept
)

// The series of Departures.
const (
	LeftRoom     = "room"
	LeftExpired  = "expired"
	LeftReplaced = "replaced"
	LeftDeleted  = "deleted"
	LeftTag      = "tag"
	LeftCleared  = "cleared"
)

// The series of Loads.
const (
	LoadOK     = "ok"
	LoadAbsent = "absent" // the origin has no such thing
	LoadError  = "error"
)

// The metrics. A new one belongs into Metrics as well.
var (
	Requests = Metric{Name: "requests", Label: "result",
		Help: "Requests by how they were answered."}
	Misses = Metric{Name: "misses", Label: "reason",
		Labels: []string{MissNew, MissEvicted, MissExpired, MissDeleted, MissFailed},
		Help:   "Observed misses by why the entry was not there."}
	Loads = Metric{Name: "loads", Label: "result",
		Labels: []string{LoadOK, LoadAbsent, LoadError},
		Help:   "Calls of the origin that returned."}
	LoadDuration = Metric{Name: "load_duration", Unit: "seconds",
		Help: "How long calls of the origin took."} // a histogram: Snapshot.Durations
	Departures = Metric{Name: "evictions", Label: "cause",
		Help: "Entries that left by cause."}
	Entries = Metric{Name: "entries", Gauge: true, Help: "Entries that are there."}
	Weight  = Metric{Name: "weight", Gauge: true,
		Help: "Weight of the entries, as the cache weighs them; their number where they are counted."}
	WeightLimit = Metric{Name: "weight_limit", Gauge: true, Help: "The most that the weight may be."}
	Bytes       = Metric{Name: "used", Unit: "bytes", Gauge: true, Help: "Bytes that are taken."}
	BytesLimit  = Metric{Name: "limit", Unit: "bytes", Gauge: true,
		Help: "The most bytes that may be taken."}
	TimeSaved = Metric{Name: "saved", Unit: "seconds", Gauge: true,
		Help: "Hits times the mean duration of a load."}
	Refused   = Metric{Name: "refused", Help: "Values that were too heavy to be kept."}
	StaleUsed = Metric{Name: "stale_served",
		Help: "Stale values that were served, also in place of a failed or slow load."}
	Refreshes     = Metric{Name: "refreshes", Help: "Refreshes behind that began."}
	Heard         = Metric{Name: "changes_heard", Help: "Changes by others that were heard of."}
	Linked        = Metric{Name: "linked", Gauge: true, Help: "Whether changes by others are heard: 1 or 0."}
	StoreRequests = Metric{Name: "store_requests", Label: "result",
		Labels: []string{"hit", "miss", "error"}, Help: "Requests to the second level."}
	StoreDamaged = Metric{Name: "damaged", Help: "Kept bytes that turned out not to be what was stored."}
	StoreVoided  = Metric{Name: "voided", Help: "Loads not stored, since their key was changed meanwhile."}
	BreakerOpen  = Metric{Name: "breaker_open", Gauge: true,
		Help: "Whether the store is left alone: 1; 0.5 while it is probed; else 0."}
	BreakerOpened = Metric{Name: "breaker_opened", Help: "How often a store was begun to be left alone."}
	StoreCalls    = Metric{Name: "store_calls", Label: "result",
		Labels: []string{"ok", "failed", "timeout", "skipped"}, Help: "Calls of a guarded store."}
	Waiting = Metric{Name: "writes_waiting", Gauge: true, Help: "Values still to be written behind."}
	Lost    = Metric{Name: "writes_lost", Help: "Values that were given up instead of written."}
	Up      = Metric{Name: "up", Gauge: true, Help: "Whether it answers: 1 or 0."}

	Prefetches = Metric{Name: "prefetches", Label: "result",
		Labels: []string{"used", "wasted", "cancelled"}, Help: "Items loaded before anybody asked."}
	Stall    = Metric{Name: "stall", Unit: "seconds", Help: "Time spent waiting for items."}
	InFlight = Metric{Name: "loads_in_flight", Gauge: true, Help: "Loads that run."}
	NotKept  = Metric{Name: "not_kept", Label: "reason", Help: "Results that were not kept."}

	Predicted = Metric{Name: "predicted_hit", Unit: "ratio", Gauge: true, Label: "size",
		Help: "Hit ratio that the cache would have at another size, where it observes itself."}
	PredictedPolicy = Metric{Name: "predicted_policy_hit", Unit: "ratio", Gauge: true, Label: "policy",
		Help: "Hit ratio that the cache would have with another policy, where it observes itself."}
	Observed = Metric{Name: "observed", Help: "Requests from which the predictions are made."}
)

// Metrics lists all metrics in the order in which they should be shown.
func Metrics() []Metric {
	return []Metric{
		Requests, Misses, Loads, LoadDuration, Departures, Entries, Weight, WeightLimit, Bytes,
		BytesLimit, TimeSaved, Refused, StaleUsed, Refreshes, Heard, Linked, StoreRequests,
		StoreDamaged, StoreVoided, StoreCalls, BreakerOpen, BreakerOpened, Waiting, Lost, Up,
		Prefetches, Stall, InFlight, NotKept, Predicted, PredictedPolicy, Observed,
	}
}

// Is returns a sample of a metric without series.
func (m Metric) Is(value float64) Sample { return Sample{Metric: m.Name, Value: value} }

// Of returns a sample of one series.
func (m Metric) Of(label string, value float64) Sample {
	return Sample{Metric: m.Name, Label: label, Value: value}
}

// Truth is 1 for true, 0 for false.
func Truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
