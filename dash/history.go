// history.go remembers ten minutes of requests while somebody looks.

package dash

import (
	"math"
	"sync"
	"time"

	"github.com/larder-go/larder/stats"
)

const (
	step  = 5 * time.Second  // between samples
	span  = 10 * time.Minute // of the history
	watch = 15 * time.Minute // after the last request, samples are taken by themselves
)

// id tells parts apart.
type id struct{ kind, name string }

func idOf(s stats.Snapshot) id { return id{s.Kind, s.Name} }

// sample is what a part had counted at a time.
type sample struct {
	at                    time.Time
	requests, hits, loads float64
}

func sampleOf(s stats.Snapshot, at time.Time) sample {
	requests := s.Sum(stats.Requests)
	ratio, _ := s.HitRatio()
	return sample{at, requests, math.Round(ratio * requests), s.Sum(stats.Loads)}
}

// Interval is what happened between two samples, which are five seconds apart while somebody looks.
type Interval struct {
	End      int64   `json:"t"` // Unix time in milliseconds
	Requests float64 `json:"requests"`
	Hits     float64 `json:"hits"`
}

// track is the samples of a part, the oldest first: those of the last ten minutes.
type track []sample

// with returns the track with one more sample, unless the last one is too recent. Numbers that
// went down are those of a new part by the old name.
func (t track) with(s sample) track {
	if len(t) > 0 {
		last := t[len(t)-1]
		if s.requests < last.requests || s.loads < last.loads {
			t = nil
		} else if s.at.Sub(last.at) < step*9/10 {
			return t
		}
	}
	for len(t) > 0 && s.at.Sub(t[0].at) > span {
		t = t[1:]
	}
	return append(t, s)
}

// ratio returns the share of hits since about a time ago; nil if nobody asked since, or if less
// than half of that time is known.
func (t track) ratio(now sample, ago time.Duration) *float64 {
	for _, s := range t {
		age := now.at.Sub(s.at)
		if age > ago+step/2 {
			continue
		}
		if age < ago/2 || now.requests <= s.requests {
			return nil
		}
		r := (now.hits - s.hits) / (now.requests - s.requests)
		return &r
	}
	return nil
}

// recent returns the sample to reckon rates from: not so near that chance rules, nor long ago.
func (t track) recent(now sample) (sample, bool) {
	for i := len(t) - 1; i >= 0; i-- {
		if age := now.at.Sub(t[i].at); age >= step*4/5 {
			return t[i], age <= 6*step
		}
	}
	return sample{}, false
}

// intervals returns what happened between the samples.
func (t track) intervals() []Interval {
	all := make([]Interval, 0, len(t))
	for i := 1; i < len(t); i++ {
		all = append(all, Interval{t[i].at.UnixMilli(), t[i].requests - t[i-1].requests,
			t[i].hits - t[i-1].hits})
	}
	return all
}

// history holds the tracks of all parts. Requests take samples; a timer does between them, so that
// the page has no gaps when it was hidden, and ends by itself.
type history struct {
	take func() []stats.Snapshot

	mu     sync.Mutex // guards the fields below
	tracks map[id]track
	looked time.Time // when somebody did last
	timer  *time.Timer
	closed bool
}

// look takes note of parts that somebody looks at.
func (h *history) look(now time.Time, shots []stats.Snapshot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.noteLocked(now, shots)
	h.looked = now
	if h.timer == nil && !h.closed {
		h.timer = time.AfterFunc(step, h.tick)
	}
}

// tick takes a sample while nobody asks. A part that panics must not end the program from here: it
// does so again in the request of whoever looks, and is heard of there.
func (h *history) tick() {
	defer func() {
		if recover() != nil {
			h.close()
		}
	}()
	shots, now := h.take(), time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.noteLocked(now, shots)
	switch {
	case h.closed:
	case now.Sub(h.looked) > watch:
		h.timer = nil
	default:
		h.timer.Reset(step)
	}
}

// noteLocked adds a sample to each track. What is no part any more is forgotten.
func (h *history) noteLocked(now time.Time, shots []stats.Snapshot) {
	tracks := make(map[id]track, len(shots))
	for _, s := range shots {
		tracks[idOf(s)] = h.tracks[idOf(s)].with(sampleOf(s, now))
	}
	h.tracks = tracks
}

// track returns the samples of a part. They are not to be changed.
func (h *history) track(of id) track {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tracks[of]
}

func (h *history) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	if h.timer != nil {
		h.timer.Stop()
	}
}
