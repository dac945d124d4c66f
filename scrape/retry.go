// retry.go decides what is worth another try, and how long to wait for it, without any clock.

package scrape

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = 30 * time.Second
)

// isBusy reports whether a status says that the same request may succeed later.
func isBusy(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// isTemporary reports whether a request that failed with err may succeed later. A timeout of the
// whole request is not tried again: the host has had its chance.
func isTemporary(err error) bool {
	if errors.Is(err, ErrTimeout) || errors.Is(err, ErrPrivateAddress) {
		return false
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return !dns.IsNotFound
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	_, ok := errors.AsType[net.Error](err)
	return ok
}

// retryAfter returns how long a Retry-After header asks to wait, 0 if it asks for nothing. It is
// written in seconds or as a date (RFC 9110 section 10.2.3).
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	seconds, err := strconv.ParseUint(value, 10, 32)
	if err == nil || errors.Is(err, strconv.ErrRange) { // then it is the largest number
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}

// backoff returns the wait before try n+1, which doubles each time, less up to half by chance so
// that clients that failed together do not come back together.
func backoff(n int) time.Duration {
	d := maxBackoff
	if n < 8 {
		d = min(d, firstBackoff<<n)
	}
	return d - rand.N(d/2)
}

// sleep waits for d or until ctx is done, and then returns its error.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
