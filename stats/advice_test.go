// advice_test.go says for each rule with which numbers it speaks, and with which it is silent.

package stats_test

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/larder-go/larder/stats"
)

func of(samples ...stats.Sample) stats.Snapshot { return stats.Snapshot{Samples: samples} }

// asked is a part with so many hits and misses.
func asked(hits, misses float64, more ...stats.Sample) stats.Snapshot {
	more = append(more, stats.Requests.Of(stats.Hit, hits), stats.Requests.Of(stats.Miss, misses))
	return of(more...)
}

// withLoads adds a load that took so long.
func withLoads(s stats.Snapshot, took time.Duration) stats.Snapshot {
	s.Durations = histogramOf(took)
	return s
}

// missed is a part with half of its 2000 requests missed, n of them for a reason, the others for
// another.
func missed(n float64, reason, other string) stats.Snapshot {
	return asked(1000, 1000, stats.Misses.Of(reason, n), stats.Misses.Of(other, 1000-n))
}

// curve is one of LRU with 50 % hits now.
func curve(half, twice float64, others ...stats.PolicyPoint) *stats.Curve {
	return &stats.Curve{
		Policy: "LRU", Size: 100, Ratio: 0.5,
		Points:   []stats.Point{{50, 0.5, half}, {100, 1, 0.5}, {200, 2, twice}},
		Policies: others,
	}
}

// saying is one case of a topic: what is said, "" for nothing.
type saying struct {
	name  string
	s     stats.Snapshot
	curve *stats.Curve
	level stats.Level
	text  string
}

func TestAdviseAboutUse(t *testing.T) {
	checkSayings(t, stats.AboutUse, []saying{
		{name: "nobody asked"},
		{name: "no requests", s: asked(0, 0)},
		{"few requests", asked(0, 999), nil, stats.Good, "999 requests are too few to judge by."},
		{"no hits", asked(0, 1000), nil, stats.Warn, "It saves nothing: 0 hits in 1 000 requests."},
		{"hardly a hit", asked(3, 9997), nil, stats.Warn,
			"It saves nothing: 3 hits in 10 000 requests."},
		{"a hit in a hundred", asked(10, 990), nil, stats.Good,
			"It answered 1.0 % of 1 000 requests."},
		{"hits", asked(1_234_567, 0), nil, stats.Good,
			"It answered 100.0 % of 1 234 567 requests."},
		{"hits and loads", withLoads(asked(800, 200), 250*time.Millisecond), nil, stats.Good,
			"It answered 80.0 % of 1 000 requests and saved about 3m20s of loading."},
		{"hits for days", withLoads(asked(864_000, 0), time.Second), nil, stats.Good,
			"It answered 100.0 % of 864 000 requests and saved about 10 days of loading."},
		{"more than a Duration", withLoads(asked(1e12, 0), time.Minute), nil, stats.Good,
			"It answered 100.0 % of 1 000 000 000 000 requests and saved about 106752 days of" +
				" loading."},
	})
}

func TestAdviseAboutMissesOfWhatWasNeverThere(t *testing.T) {
	first := "It answered 50.0 % of 2 000 requests."
	text := "80.0 % of misses ask for something that was never there: only warming or prefetching" +
		" helps against those."
	speaks := missed(800, stats.MissNew, stats.MissEvicted)
	checkSaid(t, "most", speaks, nil, stats.AboutUse, stats.Good, first, text)
	less := missed(799, stats.MissNew, stats.MissEvicted)
	checkSaid(t, "less", less, nil, stats.AboutUse, stats.Good, first)
	few := asked(1901, 99, stats.Misses.Of(stats.MissNew, 99))
	checkSaid(t, "few", few, nil, stats.AboutUse, stats.Good,
		"It answered 95.0 % of 2 000 requests.")
	fine := asked(99_200, 800, stats.Misses.Of(stats.MissNew, 800))
	checkSaid(t, "fine", fine, nil, stats.AboutUse, stats.Good,
		"It answered 99.2 % of 100 000 requests.")
}

