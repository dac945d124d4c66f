// explain_key_print.go tells the life of a key: what the next request gets, why, and what would help.

package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/larder-go/larder/stats"
)

// maxWhy is how many sentences of a program are shown.
const maxWhy = 16

// life returns what is known of a key as text.
func (p *page) life(l *lifeOf) string {
	key := printable(strings.ToValidUTF8(l.Key[:min(len(l.Key), maxRow)], ""))
	for _, line := range wrapped(key+" "+verdictOf(&l.Life), p.width) {
		fmt.Fprintln(p, p.paint(line, bold))
	}
	fmt.Fprintln(p)
	p.row("cache", bold, l.Cache+", "+l.Kind)
	label := "now"
	for _, sentence := range l.sentences() {
		p.row(label, bold, sentence)
		label = ""
	}
	p.row("last load", bold, lastLoad(l.LastLoad))
	if todo := l.whatToDo(); todo != "" {
		fmt.Fprintln(p)
		p.row("to do", cyan, todo)
	}
	return p.String()
}

// sentences are those of the program, or ours if it has none.
func (l *lifeOf) sentences() []string {
	if len(l.Why) > 0 {
		return l.Why[:min(len(l.Why), maxWhy)]
	}
	return l.Sentences()
}

// verdictOf says what the next request for the key gets.
func verdictOf(l *stats.Life) string {
	if l.State == "absent" && l.InStore != nil && *l.InStore {
		return "is not in memory: the next request gets it from the second level"
	}
	if words := verdicts[l.State]; words != "" {
		return words
	}
	return "is " + printable(l.State) // of a program that is newer than this one
}

// verdicts are by state.
var verdicts = map[string]string{
	"absent":   "is not there: the next request loads it",
	"fresh":    "is there: the next request gets it",
	"due":      "is there: the next request gets it, and it is refreshed behind",
	"stale":    "is there, stale: the next request gets it, and it is refreshed behind",
	"kept":     "is there, too old: the next request loads it, and gets the old one if that fails",
	"negative": "is known to be absent: the next request hears so, and the origin is not asked",
}

func lastLoad(l *stats.Load) string {
	if l == nil {
		return ""
	}
	text := l.At.Local().Format(time.DateTime) + ", took " + shortTime(l.Took)
	if l.Err != "" {
		text += ", failed: " + l.Err
	}
	return text
}

// whatToDo says what would help, if anything should.
func (l *lifeOf) whatToDo() string {
	switch {
	case l.LastLoad != nil && l.LastLoad.Err != "" && l.State != "fresh":
		return "mend the load that fails"
	case l.State == "kept" && l.Kind == stats.HTTP:
		return "stale-while-revalidate in its Cache-Control serves it at once, and refreshes it behind"
	case l.State == "kept":
		return "a longer Stale serves it at once, and refreshes it behind"
	case l.State == "negative":
		return "if the origin has it by now, delete the key, or shorten NegativeTTL"
	case l.State != "absent":
		return ""
	case l.Missed == "" && l.Kind == stats.Memory:
		return "set Options.Observe, to learn why keys are missed"
	}
	if l.Kind == stats.HTTP {
		return remediesOfPages[l.Missed]
	}
	return remedies[l.Missed]
}

// remedies are what helps against misses by their reason.
var remedies = map[string]string{
	stats.MissNew:     "nothing, if it is asked for once; else warm it before anybody asks",
	stats.MissEvicted: "a larger cache: larder top shows what other sizes and policies would hit",
	stats.MissExpired: "a longer TTL; or RefreshAhead or Stale, so that nobody waits for its load",
	stats.MissDeleted: "look at what deletes it, if it should have stayed",
	stats.MissFailed:  "look at what its load returns",
}

// remediesOfPages are what helps if the keys are URLs.
var remediesOfPages = map[string]string{
	stats.MissNew:     "nothing, if it is asked for once; else larder warm asks before anybody does",
	stats.MissEvicted: remedies[stats.MissEvicted],
	stats.MissExpired: "a longer max-age, or stale-while-revalidate: see larder explain URL",
	stats.MissDeleted: "look at what purges it, if it should have stayed",
	stats.MissFailed:  "larder explain URL says why it may not be kept",
}
