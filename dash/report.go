// report.go makes the report: what all parts say, and what that means.

package dash

import (
	"math"
	"slices"
	"time"

	"github.com/larder-go/larder/stats"
)

// Report is what all parts say.
type Report struct {
	Taken         time.Time `json:"taken"`
	Version       string    `json:"version"`
	AllowsActions bool      `json:"allows_actions"`
	HashesKeys    bool      `json:"hashes_keys"`
	Parts         []Part    `json:"parts"`
	LeftOut       int       `json:"left_out,omitempty"` // parts beyond the 256 that are shown
}

// Part is what one part says, and what follows from it. Rates are of the last five to ten seconds.
type Part struct {
	stats.Snapshot
	HitRatio          *float64       `json:"hit_ratio"`    // from 0 to 1; nil: there were no requests
	HitRatio1m        *float64       `json:"hit_ratio_1m"` // nil: nobody asked, or looked for long
	HitRatio10m       *float64       `json:"hit_ratio_10m"`
	RequestsPerSecond *float64       `json:"requests_per_second"` // nil: not known yet
	LoadsPerSecond    *float64       `json:"loads_per_second"`
	Saved             time.Duration  `json:"saved_ns"`
	LoadP50           time.Duration  `json:"load_p50_ns"` // 0: nothing was loaded
	LoadP99           time.Duration  `json:"load_p99_ns"`
	LoadMean          time.Duration  `json:"load_mean_ns"`
	History           []Interval     `json:"history"`     // ten minutes, as far as known
	Curve             *stats.Curve   `json:"curve"`       // nil: it cannot tell, or not yet
	Advice            []stats.Advice `json:"advice"`      // what matters most first
	Inspectable       bool           `json:"inspectable"` // it can be asked about single keys
	Curved            bool           `json:"curved"`      // it may have a curve, in time
}

// mostParts bounds a report.
const mostParts = 256

// snapshots asks all parts that are shown, and returns them with what they say.
func (h *Handler) snapshots() ([]stats.Source, []stats.Snapshot) {
	sources := h.set.Sources()
	shown := sources[:min(len(sources), mostParts)]
	shots := stats.Distinct(shown)
	for i := range shots {
		shots[i] = writable(shots[i])
	}
	return sources, shots
}

// writable returns a snapshot without what is no number: JSON has no words for that.
func writable(s stats.Snapshot) stats.Snapshot {
	wild := func(sample stats.Sample) bool { return !finite(sample.Value) }
	if slices.ContainsFunc(s.Samples, wild) {
		s.Samples = slices.DeleteFunc(slices.Clone(s.Samples), wild)
	}
	if s.Durations != nil && !finite(s.Durations.Sum) {
		s.Durations = nil
	}
	return s
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// report asks all parts.
func (h *Handler) report() Report {
	sources, shots := h.snapshots()
	now := time.Now()
	h.history.look(now, shots)
	r := Report{Taken: now, Version: h.options.Version, AllowsActions: h.options.Actions,
		HashesKeys: h.options.HashKeys, Parts: make([]Part, len(shots)),
		LeftOut: len(sources) - len(shots)}
	for i, s := range shots {
		r.Parts[i] = h.part(sources[i], s, now)
	}
	return r
}

// part says what follows from a snapshot that was just taken.
func (h *Handler) part(source stats.Source, s stats.Snapshot, now time.Time) Part {
	p := Part{Snapshot: s, Saved: s.Saved(), LoadP50: s.Durations.Quantile(0.5),
		LoadP99: s.Durations.Quantile(0.99), LoadMean: s.Durations.Mean()}
	if s.Samples == nil {
		p.Samples = []stats.Sample{}
	}
	if ratio, ok := s.HitRatio(); ok {
		p.HitRatio = &ratio
	}
	p.remember(h.history.track(idOf(s)), sampleOf(s, now))
	if c, ok := source.(stats.Curver); ok {
		p.Curved = true
		p.Curve = h.curves.get(idOf(s), now, func() *stats.Curve { return curveOf(c) })
	}
	p.Inspectable = inspectorOf(source) != nil
	p.Advice = append([]stats.Advice{}, stats.Advise(s, p.Curve)...)
	return p
}

// remember says what follows from the past.
func (p *Part) remember(t track, now sample) {
	p.HitRatio1m = t.ratio(now, time.Minute)
	p.HitRatio10m = t.ratio(now, span)
	p.History = t.intervals()
	if last, ok := t.recent(now); ok {
		seconds := now.at.Sub(last.at).Seconds()
		requests := (now.requests - last.requests) / seconds
		loads := (now.loads - last.loads) / seconds
		p.RequestsPerSecond, p.LoadsPerSecond = &requests, &loads
	}
}

// curveOf returns the curve of a part; nil if it has none, or one that JSON cannot say.
func curveOf(source stats.Curver) *stats.Curve {
	c, ok := source.Curve()
	if !ok {
		return nil
	}
	sum := c.Ratio + c.Rate
	for _, p := range c.Points {
		sum += p.Ratio + p.Factor
	}
	for _, p := range c.Policies {
		sum += p.Ratio
	}
	if !finite(sum) {
		return nil
	}
	c.Points = append([]stats.Point{}, c.Points...)
	c.Policies = append([]stats.PolicyPoint{}, c.Policies...)
	return &c
}

// inspectorOf returns who answers questions about the keys of a part; nil if nobody does.
func inspectorOf(source stats.Source) stats.Inspector {
	if s, ok := source.(stats.Inspectable); ok {
		return s.Inspector()
	}
	return nil
}