func TestAdviseAboutWhatIsNotKept(t *testing.T) {
	speaks := of(stats.NotKept.Of("cookie", 20), stats.NotKept.Of("private", 100),
		stats.NotKept.Of("large", 99))
	checkSaid(t, "many", speaks, nil, stats.AboutUse, stats.Hint,
		"219 results were not kept, most of them for this reason: private.")
	few := of(stats.NotKept.Of("cookie", 99), stats.NotKept.Of("private", 99))
	checkSaid(t, "few of each", few, nil, stats.AboutUse, stats.Hint)
}

func TestAdviseAboutSize(t *testing.T) {
	room := func(used, limit, left float64) stats.Snapshot {
		return of(stats.Weight.Is(used), stats.WeightLimit.Is(limit),
			stats.Departures.Of(stats.LeftRoom, left))
	}
	same := "Half the size costs 1.2 points; twice gains 1.9 points."
	checkSayings(t, stats.AboutSize, []saying{
		{name: "nothing is known"},
		{"room", room(49, 100, 0), nil, stats.Good,
			"It uses 49.0 % of its room, and nothing had to leave for room yet."},
		{"room is told before what a curve says", room(1, 100, 0), curve(0.1, 0.9), stats.Good,
			"It uses 1.0 % of its room, and nothing had to leave for room yet."},
		{name: "room, but it was full", s: room(49, 100, 1)},
		{name: "used by half", s: room(50, 100, 0)},
		{name: "no bound", s: room(49, 0, 0)},
		{"twice gains", room(50, 100, 0), curve(0.4, 0.52), stats.Hint,
			"Half the size costs 10.0 points; twice gains 2.0 points. It should be larger."},
		{"twice gains, half costs nothing", room(100, 100, 9), curve(0.5, 0.6), stats.Hint,
			"Half the size costs 0.0 points; twice gains 10.0 points. It should be larger."},
		{"half costs nothing", room(100, 100, 9), curve(0.496, 0.501), stats.Hint,
			"Half the size costs 0.4 points; twice gains 0.1 points. It could be smaller."},
		{"half is better", room(100, 100, 9), curve(0.6, 0.49), stats.Hint,
			"Half the size costs 0.0 points; twice gains 0.0 points. It could be smaller."},
		{"right as it is", room(100, 100, 9), curve(0.488, 0.519), stats.Good, same},
		{"one point", room(100, 100, 9), curve(0.49, 0.501), stats.Good,
			"Half the size costs 1.0 point; twice gains 0.1 points."},
		{name: "a curve without twice the size", curve: &stats.Curve{
			Ratio: 0.5, Points: []stats.Point{{Factor: 0.5, Ratio: 0.1}}}},
		{"too heavy", of(stats.Refused.Is(1500)), nil, stats.Warn,
			"1 500 values were heavier than all the room there is, and are loaded each time."},
		{name: "none too heavy", s: of(stats.Refused.Is(0))},
	})
}

func TestAdviseAboutPolicy(t *testing.T) {
	point := func(name string, ratio float64) stats.PolicyPoint {
		return stats.PolicyPoint{Policy: name, Ratio: ratio}
	}
	own := point("LRU", 0.5)
	none := "No other policy would gain as much as 0.5 points."
	checkSayings(t, stats.AboutPolicy, []saying{
		{name: "no curve"},
		{name: "no policies", curve: curve(0.4, 0.6)},
		{"another", of(), curve(0.4, 0.6, point("S3-FIFO", 0.522), own), stats.Hint,
			"S3-FIFO would gain 2.2 points here."},
		{"hardly better", of(), curve(0.4, 0.6, point("S3-FIFO", 0.504), own), stats.Good, none},
		{"the best", of(), curve(0.4, 0.6, own, point("S3-FIFO", 0.4)), stats.Good, none},
	})
}

