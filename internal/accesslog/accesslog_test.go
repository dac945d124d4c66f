// accesslog_test.go reads lines that servers wrote, and lines that somebody made them write.

package accesslog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/accesslog"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

const at = `[20/Nov/2026:13:00:00 +0100]`

func TestParseReadsTheFormats(t *testing.T) {
	page := accesslog.Entry{Time: noon, Method: "GET", Target: "/a?b=c", Status: 200}
	hosted := page
	hosted.Host = "example.com"
	secure := hosted
	secure.Scheme = "https"
	timeless := hosted
	timeless.Time = time.Time{}
	for line, want := range map[string]accesslog.Entry{
		`192.0.2.1 - - ` + at + ` "GET /a?b=c HTTP/1.1" 200 5`:                           page,
		`192.0.2.1 - - ` + at + ` "GET /a?b=c HTTP/2.0" 200 - "http://r/" "Agent \"x\""`: page,
		`::1 - - ` + at + ` "GET /a?b=c" 200 5`:                                          page,
		`192.0.2.1 - a b ` + at + ` "GET /a?b=c HTTP/1.1" 200 5`:                         page,
		`Example.com:443 192.0.2.1 - - ` + at + ` "GET /a?b=c HTTP/1.1" 200 5`:           secure,
		`example.com 2001:db8::1 - - ` + at + ` "GET /a?b=c HTTP/1.1" 200 5`:             hosted,
		`192.0.2.1 - - ` + at + ` "GET https://example.com/a?b=c HTTP/1.1" 200 5`:        secure,
		// nginx, with a template of one's own
		`{"time_iso8601":"2026-11-20T13:00:00+01:00","request_method":"GET",` +
			`"request_uri":"/a?b=c","status":"200","host":"example.com"}`: hosted,
		`{"time_local":"20/Nov/2026:13:00:00 +0100","request":"GET /a?b=c HTTP/1.1",` +
			`"status":200,"server_name":"_"}`: page,
		`{"uri":"/a","args":"b=c","method":"GET","status":200,"host":"example.com"}`: timeless,
		// Caddy
		`{"level":"info","ts":1795176000.0,"request":{"method":"GET","host":"example.com",` +
			`"uri":"/a?b=c","headers":{"X":["y"]}},"status":200}`: hosted,
		// Traefik
		`{"DownstreamStatus":200,"RequestHost":"example.com","RequestMethod":"GET",` +
			`"RequestPath":"/a?b=c","RequestScheme":"https",` +
			`"StartUTC":"2026-11-20T12:00:00Z"}`: secure,
		`{"msec":"1795176000000","url":"http://example.com:443/a?b=c","method":"GET","code":200}`: {
			Time: noon, Scheme: "http", Host: "example.com", Method: "GET", Target: "/a?b=c",
			Status: 200},
	} {
		got, err := accesslog.Parse(line)
		if got.Time = got.Time.UTC(); want.Time.IsZero() {
			got.Time = want.Time
		}
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", line, got, err, want)
		}
	}
}

