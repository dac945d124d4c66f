// warm_ask.go asks for the pages of warm, at the pace that their hosts want.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/scrape"
)

const (
	// maxRobotsBytes is how much of a robots.txt is read (RFC 9309 section 2.5).
	maxRobotsBytes = 500 << 10
	// maxCrawlDelay and maxPause are the longest waits that a host may ask for.
	maxCrawlDelay = 30 * time.Second
	maxPause      = time.Minute
	// maxHops is how many redirects of a page are followed.
	maxHops = 10
	// maxInARow is how many requests fail in a row before warm gives up: the host is down then.
	maxInARow = 20
)

// asker makes requests.
type asker struct {
	w      *warm
	pages  *http.Client // follows redirects on the same host
	files  *http.Client // of robots.txt and sitemaps, which may be elsewhere
	turns  turns
	robots onceEach[*scrape.Robots]
}

func newAsker(w *warm) *asker {
	way := w.transport()
	a := &asker{
		w:     w,
		pages: &http.Client{Transport: way, Timeout: time.Duration(w.timeout)},
		files: &http.Client{Transport: way, Timeout: time.Duration(w.timeout)},
	}
	a.pages.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		switch {
		case len(via) > maxHops:
			return fmt.Errorf("redirected more than %d times", maxHops)
		case req.URL.Host != via[0].URL.Host:
			return http.ErrUseLastResponse
		}
		return nil
	}
	return a
}

func (a *asker) close() { a.pages.CloseIdleConnections() }

// errDisallowed says that robots.txt disallows a page, which is nobody's failure.
var errDisallowed = errors.New("disallowed by robots.txt")

// pageOutcome says how a request went.
type pageOutcome string

const (
	pageHit        pageOutcome = "hit"    // the cache had it
	pageLoaded     pageOutcome = "loaded" // it has it now, if it may
	pageFailed     pageOutcome = "failed"
	pageDisallowed pageOutcome = "disallowed" // by robots.txt: not asked for
)

// reply is what became of a page in one variant.
type reply struct {
	URL          string      `json:"url"`
	Header       []string    `json:"header,omitempty"`   // what tells the variant from the others
	Requests     int         `json:"requests,omitempty"` // in the log
	Outcome      pageOutcome `json:"outcome"`
	Status       int         `json:"status,omitempty"`
	Bytes        int64       `json:"bytes"`
	Milliseconds int64       `json:"ms"`
	Error        string      `json:"error,omitempty"`

	err    error
	unkept bool
}

// ask asks for a page, and once more if the host wants a pause.
func (a *asker) ask(ctx context.Context, page wanted, header http.Header) reply {
	r := reply{URL: page.url.String(), Requests: page.requests}
	every, err := a.permission(ctx, page.url)
	if err != nil {
		return r.fail(err)
	}
	for again := 1; ; again-- {
		if err := a.turns.wait(ctx, page.url.Host, every); err != nil {
			return r.fail(err)
		}
		begun := time.Now()
		res, err := a.get(ctx, page.url, header, &r)
		r.Milliseconds = time.Since(begun).Milliseconds()
		if err != nil {
			return r.fail(err)
		}
		asked, busy := pauseOf(res, time.Now())
		if busy {
			a.turns.pause(page.url.Host, min(asked, maxPause))
		}
		if !busy || again == 0 || asked > maxPause {
			return r.judge(res)
		}
	}
}

// permission asks robots.txt, unless it is a cache of our own that is asked, and returns how long
// to wait between two requests.
func (a *asker) permission(ctx context.Context, u *url.URL) (every time.Duration, err error) {
	if a.w.throughURL != nil {
		return a.w.pause(0), nil
	}
	robots, err := a.robotsOf(ctx, u)
	if err != nil {
		return 0, fmt.Errorf("robots.txt: %s", warmTrouble(err))
	}
	if !robots.Allowed(a.w.userAgent(), u.RequestURI()) {
		return 0, errDisallowed
	}
	return a.w.pause(robots.CrawlDelay(a.w.userAgent())), nil
}

// get makes one request and reads its whole body: a cache may keep no other.
func (a *asker) get(
	ctx context.Context, u *url.URL, header http.Header, r *reply,
) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header = header.Clone()
	res, err := a.pages.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	r.Bytes, err = io.Copy(io.Discard, res.Body)
	if err != nil {
		return nil, &url.Error{Op: "Get", URL: u.String(), Err: err}
	}
	return res, nil
}

// pauseOf tells whether a host is busy, and how long it wants to be left alone.
func pauseOf(res *http.Response, now time.Time) (pause time.Duration, busy bool) {
	if res.StatusCode != http.StatusTooManyRequests &&
		res.StatusCode != http.StatusServiceUnavailable {
		return 0, false
	}
	text := res.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now)), true
	}
	return time.Second, true
}

func (r reply) fail(err error) reply {
	r.Outcome, r.err, r.Error = pageFailed, err, warmTrouble(err)
	if errors.Is(err, errDisallowed) {
		r.Outcome, r.Error = pageDisallowed, ""
	}
	return r
}

// judge says what a response means.
func (r reply) judge(res *http.Response) reply {
	r.Status = res.StatusCode
	switch {
	case res.StatusCode >= 400:
		return r.fail(errors.New(statusText(res.StatusCode)))
	case wasHit(res.Header):
		r.Outcome = pageHit
	default:
		r.Outcome, r.unkept = pageLoaded, mayNotBeKept(res.Header)
	}
	return r
}

func statusText(status int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
}

// wasHit tells whether a response came from a cache: by what the cache nearest to us says of it
// (RFC 9211 section 2), else by its age.
func wasHit(h http.Header) bool {
	if lines := h.Values("Cache-Status"); len(lines) > 0 {
		members := splitQuoted(strings.Join(lines, ","), ',')
		for _, param := range splitQuoted(members[len(members)-1], ';')[1:] {
			name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
			if name == "hit" && value != "?0" {
				return true
			}
		}
		return false
	}
	age, err := strconv.Atoi(h.Get("Age"))
	return err == nil && age > 0
}

// splitQuoted splits text at separators that are not in a quoted string. It returns one part at
// least.
func splitQuoted(text string, separator byte) (parts []string) {
	begin, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == separator && !quoted:
			parts = append(parts, text[begin:i])
			begin = i + 1
		}
	}
	return append(parts, text[begin:])
}

// mayNotBeKept tells whether a response is not for a shared cache, so that it was loaded in vain.
func mayNotBeKept(h http.Header) bool {
	for directive := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		directive = strings.ToLower(strings.TrimSpace(directive))
		if directive == "no-store" || directive == "private" {
			return true
		}
	}
	return false
}

// warmTrouble is the text of an error in the words of the command.
func warmTrouble(err error) string {
	var of *url.Error
	if errors.As(err, &of) {
		if of.Timeout() {
			return "not over in time (raise --timeout to wait longer)"
		}
		err = of.Err
	}
	text := strings.TrimPrefix(err.Error(), "scrape: ")
	return strings.ReplaceAll(text, "set AllowPrivate", "give --allow-private")
}
