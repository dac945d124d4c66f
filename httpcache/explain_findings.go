// explain_findings.go finds what is wrong with a response in the eyes of caches, field by field.

package httpcache

import (
	"cmp"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode"
)

// maxFindings bounds how many findings a hostile header makes.
const maxFindings = 64

// find notes a finding, each once, with args in the places that its What has for them.
func (q *inquiry) find(f Finding, args ...any) {
	if len(args) > 0 {
		f.What = fmt.Sprintf(f.What, args...)
	}
	same := func(old Finding) bool { return old.ID == f.ID && old.What == f.What }
	if len(q.e.Findings) < maxFindings && !slices.ContainsFunc(q.e.Findings, same) {
		q.e.Findings = append(q.e.Findings, f)
	}
}

// instead returns f with what to write, which may hold a piece of a response.
func (f Finding) instead(text string) Finding {
	f.Instead = excerpt(text)
	return f
}

// because returns f with another reason.
func (f Finding) because(why string) Finding {
	f.Why = why
	return f
}

// inspect looks for findings, and sorts them by their severity.
func (q *inquiry) inspect() {
	q.e.Findings = []Finding{}
	for _, look := range []func(*inquiry){
		(*inquiry).inspectCacheControl,
		(*inquiry).inspectTargets,
		(*inquiry).inspectContradictions,
		(*inquiry).inspectSharing,
		(*inquiry).inspectCookies,
		(*inquiry).inspectFreshness,
		(*inquiry).inspectWindows,
		(*inquiry).inspectImmutable,
		(*inquiry).inspectStatus,
		(*inquiry).inspectExpires,
		(*inquiry).inspectDate,
		(*inquiry).inspectAge,
		(*inquiry).inspectValidators,
		(*inquiry).inspectSecond,
		(*inquiry).inspectVary,
		(*inquiry).inspectCoding,
		(*inquiry).inspectOthers,
	} {
		look(q)
	}
	order := []Severity{Mistake, Risk, Advice}
	slices.SortStableFunc(q.e.Findings, func(a, b Finding) int {
		return cmp.Compare(slices.Index(order, a.Severity), slices.Index(order, b.Severity))
	})
}

// stored reports whether any of the caches asked about keeps the response.
func (q *inquiry) stored() bool {
	return q.e.Shared != nil && q.e.Shared.Stored || q.e.Private != nil && q.e.Private.Stored
}

// treatments are those of the caches that keep the response.
func (q *inquiry) treatments() (all []*Treatment) {
	for _, t := range []*Treatment{q.e.Shared, q.e.Private} {
		if t != nil && t.Stored {
			all = append(all, t)
		}
	}
	return all
}

// longest is the longest lifetime that a cache asked about gives the response.
func (q *inquiry) longest() (d Seconds) {
	for _, t := range q.treatments() {
		if !t.AlwaysAsks {
			d = max(d, t.Freshness.Lifetime)
		}
	}
	return d
}

// inspectSharing looks at who may see what a shared cache keeps.
func (q *inquiry) inspectSharing() {
	s, t := q.shared, q.e.Shared
	if t != nil && t.Stored && q.req.Header["Authorization"] != nil && s.cc.licensesSharing() {
		q.find(foundSharedAuthorized)
	}
}

// inspectCookies looks for a cookie of one visitor that others would get.
func (q *inquiry) inspectCookies() {
	s := q.shared
	if q.e.Shared == nil || q.header["Set-Cookie"] == nil || s.cc.has(private) || s.forbidden() {
		return
	}
	if q.e.Shared.Stored || s.explicit(s.rules) && s.lifetime(s.stored) > 0 {
		q.find(foundSharedCookie)
	}
}

// inspectFreshness looks for responses that do not say how long they are fresh.
func (q *inquiry) inspectFreshness() {
	if q.explicit() || q.resp.StatusCode >= 300 || method(q.req) != http.MethodGet {
		return
	}
	f := foundNoFreshness
	if d := heuristicLifetime(q.private.stored); d > 0 {
		f = f.because("caches may guess a tenth of the time since Last-Modified: here " +
			secondsIn(d).String() + ", elsewhere more")
	}
	q.find(f)
}

// explicit reports whether the response says to any cache how long it is fresh, if at all.
func (q *inquiry) explicit() bool {
	says := func(s subject) bool { return s.explicit(s.rules) || s.cc.has(noCache|noStore) }
	return says(q.shared) || says(q.private)
}

// inspectWindows looks for what could be served stale, and is not.
func (q *inquiry) inspectWindows() {
	s, t := q.shared, q.e.Shared
	if t == nil || !t.Stored || s.cc.sMaxAge <= 0 || s.forbidsStale(s.stored) {
		return
	}
	if s.cc.staleWhileRevalidate == absent && s.cc.staleIfError == absent {
		q.find(foundNoWindows.instead(fmt.Sprintf(foundNoWindows.Instead, secondsIn(s.cc.sMaxAge))))
	}
}

// inspectImmutable looks for promises that the name of the resource does not keep.
func (q *inquiry) inspectImmutable() {
	u := q.req.URL
	if !q.private.cc.has(immutable) {
		return
	}
	if q.longest() == 0 {
		q.find(foundImmutableStale)
	}
	if u.Path != "" && u.RawQuery == "" && !hasFingerprint(u.Path) {
		q.find(foundImmutableName)
	}
}

// hasFingerprint reports whether the last two segments of a path have a part that looks like a
// digest or a version.
func hasFingerprint(p string) bool {
	dir, last := path.Split(path.Clean(p))
	folder := path.Base(dir)
	parts := strings.FieldsFunc(folder+"/"+last, isSeparator)
	return slices.ContainsFunc(parts, isDigest) || hasVersion(last) || hasVersion(folder)
}

func isSeparator(r rune) bool { return strings.ContainsRune("/.-_~", r) }

// isDigest reports whether part is long enough for a fingerprint and holds a digit, or capital
// letters amid small ones.
func isDigest(part string) bool {
	inner := strings.TrimLeftFunc(part, unicode.IsUpper)
	mixed := strings.ContainsFunc(inner, unicode.IsUpper) && len(part) >= 8
	return len(part) >= 6 && (mixed || strings.ContainsFunc(part, unicode.IsDigit))
}

// hasVersion reports whether a segment holds a version of at least two numbers: 3.7 or v1.2.3.
func hasVersion(segment string) bool {
	for i := 1; i < len(segment)-1; i++ {
		if segment[i] == '.' && isDigit(segment[i-1]) && isDigit(segment[i+1]) {
			return true
		}
	}
	return false
}

// Bounds beyond which an error is kept for long, in seconds.
const (
	longFailure = 60      // of status 500 and above
	longAbsence = 60 * 60 // of status 400 to 499
)

// inspectStatus looks at redirects and errors.
func (q *inquiry) inspectStatus() {
	switch status, d := q.resp.StatusCode, q.longest(); {
	case q.explicit() && (status >= 500 && d > longFailure || status >= 400 && d > longAbsence):
		q.find(foundLongError, status, d)
	case q.explicit():
	case status == http.StatusMovedPermanently, status == http.StatusPermanentRedirect:
		q.find(foundRedirectForever)
	case status == http.StatusFound, status == http.StatusTemporaryRedirect,
		status == http.StatusSeeOther:
		q.find(foundRedirectNotKept)
	}
}
