// httpdate_internal_test.go checks the reading of dates against RFC 9110, section 5.6.7.

package httpcache

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestParseDate(t *testing.T) {
	thatDay := time.Date(2050, time.August, 18, 2, 1, 18, 0, time.UTC)
	for _, tc := range []struct {
		in   string
		want time.Time // zero: it is no date
	}{
		{"Thu, 18 Aug 2050 02:01:18 GMT", thatDay},
		{"Thursday, 18-Aug-50 02:01:18 GMT", thatDay},
		{"Thu Aug 18 02:01:18 2050", thatDay},
		{"Mon Aug  8 02:01:18 2050", thatDay.AddDate(0, 0, -10)},
		{"Mon Aug 08 02:01:18 2050", thatDay.AddDate(0, 0, -10)},
		{"Tue, 19 Jan 2038 14:14:08 GMT", time.Date(2038, 1, 19, 14, 14, 8, 0, time.UTC)},
		{"Sun, 21 Nov 2286 04:46:39 GMT", time.Date(2286, 11, 21, 4, 46, 39, 0, time.UTC)},
		{"Sat, 01 Jan 0000 00:00:00 GMT", time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"Fri, 31 Dec 9999 23:59:59 GMT", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		// Names in another case, and the wrong day of the week.
		{"THU, 18 Aug 2050 02:01:18 GMT", thatDay},
		{"Thu, 18 AUG 2050 02:01:18 GMT", thatDay},
		{"Thu, 18 Aug 2050 02:01:18 gMT", thatDay},
		{"tHURSDAY, 18-aUG-50 02:01:18 gmt", thatDay},
		{"Mon, 18 Aug 2050 02:01:18 GMT", thatDay},
		// Days there are, and are not.
		{"Sat, 31 Dec 2016 23:59:60 GMT", time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"Tue, 29 Feb 2000 00:00:00 GMT", time.Date(2000, 2, 29, 0, 0, 0, 0, time.UTC)},
		{"Thu, 29 Feb 2024 00:00:00 GMT", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
		{"Thu, 29 Feb 2100 00:00:00 GMT", time.Time{}},
		{"Thu, 29 Feb 2023 00:00:00 GMT", time.Time{}},
		{"Thu, 31 Feb 2024 00:00:00 GMT", time.Time{}},
		{"Thu, 31 Apr 2024 00:00:00 GMT", time.Time{}},
		{"Thu, 00 Aug 2024 00:00:00 GMT", time.Time{}},
		{"Thu, 32 Aug 2024 00:00:00 GMT", time.Time{}},
		{"Thu, 18 Aug 2050 24:01:18 GMT", time.Time{}},
		{"Thu, 18 Aug 2050 02:60:18 GMT", time.Time{}},
		{"Thu, 18 Aug 2050 02:01:61 GMT", time.Time{}},
		{"Wednesday, 31-Feb-50 02:01:18 GMT", time.Time{}},
		{"Thu Aug  0 02:01:18 2050", time.Time{}},
		// Other forms.
		{"Thu, 18 Aug 2050 02:01:18 UTC", time.Time{}},
		{"Thu, 18 Aug 2050 02:01:18 AEST", time.Time{}},
		{"Thu, 18 Aug 2050 02:01:18 +0000", time.Time{}},
		{"Thu, 18 Aug 2050 02:01:18", time.Time{}},
		{"Thu, 18 Aug 50 02:01:18 GMT", time.Time{}},
		{"Thu 18 Aug 2050 02:01:18 GMT", time.Time{}},
		{"Thu, 18  Aug  2050 02:01:18 GMT", time.Time{}},
		{"Thu, 18-Aug-2050 02:01:18 GMT", time.Time{}},
		{"Thursday, 18-Aug-2050 02:01:18 GMT", time.Time{}},
		{"Thursday, 18 Aug 2050 02:01:18 GMT", time.Time{}},
		{"Thu, 18-Aug-50 02:01:18 GMT", time.Time{}},
		{"Thu, 18 Aug 2050 02.01.18 GMT", time.Time{}},
		{"Thu, 18 Aug 2050 2:01:18 GMT", time.Time{}},
		{"Thu, 18 Aug 2050 2:01:18 GMT, Thu, 18 Aug 2050 2:01:19 GMT", time.Time{}},
		{"Thu,  8 Aug 2050 02:01:18 GMT", time.Time{}},
		{"Thu Aug  8 02:01:18 50", time.Time{}},
		{"Thu Aug  8 02:01:18 2050 GMT", time.Time{}},
		{"Xyz, 18 Aug 2050 02:01:18 GMT", time.Time{}},
		{"Xyzday, 18-Aug-50 02:01:18 GMT", time.Time{}},
		{"Tue\u017fday, 18-Aug-50 02:01:18 GMT", time.Time{}},
		{"Thu, 18 Xyz 2050 02:01:18 GMT", time.Time{}},
		{"Thu, 18 anf 2050 02:01:18 GMT", time.Time{}}, // across two names
		{"Thu, -8 Aug 2050 02:01:18 GMT", time.Time{}},
		{"Thu, 18 Aug +050 02:01:18 GMT", time.Time{}},
		{" Thu, 18 Aug 2050 02:01:18 GMT", time.Time{}},
		{"2050-08-18T02:01:18Z", time.Time{}},
		{"2545012878000000000000000", time.Time{}},
		{"0", time.Time{}},
		{"-1", time.Time{}},
		{"", time.Time{}},
	} {
		got, ok := parseDate(tc.in)
		if !got.Equal(tc.want) || ok == tc.want.IsZero() {
			t.Errorf("parseDate(%q) = %v, %v, want %v", tc.in, got, ok, tc.want)
		}
	}
}

func TestYearOfTwoDigitsIsAtMostFiftyYearsAhead(t *testing.T) {
	for _, tc := range []struct {
		in   string
		now  int
		want int
	}{
		{"Sunday, 06-Nov-94 08:49:37 GMT", 1994, 1994},
		{"Sunday, 06-Nov-94 08:49:37 GMT", 2026, 1994},
		{"Sunday, 06-Nov-94 08:49:37 GMT", 2044, 2094},
		{"Sunday, 06-Nov-94 08:49:37 GMT", 2043, 1994},
		{"Sunday, 06-Nov-00 08:49:37 GMT", 1999, 2000},
		{"Sunday, 06-Nov-76 08:49:37 GMT", 2026, 2076},
		{"Sunday, 06-Nov-77 08:49:37 GMT", 2026, 1977},
		{"Sunday, 06-Nov-30 08:49:37 GMT", 2090, 2130},
		{"Tuesday, 29-Feb-00 08:49:37 GMT", 2060, 2000}, // 2100 has none
	} {
		now := time.Date(tc.now, time.December, 1, 0, 0, 0, 0, time.UTC)
		if got, ok := parseDateAt(tc.in, now); !ok || got.Year() != tc.want {
			t.Errorf("%s in %d: got %v, %v, want %d", tc.in, tc.now, got, ok, tc.want)
		}
	}
}

func TestParseDateAllocatesNothing(t *testing.T) {
	n := testing.AllocsPerRun(100, func() { parseDate("Thu, 18 Aug 2050 02:01:18 GMT") })
	if n != 0 {
		t.Errorf("%v objects, want none", n)
	}
}

func BenchmarkParseDate(b *testing.B) {
	const date = "Thu, 18 Aug 2050 02:01:18 GMT"
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			parseDate(date)
		}
	})
	b.Run("net/http", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			http.ParseTime(date)
		}
	})
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{
		"Thu, 18 Aug 2050 02:01:18 GMT", "Thursday, 18-Aug-50 02:01:18 GMT",
		"Thu Aug  8 02:01:18 2050", "Wednesday, 29-Feb-00 02:01:18 GMT", "Thu,", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := parseDate(s)
		if !ok {
			return
		}
		if again, ok := parseDate(got.Format(http.TimeFormat)); got.Year() < 10_000 &&
			(!ok || !again.Equal(got)) {
			t.Fatalf("%q is %v, then %v", s, got, again)
		}
		theirs, err := http.ParseTime(s)
		if err == nil && !strings.Contains(s, "-") && !theirs.Equal(got) { // "-": another century
			t.Fatalf("%q is %v, for net/http %v", s, got, theirs)
		}
	})
}
