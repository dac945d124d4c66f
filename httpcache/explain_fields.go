// explain_fields.go finds what is wrong with single fields: dates, ages, validators, Vary, codings.

package httpcache

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	leastCoded = 1 << 10     // bytes that are worth compressing
	mostDrift  = time.Minute // between two clocks
)

// inspectExpires looks for dates that are none, or two.
func (q *inquiry) inspectExpires() {
	lines := q.header["Expires"]
	if len(lines) == 0 {
		return
	}
	if _, ok := parseDate(lines[0]); !ok {
		f := foundBadExpires
		if lines[0] == "0" || lines[0] == "-1" { // which means what is meant
			f.Severity = Advice
		}
		if q.private.cc.maxAge != absent {
			f.Severity = Advice
			f = f.because("it is not looked at beside max-age")
		}
		q.find(f, excerpt(lines[0]))
	}
	if len(slices.Compact(slices.Clone(lines))) > 1 {
		q.find(foundExpiresTwice)
	}
}

// inspectDate looks at the clock of the origin.
func (q *inquiry) inspectDate() {
	lines := q.header["Date"]
	if len(lines) == 0 {
		q.find(foundNoDate)
		return
	}
	date, ok := parseDate(lines[0])
	made := q.at.received.Add(-ageValue(q.header["Age"]))
	switch drift := date.Sub(made); {
	case !ok:
		q.find(foundBadDate, excerpt(lines[0]))
	case drift > mostDrift:
		q.find(foundDateAhead, secondsIn(drift))
	case drift < -mostDrift:
		q.find(foundDateBehind, secondsIn(-drift))
	}
}

// inspectAge looks for a response that was older than its lifetime when it came.
func (q *inquiry) inspectAge() {
	lines := q.header["Age"]
	if len(lines) == 0 {
		return
	}
	member, _, _ := cutMember(lines[0])
	if _, ok := deltaSeconds(member); !ok || len(lines) > 1 {
		q.find(foundBadAge, excerpt(strings.Join(lines, ", ")))
	}
	for _, s := range q.subjects() {
		d := secondsIn(s.lifetime(s.stored))
		if d > 0 && q.e.Age.Reported >= d && !s.cc.has(noCache|noStore) {
			q.find(foundStaleOnArrival, q.e.Age.Reported, d)
		}
	}
}

// subjects are the response in the eyes of the caches asked about.
func (q *inquiry) subjects() (all []subject) {
	if q.e.Shared != nil {
		all = append(all, q.shared)
	}
	if q.e.Private != nil {
		all = append(all, q.private)
	}
	return all
}

// inspectValidators looks for what a conditional request could rest on.
func (q *inquiry) inspectValidators() {
	etag, modified := q.header.Get("Etag"), q.header.Get("Last-Modified")
	switch t, ok := parseDate(modified); {
	case modified != "" && !ok:
		q.find(foundBadLastModified, excerpt(modified))
	case ok && t.After(q.private.date.Add(mostDrift)):
		q.find(foundFutureLastModified)
	case modified == "" && etag == "" && q.missesValidator():
		q.find(foundNoValidator)
	}
	if etag != "" && !isETag(etag) {
		q.find(foundBadETag.instead(`ETag: "`+strings.Trim(etag, `"`)+`"`), excerpt(etag))
	}
	if strings.HasPrefix(etag, "W/") && acceptsRanges(q.header) {
		q.find(foundWeakETag)
	}
}

// missesValidator reports whether a validator would be of use.
func (q *inquiry) missesValidator() bool {
	return q.stored() && q.resp.StatusCode == http.StatusOK && !q.private.cc.has(immutable)
}

func acceptsRanges(h http.Header) bool {
	return strings.EqualFold(trim(h.Get("Accept-Ranges")), "bytes")
}

// isETag reports whether s is an entity tag (RFC 9110, section 8.8.3).
func isETag(s string) bool {
	s = strings.TrimPrefix(s, "W/")
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return false
	}
	bad := func(r rune) bool { return r <= ' ' || r == '"' || r == 0x7f }
	return !strings.ContainsFunc(s[1:len(s)-1], bad)
}

