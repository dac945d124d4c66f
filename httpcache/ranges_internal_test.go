// ranges_internal_test.go checks parts of bodies against RFC 9110, section 14.

package httpcache

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseRange(t *testing.T) { // sections 14.1.1 and 14.2
	for _, tc := range []struct {
		line string
		want []rangeSpec
	}{
		{"bytes=0-4", []rangeSpec{{0, 4}}},
		{"BYTES=0-4", []rangeSpec{{0, 4}}},
		{"bytes=5-", []rangeSpec{{5, -1}}},
		{"bytes=-5", []rangeSpec{{-1, 5}}},
		{"bytes=-0", []rangeSpec{{-1, 0}}},
		{"bytes=0-0, 5-6 ,\t-1,,", []rangeSpec{{0, 0}, {5, 6}, {-1, 1}}},
		{"bytes=99999999999999999999-", []rangeSpec{{maxPosition, -1}}},
		{"bytes=0-99999999999999999999", []rangeSpec{{0, maxPosition}}},
		{"bytes=4-0", nil},
		{"bytes=0-4,4-0", nil},
		{"bytes=-", nil},
		{"bytes=", nil},
		{"bytes=,", nil},
		{"bytes", nil},
		{"bytes 0-4", nil},
		{"bytes =0-4", nil},
		{"bytes=0 -4", nil},
		{"bytes=0-4-5", nil},
		{"bytes=--5", nil},
		{"bytes=+1-2", nil},
		{"bytes=a-b", nil},
		{"bytes=0-4;5-6", nil},
		{"seconds=0-4", nil},
		{"", nil},
		{"bytes=" + strings.Repeat("0-0,", maxRanges), rep(rangeSpec{0, 0}, maxRanges)},
		{"bytes=" + strings.Repeat("0-0,", maxRanges+1), nil},
	} {
		got, ok := parseRange([]string{tc.line})
		if !reflect.DeepEqual(got, tc.want) || ok != (tc.want != nil) {
			t.Errorf("parseRange(%q) = %v, %v, want %v", tc.line, got, ok, tc.want)
		}
	}
	if _, ok := parseRange([]string{"bytes=0-1", "bytes=2-3"}); ok {
		t.Error("two Range fields are not ignored")
	}
	if _, ok := parseRange(nil); ok {
		t.Error("no Range is one")
	}
}

func rep(s rangeSpec, n int) (all []rangeSpec) {
	for range n {
		all = append(all, s)
	}
	return all
}

func TestRangesIn(t *testing.T) { // sections 14.1.2 and 15.3.7.2
	for _, tc := range []struct {
		line string
		size int64
		want []byteRange
	}{
		{"bytes=0-4", 10, []byteRange{{0, 5}}},
		{"bytes=0-99", 10, []byteRange{{0, 10}}},
		{"bytes=9-", 10, []byteRange{{9, 1}}},
		{"bytes=10-", 10, nil},
		{"bytes=10-20", 10, nil},
		{"bytes=-3", 10, []byteRange{{7, 3}}},
		{"bytes=-30", 10, []byteRange{{0, 10}}},
		{"bytes=-0", 10, nil},
		{"bytes=0-99999999999999999999", 10, []byteRange{{0, 10}}},
		{"bytes=99999999999999999999-", 10, nil},
		{"bytes=99999999999999999999-", math.MaxInt64, []byteRange{{maxPosition, 1}}},
		{"bytes=0-0,20-30", 10, []byteRange{{0, 1}}},
		{"bytes=0-0,500-509", 1000, []byteRange{{0, 1}, {500, 10}}},
		{"bytes=500-509,0-0", 1000, []byteRange{{500, 10}, {0, 1}}}, // in the order asked for
		{"bytes=0-9,5-19", 1000, []byteRange{{0, 20}}},
		{"bytes=0-9,90-99", 1000, []byteRange{{0, 100}}}, // a part's header would be as long
		{"bytes=0-9,91-99", 1000, []byteRange{{0, 10}, {91, 9}}},
		{"bytes=900-999,0-0,450-460,1-899", 1000, []byteRange{{0, 1000}}},
		{"bytes=0-,0-,0-,0-,0-,0-,0-,0-", 1000, []byteRange{{0, 1000}}},
	} {
		specs, ok := parseRange([]string{tc.line})
		if got := rangesIn(specs, tc.size); !ok || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("rangesIn(%s, %d) = %v, want %v", tc.line, tc.size, got, tc.want)
		}
	}
}

