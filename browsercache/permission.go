// permission.go writes Cache-Control, and knows no way to write one that contradicts itself.

package browsercache

import (
	"fmt"
	"strings"
	"time"
)

// Permission says who may keep a response and for how long. Its String is the value of
// Cache-Control. Permissions are made by Public, Private, Immutable, NoCache, PrivateNoCache and
// NoStore, and are values: a method returns another one, and goroutines may share one.
type Permission interface {
	fmt.Stringer
	private() string // the same for one browser alone
}

// fixed is a Permission of which there is nothing more to say.
type fixed struct{ text, alone string }

// String returns the value of Cache-Control.
func (f fixed) String() string { return f.text }

func (f fixed) private() string { return f.alone }

// Immutable lets everybody keep a response for a year and never ask again. It is for what has
// another URL when it changes: Assets serves it so.
func Immutable() Permission {
	const year = "max-age=31536000, immutable"
	return fixed{"public, " + year, "private, " + year}
}

// NoCache lets everybody keep a response who asks each time whether it still holds. With an ETag
// that costs a round trip and no body.
func NoCache() Permission { return fixed{"no-cache", "private, no-cache"} }

// PrivateNoCache is NoCache for the browser of one user: nothing shared may keep it.
func PrivateNoCache() Permission { return fixed{"private, no-cache", "private, no-cache"} }

// NoStore lets nobody keep a response. It also keeps most browsers from going back to the page at
// once, so it is for what must not lie on a disk; for what merely changes there is NoCache.
func NoStore() Permission { return fixed{"no-store", "no-store"} }

// PublicPermission is a Permission for browsers and whatever is shared between them and the origin.
type PublicPermission struct {
	ages   ages
	shared *int64 // s-maxage in seconds
}

// PrivatePermission is a Permission for the browser of one user.
type PrivatePermission struct{ ages ages }

// Public lets everybody keep a response for maxAge. Like all times here it is cut to whole seconds,
// and panics if it is negative.
func Public(maxAge time.Duration) PublicPermission {
	return PublicPermission{ages: agesOf(maxAge)}
}

// Private lets the browser keep a response for maxAge, and nobody else.
func Private(maxAge time.Duration) PrivatePermission {
	return PrivatePermission{agesOf(maxAge)}
}

// SharedFor lets shared caches, such as a CDN, keep the response for d instead. Taken literally, it
// forbids them to serve it stale (RFC 9111, section 5.2.2.10); those of CDNs do all the same where
// StaleWhileRevalidate or StaleIfError says so.
func (p PublicPermission) SharedFor(d time.Duration) PublicPermission {
	s := seconds("SharedFor", d)
	p.shared = &s
	return p
}

// StaleWhileRevalidate lets the response be served for d after its time, while somebody asks for a
// new one behind (RFC 5861). It panics unless d is at least a second, and after MustRevalidate.
func (p PublicPermission) StaleWhileRevalidate(d time.Duration) PublicPermission {
	p.ages = p.ages.whileRevalidate(d)
	return p
}

// StaleIfError lets the response be served for d after its time where the origin fails (RFC 5861).
// It panics unless d is at least a second, and after MustRevalidate.
func (p PublicPermission) StaleIfError(d time.Duration) PublicPermission {
	p.ages = p.ages.ifError(d)
	return p
}

// MustRevalidate forbids to serve the response after its time, whatever happens. It panics after
// StaleWhileRevalidate and StaleIfError.
func (p PublicPermission) MustRevalidate() PublicPermission {
	p.ages = p.ages.mustRevalidate()
	return p
}

// String returns the value of Cache-Control.
func (p PublicPermission) String() string {
	text := "public, " + p.ages.String()
	if p.shared != nil {
		text += fmt.Sprintf(", s-maxage=%d", *p.shared)
	}
	return text
}

func (p PublicPermission) private() string { return PrivatePermission{p.ages}.String() }

// StaleWhileRevalidate is that of PublicPermission.
func (p PrivatePermission) StaleWhileRevalidate(d time.Duration) PrivatePermission {
	return PrivatePermission{p.ages.whileRevalidate(d)}
}

// StaleIfError is that of PublicPermission.
func (p PrivatePermission) StaleIfError(d time.Duration) PrivatePermission {
	return PrivatePermission{p.ages.ifError(d)}
}

// MustRevalidate is that of PublicPermission.
func (p PrivatePermission) MustRevalidate() PrivatePermission {
	return PrivatePermission{p.ages.mustRevalidate()}
}

// String returns the value of Cache-Control.
func (p PrivatePermission) String() string { return "private, " + p.ages.String() }

func (p PrivatePermission) private() string { return p.String() }

// ages says for how long, in seconds.
type ages struct {
	max                 int64
	whileStale, onError int64 // 0: not at all
	must                bool
}

func agesOf(max time.Duration) ages { return ages{max: seconds("max-age", max)} }

func (a ages) whileRevalidate(d time.Duration) ages {
	a.whileStale = a.stale("StaleWhileRevalidate", d)
	return a
}

func (a ages) ifError(d time.Duration) ages {
	a.onError = a.stale("StaleIfError", d)
	return a
}

func (a ages) stale(what string, d time.Duration) int64 {
	if a.must {
		panic("browsercache: " + what + " contradicts MustRevalidate")
	}
	s := seconds(what, d)
	if s == 0 {
		panic("browsercache: " + what + " of less than a second")
	}
	return s
}

func (a ages) mustRevalidate() ages {
	if a.whileStale > 0 || a.onError > 0 {
		panic("browsercache: MustRevalidate contradicts StaleWhileRevalidate and StaleIfError")
	}
	a.must = true
	return a
}

// String returns the directives.
func (a ages) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "max-age=%d", a.max)
	if a.whileStale > 0 {
		fmt.Fprintf(&b, ", stale-while-revalidate=%d", a.whileStale)
	}
	if a.onError > 0 {
		fmt.Fprintf(&b, ", stale-if-error=%d", a.onError)
	}
	if a.must {
		b.WriteString(", must-revalidate")
	}
	return b.String()
}

// seconds returns d in whole seconds, at most 2^31: more than that no cache need understand (RFC
// 9111, section 1.2.2).
func seconds(what string, d time.Duration) int64 {
	if d < 0 {
		panic(fmt.Sprintf("browsercache: %s is negative: %v", what, d))
	}
	return min(int64(d/time.Second), 1<<31)
}
