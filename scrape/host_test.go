// host_test.go tests waits in a bubble of testing/synctest, where they cost no time.

package scrape_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/scrape"
)

// fakeHost answers in memory and notes when it was asked for what.
type fakeHost struct {
	answer func(path string, nth int) (*http.Response, error)
	robots string
	takes  time.Duration

	mu     sync.Mutex // guards the fields below
	asked  map[string]int
	at     []time.Time // of requests for pages
	flying int
	most   int
}

func (h *fakeHost) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Path == "/robots.txt" && h.robots != "" {
		return reply(200, h.robots), nil
	}
	h.mu.Lock()
	if h.asked == nil {
		h.asked = map[string]int{}
	}
	h.asked[req.URL.Path]++
	nth := h.asked[req.URL.Path]
	if req.URL.Path != "/robots.txt" {
		h.at = append(h.at, time.Now())
	}
	h.flying++
	h.most = max(h.most, h.flying)
	h.mu.Unlock()
	defer func() { h.mu.Lock(); h.flying--; h.mu.Unlock() }()
	select {
	case <-time.After(h.takes):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	if h.answer == nil {
		return reply(200, req.URL.Path), nil
	}
	return h.answer(req.URL.Path, nth)
}

func reply(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: h,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

const openRobots = "User-agent: *\nDisallow:\n"

// fetchAll fetches paths of one host at once and returns the errors by path.
func fetchAll(f *scrape.Fetcher, paths ...string) map[string]error {
	errs := map[string]error{}
	var urls []string
	for _, p := range paths {
		urls = append(urls, "https://example.org"+p)
	}
	for url, r := range f.All(context.Background(), slices.Values(urls)) {
		errs[strings.TrimPrefix(url, "https://example.org")] = r.Err
	}
	return errs
}

func wantNone(t *testing.T, errs map[string]error) {
	t.Helper()
	for path, err := range errs {
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func wantGaps(t *testing.T, at []time.Time, want time.Duration) {
	t.Helper()
	for i := 1; i < len(at); i++ {
		if gap := at[i].Sub(at[i-1]); gap < want-time.Millisecond {
			t.Errorf("request %d came %v after the one before, want %v", i, gap, want)
		}
	}
}

func TestRateSpacesRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &fakeHost{robots: openRobots}
		f := scrape.New(scrape.Options{Transport: h, Rate: 2})
		defer f.Close()
		start := time.Now()
		wantNone(t, fetchAll(f, "/1", "/2", "/3", "/4", "/5"))
		wantGaps(t, h.at, 500*time.Millisecond)
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("five pages took %v", took)
		}
	})
}

func TestCrawlDelayIsKeptUpToItsCap(t *testing.T) {
	for asked, want := range map[string]time.Duration{"7": 7 * time.Second, "900": 30 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			h := &fakeHost{robots: "User-agent: *\nCrawl-delay: " + asked}
			var notices []string
			f := scrape.New(scrape.Options{Transport: h, Notice: func(s string) {
				notices = append(notices, s)
			}})
			defer f.Close()
			wantNone(t, fetchAll(f, "/1", "/2", "/3"))
			wantGaps(t, h.at, want)
			if total := h.at[2].Sub(h.at[0]); total != 2*want {
				t.Errorf("three pages took %v, want %v", total, 2*want)
			}
			if told := len(notices) == 1; told != (asked == "900") {
				t.Errorf("Crawl-delay %s: notices = %q", asked, notices)
			}
		})
	}
}

func TestPerHostBoundsWhatIsInFlight(t *testing.T) {
	for _, c := range []struct {
		o    scrape.Options
		want int
	}{
		{scrape.Options{}, 8}, {scrape.Options{Jobs: 3}, 3}, {scrape.Options{PerHost: 1}, 1},
		{scrape.Options{Rate: 1000}, 2}, {scrape.Options{Rate: 1000, PerHost: 4}, 4},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := &fakeHost{robots: openRobots, takes: time.Second}
			c.o.Transport = h
			f := scrape.New(c.o)
			defer f.Close()
			var paths []string
			for i := range 20 {
				paths = append(paths, "/"+string(rune('a'+i)))
			}
			wantNone(t, fetchAll(f, paths...))
			if h.most != c.want {
				t.Errorf("%+v: %d requests in flight, want %d", c.o, h.most, c.want)
			}
		})
	}
}

func TestRetryAfterPausesTheWholeHost(t *testing.T) {
	date := func() string { return time.Now().Add(10 * time.Second).UTC().Format(http.TimeFormat) }
	for name, after := range map[string]func() string{
		"seconds": func() string { return "10" }, "date": date,
	} {
		synctest.Test(t, func(t *testing.T) {
			h := &fakeHost{robots: openRobots}
			h.answer = func(path string, _ int) (*http.Response, error) {
				if len(h.at) == 1 {
					return reply(503, "", "Retry-After", after()), nil
				}
				return reply(200, path), nil
			}
			f := scrape.New(scrape.Options{Transport: h, PerHost: 1})
			defer f.Close()
			wantNone(t, fetchAll(f, "/1", "/2", "/3"))
			if gap := h.at[1].Sub(h.at[0]); gap < 9*time.Second || gap > 11*time.Second {
				t.Errorf("%s: the second request came after %v, want 10s", name, gap)
			}
			if len(h.at) != 4 {
				t.Errorf("%s: %d requests for three pages and one retry", name, len(h.at))
			}
		})
	}
}

func TestAHostThatAsksForTooMuchIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &fakeHost{robots: openRobots, answer: func(string, int) (*http.Response, error) {
			return reply(429, "", "Retry-After", "3600"), nil
		}}
		f := scrape.New(scrape.Options{Transport: h, PerHost: 1})
		defer f.Close()
		start := time.Now()
		for path, err := range fetchAll(f, "/1", "/2") {
			wantError(t, err, scrape.ErrBusy, path, "1h0m0s", "MaxWait is 1m0s")
		}
		if len(h.at) != 1 || time.Since(start) > time.Second {
			t.Errorf("%d requests in %v, want 1 at once", len(h.at), time.Since(start))
		}
	})
}

func TestAPauseWithoutEndIsTheLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &fakeHost{robots: openRobots, answer: func(string, int) (*http.Response, error) {
			return reply(503, "", "Retry-After", "99999999999999999999"), nil
		}}
		f := scrape.New(scrape.Options{Transport: h})
		defer f.Close()
		wantError(t, fetchAll(f, "/1")["/1"], scrape.ErrBusy)
		if len(h.at) != 1 {
			t.Errorf("%d requests, want 1", len(h.at))
		}
	})
}

func TestBusyAndBrokenHostsAreTriedAgain(t *testing.T) {
	broken := io.ErrUnexpectedEOF
	for _, c := range []struct {
		name    string
		answer  func(nth int) (*http.Response, error)
		retries int
		want    int // requests
		status  int
		err     error
	}{
		{"502 then fine", func(n int) (*http.Response, error) {
			return reply([]int{502, 504, 200}[n-1], ""), nil
		}, 0, 3, 200, nil},
		{"always 503", always(503), 0, 4, 503, nil},
		{"never again", always(503), -1, 1, 503, nil},
		{"500 is final", always(500), 0, 1, 500, nil},
		{"always cut", func(int) (*http.Response, error) { return nil, broken }, 1, 2, 0, broken},
		{"a certificate", func(int) (*http.Response, error) { return nil, errBadCertificate },
			0, 1, 0, errBadCertificate},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := &fakeHost{robots: openRobots}
			h.answer = func(_ string, nth int) (*http.Response, error) { return c.answer(nth) }
			f := scrape.New(scrape.Options{Transport: h, Retries: c.retries})
			defer f.Close()
			start := time.Now()
			p, err := f.Fetch(t.Context(), "https://example.org/x")
			status := 0
			if p != nil {
				status = p.Status
			} else if e, ok := errors.AsType[*scrape.StatusError](err); ok {
				status = e.Status
			}
			if len(h.at) != c.want || status != c.status || c.err != nil && !errors.Is(err, c.err) {
				t.Errorf("%s: %d requests, %v, want %d, %d, %v", c.name, len(h.at), err,
					c.want, c.status, c.err)
			}
			if least := 250 * time.Millisecond * time.Duration(c.want-1); time.Since(start) < least {
				t.Errorf("%s: tried again after %v", c.name, time.Since(start))
			}
		})
	}
}

func always(status int) func(int) (*http.Response, error) {
	return func(int) (*http.Response, error) { return reply(status, ""), nil }
}

var errBadCertificate = errors.New("x509: certificate is for somebody else")

func TestRobotsIsAskedOnceByMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &fakeHost{takes: time.Second, answer: func(path string, _ int) (*http.Response, error) {
			if path == "/robots.txt" {
				return reply(404, ""), nil
			}
			return reply(200, path), nil
		}}
		f := scrape.New(scrape.Options{Transport: h})
		defer f.Close()
		wantNone(t, fetchAll(f, "/1", "/2", "/3", "/4"))
		if h.asked["/robots.txt"] != 1 {
			t.Errorf("robots.txt was asked for %d times", h.asked["/robots.txt"])
		}
	})
}

func TestRobotsIsKeptForADayAndLongerIfOutOfReach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		status := 200
		h := &fakeHost{answer: func(path string, _ int) (*http.Response, error) {
			if path == "/robots.txt" {
				return reply(status, "User-agent: *\nDisallow: /no"), nil
			}
			return reply(200, path), nil
		}}
		f := scrape.New(scrape.Options{Transport: h, Retries: -1})
		defer f.Close()
		ask := func(path string) error { return fetchAll(f, path)[path] }
		for hour, want := range []int{1, 1, 2} {
			if err := ask("/a"); err != nil {
				t.Fatal(err)
			}
			if got := h.asked["/robots.txt"]; got != want {
				t.Errorf("after %d × 12 h: %d requests for robots.txt, want %d", hour, got, want)
			}
			time.Sleep(12*time.Hour + time.Minute)
		}
		status = 500
		time.Sleep(24 * time.Hour)
		if err := ask("/b"); err != nil {
			t.Errorf("an old robots.txt does not count while there is no new one: %v", err)
		}
		if err := ask("/no"); !errors.Is(err, scrape.ErrDisallowed) {
			t.Errorf("error = %v, want ErrDisallowed", err)
		}
		time.Sleep(31 * 24 * time.Hour)
		if err := ask("/c"); !errors.Is(err, scrape.ErrRobots) {
			t.Errorf("after a month without robots.txt: error = %v, want ErrRobots", err)
		}
	})
}

func TestCancellingEndsAWaitAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &fakeHost{robots: "User-agent: *\nCrawl-delay: 30"}
		f := scrape.New(scrape.Options{Transport: h})
		defer f.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start, failed := time.Now(), 0
		urls := []string{"https://example.org/1", "https://example.org/2", "https://example.org/3"}
		for _, r := range f.All(ctx, slices.Values(urls)) {
			if errors.Is(r.Err, context.DeadlineExceeded) {
				failed++
			}
		}
		if failed != 2 || time.Since(start) != time.Second {
			t.Errorf("%d pages failed after %v, want 2 after 1s", failed, time.Since(start))
		}
	})
}