func TestRangeOfABodyOfUnknownSize(t *testing.T) {
	for _, tc := range []struct {
		spec rangeSpec
		want byteRange
		ok   bool
	}{
		{rangeSpec{2, 4}, byteRange{2, 3}, true},
		{rangeSpec{0, maxPosition}, byteRange{0, math.MaxInt64}, true},
		{rangeSpec{2, -1}, byteRange{}, false},
		{rangeSpec{-1, 2}, byteRange{}, false},
	} {
		if got, ok := tc.spec.in(unknownSize); ok != tc.ok || ok && got != tc.want {
			t.Errorf("%v: got %v, %v, want %v, %v", tc.spec, got, ok, tc.want, tc.ok)
		}
	}
}

// send returns what the plan has written, of a whole body and its header.
func send(p rangePlan, body string) (http.Header, string) {
	h := header("Content-Type: text/plain", "Cache-Control: max-age=9", "CDN-Cache-Control: a",
		`Etag: "a"`, "Vary: X")
	p.describe(h)
	var b strings.Builder
	for _, part := range p.parts {
		b.WriteString(part.head + body[part.offset:part.end()])
	}
	return h, b.String() + p.tail
}

func TestPlanRanges(t *testing.T) { // sections 14.2 and 15.3.7
	for _, tc := range []struct {
		line, body   string
		status       int
		contentRange string
		want         string
	}{
		{"", "0123456789", 200, "", "0123456789"},
		{"bytes=2-4", "0123456789", 206, "bytes 2-4/10", "234"},
		{"bytes=-1", "0123456789", 206, "bytes 9-9/10", "9"},
		{"bytes=0-1,8-", "0123456789", 206, "bytes 0-9/10", "0123456789"},
		{"bytes=10-", "0123456789", 416, "bytes */10", ""},
		{"bytes=0-", "", 200, "", ""},
		{"bytes=-5", "", 200, "", ""},
	} {
		specs, _ := parseRange([]string{tc.line})
		p := planRanges(specs, int64(len(tc.body)), "text/plain", "b")
		h, got := send(p, tc.body)
		if p.status != tc.status || got != tc.want || h.Get("Content-Range") != tc.contentRange ||
			h.Get("Content-Length") != fmt.Sprint(len(tc.want)) {
			t.Errorf("%s of %q: got %d, %v, %q", tc.line, tc.body, p.status, h, got)
		}
	}
}

func TestUnsatisfiableRangeIsNotKeptInPlaceOfTheBody(t *testing.T) {
	h, _ := send(planRanges([]rangeSpec{{99, -1}}, 10, "text/plain", "b"), "0123456789")
	want := header("Cache-Control: no-store", "Content-Length: 0", "Content-Range: bytes */10",
		"Vary: X")
	if !reflect.DeepEqual(h, want) {
		t.Errorf("got %v, want %v", h, want)
	}
}

