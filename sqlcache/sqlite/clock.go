// clock.go finds out whether functions of dates that are vouched for ask for the time of now.

package sqlite

import (
	"context"
	"regexp"
	"slices"

	"github.com/larder-go/larder/sqlcache"
)

// nowish finds what makes a date depend on the clock, or on the zone of the machine.
var nowish = regexp.MustCompile(`(?i)\b(now|subsec|subsecond|localtime|utc)\b`)

// asksClock reports whether a statement, or a view that it might use, has a word for now or calls
// a function of dates with too few arguments to name a time.
func asksClock(ctx context.Context, q sqlcache.Querier, text string) (bool, error) {
	if tellsNow(text) {
		return true, nil
	}
	return viewsAskClock(ctx, q)
}

// viewsAskClock looks at all views, since a program does not say which of them it was made of.
func viewsAskClock(ctx context.Context, q sqlcache.Querier) (bool, error) {
	rows, err := q.Query(ctx, "SELECT sql FROM main.sqlite_master WHERE type = 'view'")
	if err != nil {
		return false, err
	}
	for _, row := range rows {
		if tellsNow(text(row[0])) {
			return true, nil
		}
	}
	return false, nil
}

// tellsNow looks at one text.
func tellsNow(text string) bool {
	l := lexer{text: text}
	for t := l.next(); t.kind != end; t = l.next() {
		if t.kind == quoted && nowish.MatchString(t.text) {
			return true
		}
		if name := lower(unquote(t)); t.kind == word || t.kind == quoted {
			after := l
			if slices.Contains(timely, name) && lacksTime(name, &after) {
				return true
			}
		}
	}
	return false
}

// lacksTime reports whether a call of a function of dates, behind its name, names no time.
func lacksTime(name string, l *lexer) bool {
	if l.next().text != "(" {
		return false
	}
	needed := 1
	if name == "strftime" || name == "timediff" {
		needed = 2
	}
	return countArguments(l) < needed
}

// countArguments counts those of a call up to its closing parenthesis.
func countArguments(l *lexer) int {
	count, depth := 0, 0
	for t := l.next(); t.kind != end; t = l.next() {
		switch {
		case t.text == "(":
			depth++
		case t.text == ")" && depth == 0:
			return count
		case t.text == ")":
			depth--
		case t.text == "," && depth == 0:
			count++
		}
		if count == 0 {
			count = 1
		}
	}
	return 0
}
