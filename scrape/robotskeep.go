// robotskeep.go fetches the robots.txt of a host and keeps it for a day.

package scrape

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/time/rate"

	"github.com/larder-go/larder/store"
)

const (
	robotsTTL       = 24 * time.Hour      // RFC 9309 section 2.4
	robotsKept      = 30 * 24 * time.Hour // where the host is out of reach; section 2.3.1.4
	robotsRetry     = time.Minute         // before a host out of reach is asked again
	robotsRedirects = 5                   // section 2.3.1.2
	maxCrawlDelay   = 30 * time.Second
	robotsKeyPrefix = "scrape/robots "
)

// keptRobots is the last answer to the question for robots.txt.
type keptRobots struct {
	robots *Robots
	err    error
	until  time.Time
}

// robotsOf returns the rules of h: those in memory, in the store, or from the network. Whoever asks
// while somebody else is asking waits for that answer.
func (w *wire) robotsOf(ctx context.Context, h *host) (*Robots, error) {
	select {
	case h.asking <- struct{}{}:
		defer func() { <-h.asking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	now := time.Now()
	if now.Before(h.kept.until) {
		return h.kept.robots, h.kept.err
	}
	kept := w.loadRobots(ctx, h, now)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	h.kept = kept
	if kept.err == nil {
		w.obeyDelay(h, kept.robots.CrawlDelay(w.o.UserAgent))
	}
	return kept.robots, kept.err
}

// loadRobots asks the store, and the host where the store has nothing fresh. A copy that is older
// than a day still counts when the host is out of reach.
func (w *wire) loadRobots(ctx context.Context, h *host, now time.Time) keptRobots {
	key := robotsKeyPrefix + h.origin
	item, found := w.store.Get(ctx, key)
	if found == nil && item.Fresh(now) {
		return keptRobots{robots: ParseRobots(item.Value), until: item.FreshUntil}
	}
	body, err := w.fetchRobots(ctx, h)
	if err == nil {
		// A store that fails costs a request tomorrow, no page today.
		_ = w.store.Set(ctx, key, store.Item{
			Value: body, Created: now, FreshUntil: now.Add(robotsTTL), GoneAfter: now.Add(robotsKept),
		})
		return keptRobots{robots: ParseRobots(body), until: now.Add(robotsTTL)}
	}
	until := time.Now().Add(robotsRetry)
	if found == nil {
		return keptRobots{robots: ParseRobots(item.Value), until: until}
	}
	return keptRobots{err: err, until: until}
}

// fetchRobots asks h for its robots.txt. A host without one, and one that only redirects, allows
// everything; a host that is out of reach is an error.
func (w *wire) fetchRobots(ctx context.Context, h *host) ([]byte, error) {
	u, err := url.Parse(h.origin + "/robots.txt")
	if err != nil {
		return nil, err
	}
	for range robotsRedirects + 1 {
		res, err := w.askRobots(ctx, h, u)
		if err != nil {
			return nil, unreachable(err)
		}
		switch status := res.StatusCode; {
		case status >= 500 || status == http.StatusTooManyRequests:
			return nil, fmt.Errorf("%w: %d %s", ErrRobots, status, http.StatusText(status))
		case status < 300:
			return readUpTo(res, maxRobots)
		}
		next, err := redirectOf(res, u)
		if err != nil {
			return nil, unreachable(err)
		}
		if next == nil {
			return fmt.Appendf(nil, "# %s: everything is allowed\n", res.Status), nil
		}
		u = next
	}
	return []byte("# too many redirects: everything is allowed\n"), nil
}

// unreachable says that robots.txt could not be read. An address we must not dial says so itself.
func unreachable(err error) error {
	if inner, ok := errors.AsType[*fetchError](err); ok {
		err = inner.err
	}
	if errors.Is(err, ErrPrivateAddress) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrRobots, err)
}

// askRobots sends one request under the limits of the host of u, which after a redirect may be
// another than h.
func (w *wire) askRobots(ctx context.Context, h *host, u *url.URL) (*http.Response, error) {
	if o := origin(u); o != h.origin {
		h = w.hosts.get(o)
		defer w.hosts.put(h)
	}
	req, err := w.o.request(ctx, u)
	if err != nil {
		return nil, err
	}
	if err := w.guard(req); err != nil {
		return nil, err
	}
	return w.tries(req, h, readRobots)
}

// readRobots reads as much of a body as counts.
func readRobots(res *http.Response) ([]byte, error) { return readUpTo(res, maxRobots) }

// obeyDelay slows requests to h down to one each delay, or to Rate if that is slower.
func (w *wire) obeyDelay(h *host, delay time.Duration) {
	if delay > maxCrawlDelay {
		w.o.Notice(fmt.Sprintf("%s asks for a Crawl-delay of %v; %v are kept",
			h.origin, delay, maxCrawlDelay))
		delay = maxCrawlDelay
	}
	h.limiter.SetLimit(min(w.hosts.limit, rate.Every(delay)))
}