// inspectSecond compares what came of asking twice.
func (q *inquiry) inspectSecond() {
	second := q.e.Second
	if second == nil || q.e.Condition == nil || q.resp.StatusCode != http.StatusOK {
		return
	}
	h := canonicalHeader(q.o.Second.Header)
	etag, again := q.header.Get("Etag"), h.Get("Etag")
	switch {
	case second.Confirmed:
		q.inspectConfirmation(h)
	case second.Status == http.StatusNotModified:
		q.find(foundWrong304)
	case second.Status != http.StatusOK:
	case etag != "" && etag != again && second.SameBody:
		q.find(foundETagChanges)
	case etag == again && second.SameBody:
		q.find(foundNo304)
	default:
		q.find(foundContentChanges)
	}
}

// notModifiedFields must be in a 304 if they are in the 200 (RFC 9110, section 15.4.5).
var notModifiedFields = []string{"Cache-Control", "Content-Location", "Etag", "Expires", "Vary"}

// inspectConfirmation looks at what a good 304 lacks.
func (q *inquiry) inspectConfirmation(h http.Header) {
	var missing []string
	for _, name := range notModifiedFields {
		if q.header[name] != nil && h[name] == nil {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		q.find(foundPoor304, strings.Join(missing, ", "))
	}
}

// inspectVary looks at how many variants a crowd makes.
func (q *inquiry) inspectVary() {
	for _, s := range q.e.Selectors {
		switch {
		case s.Crowd == CrowdUnusable:
			q.find(foundVaryStar)
		case s.Implied:
			q.find(foundVaryForgets)
		case s.Crowd == CrowdEndless && q.stored():
			f := foundVaryEndless.instead(insteadOfVary(s.Field))
			f.ID += strings.ToLower(s.Field)
			q.find(f, s.Field)
		}
	}
}

// insteadOfVary says how to do without a selecting field.
func insteadOfVary(field string) string {
	switch field {
	case "Cookie", "Authorization":
		return "Cache-Control: private, or a URL of its own for what is personal"
	case "User-Agent":
		return "one page for all, or Vary: Sec-CH-UA-Mobile"
	}
	return "Vary without " + field
}

// inspectCoding looks for text that came as it is.
func (q *inquiry) inspectCoding() {
	n := q.resp.ContentLength
	coded := q.header["Content-Encoding"] != nil || q.resp.Uncompressed
	if coded || 0 <= n && n < leastCoded || q.resp.StatusCode != http.StatusOK {
		return
	}
	if method(q.req) == http.MethodGet && isText(q.header.Get("Content-Type")) &&
		asksForCoding(q.req.Header["Accept-Encoding"]) {
		q.find(foundNotCompressed)
	}
}

// isText reports whether a media type is one that compresses well.
func isText(mediaType string) bool {
	kind, _, _ := strings.Cut(strings.ToLower(mediaType), ";")
	kind = trim(kind)
	switch kind {
	case "application/json", "application/javascript", "application/xml", "application/wasm",
		"application/manifest+json", "application/x-ndjson", "image/svg+xml":
		return true
	}
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "+json") ||
		strings.HasSuffix(kind, "+xml")
}

// asksForCoding reports whether a request names a coding that it does not refuse.
func asksForCoding(lines []string) bool {
	for member := range strings.SplitSeq(strings.ToLower(strings.Join(lines, ",")), ",") {
		coding, weight, weighted := strings.Cut(member, ";")
		n, ok := parseWeight(trim(weight))
		refused := weighted && ok && n == 0
		if slices.Contains([]string{"gzip", "br", "zstd"}, trim(coding)) && !refused {
			return true
		}
	}
	return false
}

// inspectOthers looks at the fields that remain.
func (q *inquiry) inspectOthers() {
	if lines := q.header["Pragma"]; lines != nil {
		q.find(foundPragma, excerpt(lines[0]))
	}
	for _, field := range []struct {
		name string
		read bool
		Finding
	}{
		{"No-Vary-Search", q.e.Query != nil, foundNoQuery},
		{"Cache-Groups", q.e.Groups != nil, foundNoGroups},
		{"Cache-Status", q.e.Reports != nil, foundNoReports},
	} {
		if lines := q.header[field.name]; lines != nil && !field.read {
			q.find(field.Finding, excerpt(strings.Join(lines, ", ")))
		}
	}
}