func TestAdviseAboutTTL(t *testing.T) {
	checkSayings(t, stats.AboutTTL, []saying{
		{name: "nothing is known"},
		{"expiries", missed(710, stats.MissExpired, stats.MissNew), nil, stats.Hint,
			"71.0 % of misses are expiries: the TTL is too short for how often this is read."},
		{"half are", missed(500, stats.MissExpired, stats.MissNew), nil, stats.Hint,
			"50.0 % of misses are expiries: the TTL is too short for how often this is read."},
		{name: "less", s: missed(499, stats.MissExpired, stats.MissNew)},
		{"deletions", missed(600, stats.MissDeleted, stats.MissNew), nil, stats.Hint,
			"60.0 % of misses ask for what was deleted: delete fewer keys at a time, or refresh" +
				" them instead."},
		{name: "fewer deletions", s: missed(499, stats.MissDeleted, stats.MissNew)},
		{name: "few misses", s: asked(500, 500, stats.Misses.Of(stats.MissExpired, 99))},
		{name: "hardly a miss", s: asked(99_991, 900, stats.Misses.Of(stats.MissExpired, 900))},
	})
}

func TestAdviseAboutLoads(t *testing.T) {
	loads := func(ok, failed float64) stats.Snapshot {
		return of(stats.Loads.Of(stats.LoadOK, ok), stats.Loads.Of(stats.LoadError, failed))
	}
	ahead := func(used, wasted float64) stats.Snapshot {
		return of(stats.Prefetches.Of("used", used), stats.Prefetches.Of("wasted", wasted))
	}
	checkSayings(t, stats.AboutLoads, []saying{
		{name: "nothing is known"},
		{"failures", loads(1200, 300), nil, stats.Warn, "300 of 1 500 loads failed."},
		{name: "a tenth failed", s: loads(90, 10)},
		{name: "few loads", s: loads(0, 9)},
		{"ten loads", loads(0, 10), nil, stats.Warn, "10 of 10 loads failed."},
		{"for nothing", ahead(120, 1300), nil, stats.Hint,
			"1 300 items were loaded ahead and never asked for, 120 were."},
		{name: "as many were used", s: ahead(1300, 1300)},
		{name: "a few for nothing", s: ahead(0, 99)},
		{"stale", asked(500, 500, stats.StaleUsed.Is(101)), nil, stats.Hint,
			"101 of 1 000 requests got a stale value: refreshes do not keep up, or the origin" +
				" fails."},
		{name: "a tenth was stale", s: asked(500, 500, stats.StaleUsed.Is(100))},
		{name: "stale, but few requests", s: asked(500, 499, stats.StaleUsed.Is(999))},
		{"coalesced", of(stats.Requests.Of(stats.Coalesced, 100)), nil, stats.Good,
			"100 loads were spared since another was under way."},
		{name: "few coalesced", s: of(stats.Requests.Of(stats.Coalesced, 99))},
	})
}

func TestAdviseAboutTheStore(t *testing.T) {
	store := func(hits, failed float64) stats.Snapshot {
		return of(stats.StoreRequests.Of("hit", hits), stats.StoreRequests.Of("error", failed))
	}
	alone := "The store fails and is left alone: every miss goes to the origin until it answers again."
	checkSayings(t, stats.AboutStore, []saying{
		{name: "nothing is known"},
		{"left alone", of(stats.BreakerOpen.Is(1)), nil, stats.Warn, alone},
		{"probed", of(stats.BreakerOpen.Is(0.5)), nil, stats.Warn, alone},
		{name: "all is well", s: of(stats.BreakerOpen.Is(0), stats.Up.Is(1), stats.Linked.Is(1),
			stats.Lost.Is(0), stats.StoreDamaged.Is(0))},
		{"down", of(stats.Up.Is(0)), nil, stats.Warn, "It does not answer."},
		{"errors", store(1980, 20), nil, stats.Warn, "20 of 2 000 requests to the store failed."},
		{name: "less than one in a hundred", s: store(1981, 19)},
		{name: "no errors", s: store(5, 0)},
		{"not linked", of(stats.Linked.Is(0)), nil, stats.Warn, "Changes by others are not heard now:" +
			" entries live only for a moment, so that nothing old is served."},
		{"lost", of(stats.Lost.Is(1)), nil, stats.Warn,
			"1 values never reached the origin: writing behind gave them up."},
		{"damaged", of(stats.StoreDamaged.Is(2)), nil, stats.Warn,
			"2 stored values were damaged or somebody else's: look who writes there."},
	})
}

