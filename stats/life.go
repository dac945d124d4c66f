// life.go tells the life of a key in sentences.

package stats

import (
	"fmt"
	"strings"
	"time"
)

// Sentences says what a Life means, for people: whether the key is there and for how long, why it is
// not, and what its loads have cost.
func (l Life) Sentences() []string {
	all := []string{l.whether()}
	if l.State != "absent" {
		all = append(all, l.howLong()...)
	}
	if l.Loads > 0 && l.LastLoad != nil {
		all = append(all, l.loadsCost())
	}
	if l.InStore != nil {
		all = append(all, l.stored())
	}
	return all
}

// whether says whether the key is there, and if not, why.
func (l Life) whether() string {
	switch l.State {
	case "fresh":
		return "It is in memory and fresh."
	case "due":
		return "It is in memory and fresh; the next hit refreshes it behind."
	case "stale":
		return "It is in memory and stale: it is served while it is refreshed behind."
	case "kept":
		return "It is in memory and too old to be served, unless the origin fails."
	case "negative":
		return "It is remembered that the origin has no such thing."
	}
	if why, ok := reasons[l.Missed]; ok {
		return "It is not in memory: " + why
	}
	return "It is not in memory."
}

// reasons say why something is not there.
var reasons = map[string]string{
	MissNew:     "it was never there, or so long ago that nobody remembers.",
	MissEvicted: "it had to leave to make room for others. A larger cache would still have it.",
	MissExpired: "its time was up. A longer TTL would have kept it.",
	MissDeleted: "somebody deleted it, by its key, its tag or with everything.",
	MissFailed:  "its last load failed.",
}

func (l Life) howLong() (all []string) {
	if l.Age > 0 {
		all = append(all, "It was loaded "+short(l.Age)+" ago.")
	}
	switch {
	case l.Forever:
		all = append(all, "It does not expire.")
	case l.TTL > 0 && l.Leaves > l.TTL:
		all = append(all, fmt.Sprintf("It is fresh for %s more, and leaves in %s.", short(l.TTL),
			short(l.Leaves)))
	case l.TTL > 0:
		all = append(all, "It expires in "+short(l.TTL)+".")
	case l.Leaves > 0:
		all = append(all, fmt.Sprintf("It was fresh until %s ago, and leaves in %s.", short(-l.TTL),
			short(l.Leaves)))
	}
	if len(l.Tags) > 0 {
		all = append(all, "Its tags: "+strings.Join(l.Tags, ", ")+".")
	}
	if l.Hits > 0 {
		all = append(all, "Hits, about: "+count(float64(l.Hits))+".")
	}
	return all
}

func (l Life) loadsCost() string {
	times := "once"
	if l.Loads > 1 {
		times = fmt.Sprintf("%d times", l.Loads)
	}
	text := fmt.Sprintf("As far as is remembered it was loaded %s; the last load took %s", times,
		short(l.LastLoad.Took))
	if l.LastLoad.Err != "" {
		return text + " and failed: " + l.LastLoad.Err + "."
	}
	return text + "."
}

func (l Life) stored() string {
	switch {
	case !*l.InStore:
		return "The second level does not have it."
	case l.StoreTTL > 0:
		return "The second level has it for " + short(l.StoreTTL) + " more."
	}
	return "The second level has it."
}

// digits are how exactly a duration is told, from the longest on.
var digits = []struct{ from, to time.Duration }{
	{10 * time.Hour, time.Hour}, {time.Hour, time.Minute},
	{10 * time.Minute, time.Minute}, {time.Minute, time.Second},
	{10 * time.Second, time.Second}, {time.Second, 100 * time.Millisecond},
	{10 * time.Millisecond, time.Millisecond}, {time.Millisecond, 100 * time.Microsecond},
	{10 * time.Microsecond, time.Microsecond}, {time.Microsecond, 100 * time.Nanosecond},
}

// short writes a duration with two or three digits that matter.
func short(d time.Duration) string {
	for _, digit := range digits {
		if d >= digit.from {
			d = d.Round(digit.to)
			break
		}
	}
	text := d.String()
	if before, ok := strings.CutSuffix(text, "m0s"); ok {
		text = before + "m"
	}
	if before, ok := strings.CutSuffix(text, "h0m"); ok {
		text = before + "h"
	}
	return text
}