func TestSeveralRangesAreAMultipart(t *testing.T) { // section 14.6
	body := strings.Repeat("0123456789", 100)
	specs, _ := parseRange([]string{"bytes=500-501,0-1,-3"})
	p := planRanges(specs, 1000, "text/plain; x=y", "sep")
	h, sent := send(p, body)
	if int64(len(sent)) != p.length || h.Get("Content-Length") != fmt.Sprint(len(sent)) {
		t.Errorf("%d bytes are announced as %d, %v", len(sent), p.length, h)
	}
	if p.status != 206 || h["Content-Range"] != nil {
		t.Errorf("got %d, %v", p.status, h)
	}
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || kind != "multipart/byteranges" {
		t.Fatalf("Content-Type %q: %v", h.Get("Content-Type"), err)
	}
	r := multipart.NewReader(strings.NewReader(sent), params["boundary"])
	for _, want := range []struct{ where, text string }{
		{"bytes 500-501/1000", "01"}, {"bytes 0-1/1000", "01"}, {"bytes 997-999/1000", "789"},
	} {
		part, err := r.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(part)
		if string(text) != want.text || part.Header.Get("Content-Range") != want.where ||
			part.Header.Get("Content-Type") != "text/plain; x=y" {
			t.Errorf("got %q, %v, want %v", text, part.Header, want)
		}
	}
	if _, err := r.NextRawPart(); err != io.EOF {
		t.Errorf("after the last part: %v, want EOF", err)
	}
}

func TestIfRange(t *testing.T) { // sections 13.1.5 and 8.8.2.2
	modified := "Sun, 06 Nov 1994 08:49:37 GMT"
	at, _ := parseDate(modified)
	for _, tc := range []struct {
		lines []string
		etag  string
		date  time.Time
		want  bool
	}{
		{nil, `"a"`, at, true},
		{[]string{`"a"`}, `"a"`, at, true},
		{[]string{`"a"`}, `"b"`, at, false},
		{[]string{`"a"`}, `W/"a"`, at, false},
		{[]string{`W/"a"`}, `W/"a"`, at, false},
		{[]string{`W/"a"`}, `"a"`, at, false},
		{[]string{`"a"`}, "", at, false},
		{[]string{`"`}, `"`, at, false},
		{[]string{`"a"`, `"a"`}, `"a"`, at, false},
		{[]string{"a"}, "a", at, false},
		{[]string{""}, "", at, false},
		{[]string{modified}, "", at.Add(time.Minute), true},
		{[]string{modified}, `"a"`, at.Add(time.Hour), true},
		{[]string{modified}, "", at.Add(59 * time.Second), false}, // a weak one
		{[]string{modified}, "", time.Time{}, false},
		{[]string{"Sunday, 06-Nov-94 08:49:37 GMT"}, "", at.Add(time.Hour), true},
		{[]string{"Sun, 06 Nov 1994 08:49:38 GMT"}, "", at.Add(time.Hour), false}, // later
		{[]string{"Sun, 06 Nov 1994 08:49:36 GMT"}, "", at.Add(time.Hour), false},
	} {
		if got := ifRangeHolds(tc.lines, tc.etag, modified, tc.date); got != tc.want {
			t.Errorf("If-Range %q for %s at %v: got %v", tc.lines, tc.etag, tc.date, got)
		}
	}
	if ifRangeHolds([]string{modified}, "", "", at.Add(time.Hour)) {
		t.Error("a date matches a response without Last-Modified")
	}
}

func FuzzRanges(f *testing.F) {
	f.Add("bytes=0-4", uint16(10))
	f.Add("bytes=500-501,0-1,-3,  9-", uint16(1000))
	f.Add("bytes=99999999999999999999-,0-99999999999999999999", uint16(1))
	f.Add("bytes 0-4/10", uint16(0))
	f.Fuzz(func(t *testing.T, line string, n uint16) {
		specs, ok := parseRange([]string{line})
		if !ok {
			return
		}
		for _, spec := range specs {
			if r, ok := spec.in(unknownSize); ok && (r.offset < 0 || r.length < 1 || r.end() < 1) {
				t.Fatalf("%q is %v", line, r)
			}
		}
		body := bytes.Repeat([]byte("0123456789"), int(n)/10+1)[:n]
		p := planRanges(specs, int64(n), "text/plain", "b")
		_, sent := send(p, string(body))
		if int64(len(sent)) != p.length {
			t.Fatalf("%q of %d: %d bytes are announced as %d", line, n, len(sent), p.length)
		}
		if most := int(n) + maxRanges*100; len(sent) > most || len(p.parts) > maxRanges {
			t.Fatalf("%q of %d: %d bytes are sent", line, n, len(sent))
		}
	})
}