func TestParseRefusesWhatIsNoWholeRequest(t *testing.T) {
	for _, line := range []string{
		"", "-", "http://example.com/", "{", "{}", "[]", `{"request":{}}`,
		`192.0.2.1 - - "GET / HTTP/1.1" 200 5`,
		`192.0.2.1 - - [yesterday] "GET / HTTP/1.1" 200 5`,
		`192.0.2.1 - - ` + at + ` "GET / HTTP/1.1"`,
		`192.0.2.1 - - ` + at + ` "GET / HTTP/1.1" ok 5`,
		`192.0.2.1 - - ` + at + ` "GET / HTTP/1.1" 99 5`,
		`192.0.2.1 - - ` + at + ` "-" 400 0`,
		`192.0.2.1 - - ` + at + ` "\x16\x03\x01" 400 0`,
		`192.0.2.1 - - ` + at + ` "GET" 400 0`,
		`192.0.2.1 - - ` + at + ` "get / HTTP/1.1" 200 0`,
		`192.0.2.1 - - ` + at + ` "GET /a b HTTP/1.1" 200 0`,
		`192.0.2.1 - - ` + at + ` "GET /\x22 HTTP/1.1" 200 0`,
		`192.0.2.1 - - ` + at + ` "OPTIONS * HTTP/1.1" 200 0`,
		`192.0.2.1 - - ` + at + ` "CONNECT a:443 HTTP/1.1" 200 0`,
		`192.0.2.1 - - ` + at + ` "GET /` + strings.Repeat("x", 5000) + ` HTTP/1.1" 200 0`,
		`{"uri":"/\r\nX: y","method":"GET","status":200}`,
		`{"uri":"/","method":"GET","status":{}}`,
		`{"uri":"/","method":7,"status":200}`,
	} {
		if got, err := accesslog.Parse(line); !errors.Is(err, accesslog.ErrFormat) {
			t.Errorf("%.100s: got %+v, %v", line, got, err)
		}
	}
}

func TestParseTakesNoHostThatIsNone(t *testing.T) {
	for _, host := range []string{"-", "_", "a/b", "a@b", "a b", `a\"b`, `a\n`} {
		got, err := accesslog.Parse(`{"uri":"/","method":"GET","status":200,"host":"` + host + `"}`)
		if err != nil || got.Host != "" {
			t.Errorf("%s: got %+v, %v", host, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`example.com:443 192.0.2.1 - - ` + at + ` "GET /a?b=c HTTP/1.1" 200 5 "-" "Agent"`)
	f.Add(`{"ts":1795176000.5,"request":{"method":"GET","host":"a","uri":"/"},"status":200}`)
	f.Add(`{"msec":"1e308","request":"GET / HTTP/1.1","status":"200"}`)
	f.Fuzz(func(t *testing.T, line string) {
		e, err := accesslog.Parse(line)
		if err != nil {
			if !errors.Is(err, accesslog.ErrFormat) {
				t.Fatalf("%q: %v", line, err)
			}
			return
		}
		if e.Method == "" || e.Status < 100 || e.Status > 999 || e.Target[0] != '/' ||
			strings.ContainsAny(e.Target+e.Host, "\r\n\x00 ") {
			t.Fatalf("%q: got %+v", line, e)
		}
	})
}

func TestHeatRanksNewRequestsHigher(t *testing.T) {
	var h accesslog.Heat
	add := func(url string, n int, age time.Duration) {
		for range n {
			h.Add(url, noon.Add(-age))
		}
	}
	const day = 24 * time.Hour
	add("/last-week", 1000, 7*day) // weighs 8
	add("/yesterday", 10, 0)
	add("/both", 3, 0)
	add("/both", 12, day) // weighs 9 in all
	add("/long-ago", 1000, 5000*day)
	h.Add("/b", noon)
	h.Add("/a", noon)
	want := "[{/yesterday 10} {/both 15} {/last-week 1000} {/a 1} {/b 1} {/long-ago 1000}]"
	if got := fmt.Sprint(h.Hottest()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestHeatCountsWhatHasNoTime(t *testing.T) {
	var h accesslog.Heat
	for _, url := range []string{"/b", "/a", "/a"} {
		h.Add(url, time.Time{})
	}
	if got := fmt.Sprint(h.Hottest()); got != "[{/a 2} {/b 1}]" {
		t.Errorf("got %s", got)
	}
}

func BenchmarkParse(b *testing.B) {
	for name, line := range map[string]string{
		"combined": `192.0.2.1 - - ` + at + ` "GET /a?b=c HTTP/2.0" 200 512 "http://r/" "Mozilla"`,
		"json": `{"level":"info","ts":1795176000.5,"request":{"method":"GET","host":"a",` +
			`"uri":"/x"},"status":200,"size":512}`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(line)))
			for b.Loop() {
				if _, err := accesslog.Parse(line); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
