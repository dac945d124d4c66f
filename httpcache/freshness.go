// freshness.go says how long a stored response is fresh, and how old it is.

package httpcache

import (
	"slices"
	"time"
)

const (
	// heuristicShare of the time since the last modification is a guess at the freshness lifetime
	// that RFC 9111, section 4.2.2, gives as typical.
	heuristicShare = 10
	// heuristicCap bounds that guess: the section asks for attention beyond 24 hours.
	heuristicCap = 24 * time.Hour
	// keepForValidation is how long a stale response with a validator is kept, so that a 304 can
	// save its body.
	keepForValidation = 30 * 24 * time.Hour
)

// rules are what RFC 9111 leaves to the kind of cache. Their methods are pure functions.
type rules struct {
	shared bool          // by more than one user; a Transport is private
	ttl    time.Duration // if positive, stands in for the freshness of what is no error

	// The rest is of shared caches.
	targets []string      // the fields of RFC 9213 that are for this cache
	guess   time.Duration // if positive, the freshness of a success that does not say so itself
	stale   time.Duration // how long it may be served while it is refreshed, if it does not say
	onError time.Duration // how long it may stand in for a failing origin, if it does not say
	scoped  bool          // the answers are for one scope, which the code has named
	named   bool          // the code names scopes, maybe that of everybody
	cookies Sharing       // whether responses that set a cookie are kept
	tags    []string      // surrogate keys of all responses

	tagFields []string // response fields that list surrogate keys
}

// overrides reports whether the ttl of the caller stands in for what s says of its freshness. It
// does not for an error: one that is over in a second must not be served for the whole ttl.
func (r rules) overrides(s *stored) bool { return r.ttl > 0 && s.status < 400 }

// lifetime is the freshness lifetime of s. A soft purge has ended it.
func (r rules) lifetime(s *stored) time.Duration {
	if !s.outdated.IsZero() {
		return min(r.givenLifetime(s), r.age(s, s.outdated))
	}
	return r.givenLifetime(s)
}

// givenLifetime is the freshness lifetime that s was given (RFC 9111, section 4.2.1).
func (r rules) givenLifetime(s *stored) time.Duration {
	switch {
	case r.overrides(s):
		return r.ttl
	case r.shared && s.cc.sMaxAge != absent:
		return s.cc.sMaxAge
	case s.cc.maxAge != absent:
		return s.cc.maxAge
	}
	if lines := s.header["Expires"]; len(lines) > 0 && s.target == "" {
		return expiresIn(lines, s.date)
	}
	if r.guesses(s) {
		return s.guess
	}
	return heuristicLifetime(s)
}

// guesses reports whether the caller's guess is the freshness of s, for want of anything better.
func (r rules) guesses(s *stored) bool {
	return s.guess > 0 && s.status < 300 && !s.explicit(r) && !s.cc.has(noCache)
}

// explicit reports whether s says itself how long it is fresh.
func (s *stored) explicit(r rules) bool {
	return r.shared && s.cc.sMaxAge != absent || s.cc.maxAge != absent ||
		s.header["Expires"] != nil && s.target == ""
}

// expiresIn is the lifetime that Expires gives. An invalid date, such as "0", is a time in the
// past (RFC 9111, section 5.3); so are dates that contradict each other.
func expiresIn(lines []string, date time.Time) time.Duration {
	for _, line := range lines[1:] {
		if line != lines[0] {
			return 0
		}
	}
	t, ok := parseDate(lines[0])
	if !ok {
		return 0
	}
	return between(date, t)
}

// heuristicLifetime is a tenth of the time between Last-Modified and Date, at most 24 hours, where
// the status or public permits a guess (RFC 9111, section 4.2.2).
func heuristicLifetime(s *stored) time.Duration {
	if !heuristicallyCacheable(s.status) && !s.cc.has(public) {
		return 0
	}
	modified, ok := parseDate(s.header.Get("Last-Modified"))
	if !ok {
		return 0
	}
	return min(between(modified, s.date)/heuristicShare, heuristicCap)
}

// heuristicStatuses may be stored without explicit freshness (RFC 9110, section 15.1); 206 is left
// out, since no part of a response is stored.
var heuristicStatuses = []int{200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501}

func heuristicallyCacheable(status int) bool { return slices.Contains(heuristicStatuses, status) }

// age is how old s is for the comparison with its lifetime. A ttl of the caller counts from when
// the response was received or validated here, whatever its age was then.
func (r rules) age(s *stored, now time.Time) time.Duration {
	if r.overrides(s) {
		return between(s.received, now)
	}
	return currentAge(s, now)
}

// currentAge is the time since s was generated or validated at the origin (RFC 9111, section
// 4.2.3).
func currentAge(s *stored, now time.Time) time.Duration {
	return initialAge(s) + between(s.received, now)
}

// initialAge is how old s was when it arrived: what Date says or what Age says, whichever is more.
// Date is in whole seconds, and so is the difference to it.
func initialAge(s *stored) time.Duration {
	apparent := between(s.date, s.received.Truncate(time.Second))
	delay := between(s.requested, s.received)
	return max(apparent, ageValue(s.header["Age"])+delay)
}

// between is the time from a to b, from nothing to 2^31 seconds: sums of such times cannot
// overflow.
func between(a, b time.Time) time.Duration { return min(max(b.Sub(a), 0), maxDelta) }

// ageValue reads an Age field: the first member of the first line, or nothing if that is not a
// number (RFC 9111, section 5.1).
func ageValue(lines []string) time.Duration {
	if len(lines) == 0 {
		return 0
	}
	member, _, _ := cutMember(lines[0])
	d, _ := deltaSeconds(member)
	return d
}

// freshUntil is when s turns stale; never before it was received.
func (r rules) freshUntil(s *stored) time.Time {
	if !r.overrides(s) && s.cc.has(noCache) {
		return s.received
	}
	return s.received.Add(max(r.lifetime(s)-r.age(s, s.received), 0))
}

// keepUntil is when s is of no more use: it is stale, and no validator or licence to serve it
// stale is left.
func (r rules) keepUntil(s *stored) time.Time {
	stale := max(r.onErrorWindow(s), r.whileWindow(s), 0)
	if s.validators() {
		stale = max(stale, keepForValidation)
	}
	return r.freshUntil(s).Add(stale)
}
