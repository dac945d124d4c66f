// errors.go names what can go wrong, in one line each: what, where, what to do.

package scrape

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

var (
	// ErrURL is returned for an address that is malformed, too long or holds a user name.
	ErrURL = errors.New("not an address to fetch")
	// ErrScheme is returned for an address that is neither http nor https.
	ErrScheme = errors.New("only http and https are fetched")
	// ErrDisallowed is returned for a page that the robots.txt of its host keeps from us.
	ErrDisallowed = errors.New("disallowed by robots.txt")
	// ErrRobots is returned for a page of a host whose robots.txt cannot be read just now: until
	// it can, everything counts as disallowed (RFC 9309 section 2.3.1.4).
	ErrRobots = errors.New("robots.txt is out of reach, so nothing is fetched from this host for now")
	// ErrPrivateAddress is returned for a host in a private network, or this machine.
	ErrPrivateAddress = errors.New("not a public address (set AllowPrivate to reach it)")
	// ErrBodyTooLarge is returned for a page longer than Options.MaxBody.
	ErrBodyTooLarge = errors.New("body too large (raise MaxBody to fetch it)")
	// ErrNotCached is returned in Offline mode for a page that the store does not hold fresh.
	ErrNotCached = errors.New("not in the cache, and Offline is set")
	// ErrRedirect is returned for a redirect that loops, leads nowhere or follows ten others.
	ErrRedirect = errors.New("redirected in vain")
	// ErrBusy is returned when a host asks for a pause longer than Options.MaxWait.
	ErrBusy = errors.New("the host asks for a longer pause than MaxWait")
	// ErrTimeout is returned when a request is not over after Options.Timeout. It wraps
	// context.DeadlineExceeded.
	ErrTimeout = fmt.Errorf("not over in time (raise Timeout to wait longer): %w",
		context.DeadlineExceeded)
	// ErrEncoding is returned for a body in a Content-Encoding that nobody asked for.
	ErrEncoding = errors.New("unasked Content-Encoding")
)

// StatusError is returned for a page that ends in a status other than 2xx.
type StatusError struct {
	Status int
	URL    string // the address that answered so, after all redirects
}

// Error implements error.
func (e *StatusError) Error() string {
	return fmt.Sprintf("scrape: %s: %d %s", e.URL, e.Status, http.StatusText(e.Status))
}

// fetchError says which address an error belongs to. The cache above may wrap it once more; Fetch
// takes it out again, so that users read one line.
type fetchError struct {
	url string
	err error
}

func (e *fetchError) Error() string { return "scrape: " + e.url + ": " + e.err.Error() }
func (e *fetchError) Unwrap() error { return e.err }

// Refused reports whether it was not the host or the network that failed: we did not want to ask,
// or not to take the answer. Then a cache must not answer in place of the host, stale.
func (e *fetchError) Refused() bool {
	if errors.Is(e.err, ErrRobots) {
		return false // the host is out of reach, whatever kept us from its robots.txt
	}
	return slices.ContainsFunc(refusals, func(r error) bool { return errors.Is(e.err, r) })
}

// refusals are the errors that are no failures.
var refusals = []error{
	ErrURL, ErrScheme, ErrDisallowed, ErrPrivateAddress, ErrBodyTooLarge, ErrEncoding, ErrNotCached,
}

// failed returns err as an error of url, naming the innermost address if it names one already.
func failed(url string, err error) error {
	if inner, ok := errors.AsType[*fetchError](err); ok {
		return inner
	}
	return &fetchError{url: url, err: err}
}

// busyError says how long a host wants to be left alone.
func busyError(wait, most time.Duration) error {
	return fmt.Errorf("%w: asked for %v, MaxWait is %v", ErrBusy, wait.Round(time.Second), most)
}
