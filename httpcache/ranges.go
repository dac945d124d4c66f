// ranges.go answers requests for parts of a body.

package httpcache

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// maxRanges is how many ranges of one request are honoured: who asks for more is served the
	// whole, as RFC 9110, section 14.2, allows.
	maxRanges = 16
	// rangeGap is the distance below which two ranges are sent as one: the header of a part costs
	// about as much (RFC 9110, section 15.3.7.2).
	rangeGap = 80
	// maxPosition is the last byte a body can have; what lies behind is read as that.
	maxPosition = math.MaxInt64 - 1
	// unknownSize is the size of a body of which only parts were seen.
	unknownSize = -1
	// clockDoubt is how much older than the response a Last-Modified must be to name one version:
	// nearer to it the body might have changed twice in a second, or two clocks differ (RFC 9110,
	// section 8.8.2.2).
	clockDoubt = time.Minute
)

// byteRange is a part of a body.
type byteRange struct{ offset, length int64 }

func (r byteRange) end() int64 { return r.offset + r.length } // the first byte behind it

// rangeSpec is a range as it is asked for (RFC 9110, section 14.1.1).
type rangeSpec struct {
	first int64 // or -1: the last bytes of the body, as many as last says
	last  int64 // included; or -1: to the end
}

// parseRange reads a Range field. ok is false if it is to be ignored: if there is none or more
// than one, if it asks for another unit than bytes or for too many ranges, or is malformed.
func parseRange(lines []string) (specs []rangeSpec, ok bool) {
	if len(lines) != 1 {
		return nil, false
	}
	unit, set, ok := strings.Cut(lines[0], "=")
	if !ok || !strings.EqualFold(unit, "bytes") {
		return nil, false
	}
	for member := range strings.SplitSeq(set, ",") {
		if member = trim(member); member == "" {
			continue
		}
		spec, ok := parseRangeSpec(member)
		if !ok || len(specs) == maxRanges {
			return nil, false
		}
		specs = append(specs, spec)
	}
	return specs, len(specs) > 0
}

// parseRangeSpec reads "5-9", "5-" or "-5".
func parseRangeSpec(s string) (spec rangeSpec, ok bool) {
	a, b, ok := strings.Cut(s, "-")
	if !ok || a == "" && b == "" {
		return spec, false
	}
	spec = rangeSpec{first: -1, last: -1}
	if a != "" {
		if spec.first, ok = position(a); !ok {
			return spec, false
		}
	}
	if b != "" {
		if spec.last, ok = position(b); !ok {
			return spec, false
		}
	}
	return spec, b == "" || spec.first <= spec.last
}

// position reads a number of digits; a larger one than maxPosition becomes that.
func position(s string) (n int64, ok bool) {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return 0, false
		}
		if n > (maxPosition-9)/10 {
			n = maxPosition // and stays there, if only digits follow
			continue
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, s != ""
}

// in returns the part of a body of size bytes that s asks for; ok is false if there is none. If
// the size is unknown only what says both its ends can be told.
func (s rangeSpec) in(size int64) (r byteRange, ok bool) {
	switch {
	case size == unknownSize:
		return byteRange{s.first, s.last + 1 - s.first}, s.first >= 0 && s.last >= 0
	case s.first < 0:
		n := min(s.last, size)
		return byteRange{size - n, n}, n > 0
	case s.first >= size:
		return r, false
	case s.last < 0:
		return byteRange{s.first, size - s.first}, true
	}
	return byteRange{s.first, min(s.last, size-1) + 1 - s.first}, true
}

// rangesIn returns the parts of a body that are to be sent for specs, in the order asked for.
// Those that overlap, or nearly touch, are one, so that nobody is sent more than the whole and as
// many headers as he asked for.
func rangesIn(specs []rangeSpec, size int64) []byteRange {
	var all []byteRange
	for _, spec := range specs {
		if r, ok := spec.in(size); ok {
			all = coalesce(all, r)
		}
	}
	return all
}

// coalesce adds r to ranges that are far from each other, and joins it with those that are near.
// The result stands in the place of the first of them.
func coalesce(all []byteRange, r byteRange) []byteRange {
	at := len(all)
	for i := 0; i < len(all); {
		if !near(all[i], r) {
			i++
			continue
		}
		r = spanning(all[i], r)
		all = slices.Delete(all, i, i+1)
		at = min(at, i)
		i = 0 // it has grown, and may be near to others now
	}
	return slices.Insert(all, min(at, len(all)), r)
}

// near reports whether sending a and b as one costs no more than a header.
func near(a, b byteRange) bool {
	return max(a.offset, b.offset)-min(a.end(), b.end()) <= rangeGap
}

// spanning is the smallest range that has all of a and b.
func spanning(a, b byteRange) byteRange {
	from := min(a.offset, b.offset)
	return byteRange{from, max(a.end(), b.end()) - from}
}

