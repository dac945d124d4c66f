// httpdate.go reads dates, in the three forms that HTTP ever had and in no other.

package httpcache

import (
	"strings"
	"time"
)

// parseDate reads a date as a recipient must (RFC 9110, section 5.6.7): "Sun, 06 Nov 1994 08:49:37
// GMT", or the obsolete "Sunday, 06-Nov-94 08:49:37 GMT" and "Sun Nov  6 08:49:37 1994". Names are
// read in any case; anything else that is not exactly of the form is no date, nor is a day that no
// calendar has. Whether the day of the week is the right one does not matter. Nothing is
// allocated.
//
// A year of two digits is understood as in the year of writing; parseDateAt knows better.
func parseDate(s string) (time.Time, bool) { return parseDateAt(s, writing) }

// writing is when this was written: a date with a two-digit year is one of 1977 to 2076.
var writing = time.Date(2026, time.December, 31, 0, 0, 0, 0, time.UTC)

// parseDateAt is parseDate at a time: a year of two digits that looks more than 50 years ahead of
// now is the last one before that ended so.
func parseDateAt(s string, now time.Time) (time.Time, bool) {
	if len(s) < 24 { // the shortest form
		return time.Time{}, false
	}
	switch {
	case s[3] == ',':
		return parseFixdate(s)
	case s[3] == ' ':
		return parseAsctime(s)
	}
	return parseRFC850(s, now)
}

// parseFixdate reads "Sun, 06 Nov 1994 08:49:37 GMT".
func parseFixdate(s string) (time.Time, bool) {
	if len(s) != 29 || !isWeekday(s[:3]) || s[3:5] != ", " || s[7] != ' ' || s[11] != ' ' ||
		s[16] != ' ' || !isGMT(s[25:]) {
		return time.Time{}, false
	}
	return makeDate(decimal(s[12:16]), monthOf(s[8:11]), decimal(s[5:7]), s[17:25])
}

// parseAsctime reads "Sun Nov  6 08:49:37 1994".
func parseAsctime(s string) (time.Time, bool) {
	if len(s) != 24 || !isWeekday(s[:3]) || s[3] != ' ' || s[7] != ' ' || s[10] != ' ' ||
		s[19] != ' ' {
		return time.Time{}, false
	}
	day := decimal(s[8:10])
	if s[8] == ' ' {
		day = decimal(s[9:10])
	}
	return makeDate(decimal(s[20:]), monthOf(s[4:7]), day, s[11:19])
}

// parseRFC850 reads "Sunday, 06-Nov-94 08:49:37 GMT".
func parseRFC850(s string, now time.Time) (time.Time, bool) {
	const rest = len(", 06-Nov-94 08:49:37 GMT")
	if len(s) < rest || !isLongWeekday(s[:len(s)-rest]) {
		return time.Time{}, false
	}
	s = s[len(s)-rest:]
	year := decimal(s[9:11])
	if s[:2] != ", " || s[4] != '-' || s[8] != '-' || s[11] != ' ' || !isGMT(s[20:]) || year < 0 {
		return time.Time{}, false
	}
	now = now.UTC()
	year += now.Year() / 100 * 100
	if year <= now.Year() { // it may be one of the next century
		year += 100
	}
	month, day, clock := monthOf(s[5:8]), decimal(s[2:4]), s[12:20]
	t, ok := makeDate(year, month, day, clock)
	if !ok || t.After(now.AddDate(50, 0, 0)) {
		return makeDate(year-100, month, day, clock)
	}
	return t, ok
}

// makeDate puts the parts of a date together, of which the numbers may be -1, and clock
// "08:49:37". A leap second, 60, is the first of the next minute.
func makeDate(year int, month time.Month, day int, clock string) (time.Time, bool) {
	hour, minute, second := decimal(clock[:2]), decimal(clock[3:5]), decimal(clock[6:])
	if year < 0 || month == 0 || day < 1 || day > daysIn(month, year) || clock[2] != ':' ||
		clock[5] != ':' || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
		second < 0 || second > 60 {
		return time.Time{}, false
	}
	return time.Date(year, month, day, hour, minute, second, 0, time.UTC), true
}

// daysIn returns how many days a month has.
func daysIn(month time.Month, year int) int {
	switch month {
	case time.April, time.June, time.September, time.November:
		return 30
	case time.February:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// decimal reads digits, or returns -1 if there is anything else.
func decimal(s string) int {
	n := 0
	for i := range len(s) {
		if !isDigit(s[i]) {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// monthOf returns the month with a name of three letters, or 0.
func monthOf(s string) time.Month {
	const names = "janfebmaraprmayjunjulaugsepoctnovdec"
	return time.Month(indexOf(s, names) + 1)
}

func isWeekday(s string) bool { return indexOf(s, "sunmontuewedthufrisat") >= 0 }

func isGMT(s string) bool { return len(s) == 4 && s[0] == ' ' && indexOf(s[1:], "gmt") == 0 }

// indexOf returns which of the names, of three letters each, s is in any case; -1 if none.
func indexOf(s, names string) int {
	a, b, c := s[0]|0x20, s[1]|0x20, s[2]|0x20
	if !isAlpha(s[0]) || !isAlpha(s[1]) || !isAlpha(s[2]) {
		return -1
	}
	for i := 0; i < len(names); i += 3 {
		if names[i] == a && names[i+1] == b && names[i+2] == c {
			return i / 3
		}
	}
	return -1
}

// isLongWeekday reports whether s is a day of the week in full, in any case.
func isLongWeekday(s string) bool {
	for _, day := range longWeekdays {
		if len(s) == len(day) && strings.EqualFold(s, day) { // of other lengths are other letters
			return true
		}
	}
	return false
}

var longWeekdays = [...]string{
	"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
}