// checkSayings fails t where the advice of a topic is not what a case wants.
func checkSayings(t *testing.T, about stats.Topic, all []saying) {
	t.Helper()
	for _, c := range all {
		var texts []string
		if c.text != "" {
			texts = []string{c.text}
		}
		checkSaid(t, c.name, c.s, c.curve, about, c.level, texts...)
	}
}

// checkSaid fails t if the texts are not all that is said about a topic, at that level.
func checkSaid(t *testing.T, name string, s stats.Snapshot, curve *stats.Curve, about stats.Topic,
	level stats.Level, texts ...string,
) {
	t.Helper()
	var got, want []stats.Advice
	for _, a := range stats.Advise(s, curve) {
		if a.About == about {
			got = append(got, a)
		}
	}
	for _, text := range texts {
		want = append(want, stats.Advice{About: about, Level: level, Text: text})
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, want)
	}
}

// sick is a part that has everything that is spoken of, but what says "it is too little to say".
func sick() (stats.Snapshot, *stats.Curve) {
	s := asked(20_000, 10_000,
		stats.Requests.Of(stats.Coalesced, 500),
		stats.Misses.Of(stats.MissExpired, 5000), stats.Misses.Of(stats.MissDeleted, 5000),
		stats.Loads.Of(stats.LoadOK, 5000), stats.Loads.Of(stats.LoadError, 5000),
		stats.BreakerOpen.Is(1), stats.Linked.Is(0), stats.Lost.Is(3), stats.StoreDamaged.Is(1),
		stats.Refused.Is(4), stats.StaleUsed.Is(9000), stats.NotKept.Of("private", 1000),
		stats.Prefetches.Of("wasted", 500), stats.Weight.Is(100), stats.WeightLimit.Is(100),
	)
	return s, curve(0.2, 0.8, stats.PolicyPoint{Policy: "LFU", Ratio: 0.6})
}

func TestAdviseTellsWhatMattersMostFirst(t *testing.T) {
	var got []string
	for _, a := range stats.Advise(sick()) {
		got = append(got, fmt.Sprint(a.Level, " ", a.About))
	}
	want := []string{
		"warn store", "warn store", "warn store", "warn store", "warn size", "warn loads",
		"hint ttl", "hint ttl", "hint size", "hint policy", "hint use", "hint loads", "hint loads",
		"good use", "good loads",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}

// TestAdviseIsPure asks twice, and compares its arguments with a copy.
func TestAdviseIsPure(t *testing.T) {
	s, c := sick()
	before, again := s.Samples, *c
	before = slices.Clone(before)
	first := stats.Advise(s, c)
	if second := stats.Advise(s, c); !reflect.DeepEqual(first, second) {
		t.Errorf("first\n%v, then\n%v", first, second)
	}
	if !slices.Equal(s.Samples, before) || !reflect.DeepEqual(*c, again) {
		t.Error("it has changed its arguments")
	}
}

// FuzzAdviseHasNoBadNumbers gives it numbers that no part should report: a page must not show NaN,
// and the texts must be fit for JSON.
func FuzzAdviseHasNoBadNumbers(f *testing.F) {
	f.Add(0.0, 0.0, 0.0, 0.0, 0.0)
	f.Add(1e18, 1e18, 1e300, 1.0, 0.1)
	f.Add(1000.0, 1000.0, 1.0, -1.0, 2.0)
	f.Fuzz(func(t *testing.T, hits, misses, weight, half, twice float64) {
		for _, n := range []float64{hits, misses, weight, half, twice} {
			if math.IsNaN(n) || math.IsInf(n, 0) {
				t.Skip("statstest finds those")
			}
		}
		s := asked(hits, misses, stats.Misses.Of(stats.MissExpired, misses), stats.Weight.Is(weight),
			stats.WeightLimit.Is(100), stats.Refused.Is(hits))
		s.Durations = &stats.Histogram{Count: 1, Sum: math.Abs(weight)}
		for _, a := range stats.Advise(s, curve(half, twice)) {
			if _, err := json.Marshal(a); err != nil || a.Text == "" {
				t.Errorf("%v: %v", a, err)
			}
		}
		if s.Saved() < 0 && hits >= 0 && misses >= 0 {
			t.Errorf("saved %v", s.Saved())
		}
	})
}