// rangePart is a piece of the answer: a header, which may be empty, then bytes of the body.
type rangePart struct {
	head string
	byteRange
}

// rangePlan is how a request with a Range is answered from a whole body.
type rangePlan struct {
	status       int         // 200, 206 or 416
	parts        []rangePart // to be written one after the other
	tail         string      // to be written after them
	length       int64       // of all that is written
	contentRange string      // of 416 and of a single part
	contentType  string      // of several parts
}

// planRanges answers specs from a body of size bytes. An empty body has no parts: all of it, which
// is nothing, is the answer. The boundary is used between several parts; it must not occur in the
// body, so it should be random, of at most 70 letters and digits.
func planRanges(specs []rangeSpec, size int64, contentType, boundary string) rangePlan {
	if len(specs) == 0 || size == 0 {
		return rangePlan{
			status: http.StatusOK, length: size, parts: []rangePart{{"", byteRange{0, size}}},
		}
	}
	switch ranges := rangesIn(specs, size); len(ranges) {
	case 0:
		return rangePlan{
			status:       http.StatusRequestedRangeNotSatisfiable,
			contentRange: "bytes */" + strconv.FormatInt(size, 10),
		}
	case 1:
		return rangePlan{
			status: http.StatusPartialContent, length: ranges[0].length,
			parts: []rangePart{{"", ranges[0]}}, contentRange: contentRangeOf(ranges[0], size),
		}
	default:
		return planParts(ranges, size, contentType, boundary)
	}
}

// planParts makes a multipart/byteranges of ranges (RFC 9110, section 14.6).
func planParts(ranges []byteRange, size int64, contentType, boundary string) rangePlan {
	p := rangePlan{
		status:      http.StatusPartialContent,
		contentType: "multipart/byteranges; boundary=" + boundary,
		tail:        "\r\n--" + boundary + "--\r\n",
	}
	if contentType != "" {
		contentType = "\r\nContent-Type: " + contentType
	}
	start := "--" + boundary
	for _, r := range ranges {
		head := start + contentType + "\r\nContent-Range: " + contentRangeOf(r, size) + "\r\n\r\n"
		p.parts = append(p.parts, rangePart{head, r})
		p.length += int64(len(head)) + r.length
		start = "\r\n--" + boundary
	}
	p.length += int64(len(p.tail))
	return p
}

// describe makes h, the header of the whole, that of the answer.
func (p rangePlan) describe(h http.Header) {
	h["Content-Length"] = []string{strconv.FormatInt(p.length, 10)}
	if p.status == http.StatusRequestedRangeNotSatisfiable {
		strip(h)
	}
	if p.contentRange != "" {
		h["Content-Range"] = []string{p.contentRange}
	}
	if p.contentType != "" {
		h["Content-Type"] = []string{p.contentType}
	}
}

// strip leaves of h what is true of a 416 too. The next cache must not take that for a version of
// the body, nor keep it for as long as the body is fresh: one bad request would hide the body from
// everybody.
func strip(h http.Header) {
	for name := range h {
		switch name {
		case "Content-Type", "Content-Encoding", "Content-Language", "Content-Disposition",
			"Etag", "Last-Modified", "Expires", "Age":
			delete(h, name)
		default:
			if strings.HasSuffix(name, "-Control") { // Cache-Control, and the targeted ones
				delete(h, name)
			}
		}
	}
	h["Cache-Control"] = []string{"no-store"}
}

// ifRangeHolds reports whether Range counts, for a response with these validators: an If-Range, if
// there is one, must name that very version (RFC 9110, section 13.1.5). date is when the origin
// made the response, zero if it did not say; a Last-Modified within clockDoubt of it names none.
func ifRangeHolds(lines []string, etag, lastModified string, date time.Time) bool {
	if len(lines) != 1 {
		return len(lines) == 0
	}
	if line := lines[0]; strings.HasPrefix(line, `"`) || strings.HasPrefix(line, "W/") {
		return strongEqual(line, etag)
	}
	asked, ok := parseDate(lines[0])
	if !ok {
		return false
	}
	modified, ok := parseDate(lastModified)
	return ok && asked.Equal(modified) && !date.Before(modified.Add(clockDoubt))
}

// strongEqual is the strong comparison of entity tags (RFC 9110, section 8.8.3.2).
func strongEqual(a, b string) bool {
	return a == b && len(a) >= 2 && a[0] == '"' && a[len(a)-1] == '"'
}

// contentRangeOf returns the Content-Range of r in a body of size bytes.
func contentRangeOf(r byteRange, size int64) string {
	buf := append(make([]byte, 0, 64), "bytes "...)
	buf = append(strconv.AppendInt(buf, r.offset, 10), '-')
	buf = append(strconv.AppendInt(buf, r.end()-1, 10), '/')
	if size == unknownSize {
		return string(append(buf, '*'))
	}
	return string(strconv.AppendInt(buf, size, 10))
}
