// encoding.go chooses in which encoding a file is sent.

package browsercache

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// encoding is a file in a content coding.
type encoding struct {
	coding string // as in Content-Encoding
	content
	made func() *content // when it is first asked for, in place of content; nil: not smaller
}

// suffixes are those of files that hold others compressed, the best first.
var suffixes = [...]struct{ suffix, coding string }{
	{".br", "br"}, {".zst", "zstd"}, {".gz", "gzip"},
}

// adoptSiblings makes files that are others compressed encodings of those, in place of assets.
func (t *table) adoptSiblings() {
	siblings := map[string]bool{}
	for name, a := range t.plain {
		for _, s := range suffixes {
			b := t.plain[name+s.suffix]
			if b == nil {
				continue
			}
			siblings[b.name] = true
			if b.holds(a, s.coding) {
				a.encodings = append(a.encodings, encoding{coding: s.coding, content: b.content})
			}
		}
	}
	for name := range siblings {
		delete(t.plain, name)
	}
}

// holds tells whether b may be a in a coding. A sibling that was forgotten when its file was
// changed must not be served for a year: it is older, or, which of gzip can be seen, not the same.
func (b *asset) holds(a *asset, coding string) bool {
	if b.modified.Before(a.modified) {
		return false
	}
	if coding != "gzip" || b.body == nil {
		return true
	}
	z, err := gzip.NewReader(bytes.NewReader(b.body))
	if err != nil {
		return false
	}
	hash := sha256.New()
	_, err = io.Copy(hash, io.LimitReader(z, a.size+1)) // more would be another file
	return err == nil && bytes.Equal(hash.Sum(nil), a.sum[:])
}

// gzipFrom is the size in bytes from which on compressing is worth the while.
const gzipFrom = 1 << 10

// mayGzip lets a text that has no gzip sibling be compressed when it is first asked for.
func (a *asset) mayGzip() {
	for _, e := range a.encodings {
		if e.coding == "gzip" {
			return
		}
	}
	if len(a.body) < gzipFrom || !isText(a.kind) {
		return
	}
	body := a.body
	made := sync.OnceValue(func() *content { return gzipped(body) })
	a.encodings = append(a.encodings, encoding{coding: "gzip", made: made})
}

// gzipped returns body compressed, nil if that is not smaller.
func gzipped(body []byte) *content {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is a right one
	z.Write(body)                                         // into memory, which does not fail
	z.Close()
	if b.Len() >= len(body) {
		return nil
	}
	c := &content{stat: stat{size: int64(b.Len())}, body: b.Bytes()}
	c.sum = sha256.Sum256(c.body)
	return c
}

// get returns the encoded file, nil if there is none.
func (e *encoding) get() *content {
	if e.made != nil {
		return e.made()
	}
	return &e.content
}

// tagOf returns the ETag of a file in an encoding.
func (e *encoding) tagOf(a *asset, c *content) string {
	return fmt.Sprintf(`"%s-%s-%x"`, a.tag, e.coding, c.sum[:4])
}

// choose returns the encoding to send, nil for the file as it is. Ranges are of the file as it is:
// what a client has of it is good in any case.
func (a *asset) choose(r *http.Request) *encoding {
	if len(r.Header["Range"]) > 0 {
		return nil
	}
	accepts := acceptedBy(r.Header["Accept-Encoding"])
	var best *encoding
	most := 0
	for i := range a.encodings {
		e := &a.encodings[i]
		q, named := accepts[e.coding]
		if !named {
			q = accepts["*"]
		}
		if q > most && q >= accepts["identity"] {
			best, most = e, q
		}
	}
	return best
}

// acceptedBy returns the weight of each coding that the fields of Accept-Encoding name, in
// thousandths.
func acceptedBy(fields []string) map[string]int {
	weights := map[string]int{}
	for _, field := range fields {
		for item := range strings.SplitSeq(field, ",") {
			coding, parameter, _ := strings.Cut(item, ";")
			coding = strings.ToLower(strings.TrimSpace(coding))
			if coding == "x-gzip" {
				coding = "gzip"
			}
			weights[coding] = weightOf(strings.TrimSpace(parameter))
		}
	}
	return weights
}

// weightOf returns the weight that a parameter says, in thousandths. One that makes no sense is 0.
func weightOf(parameter string) int {
	if parameter == "" {
		return 1000
	}
	name, value, _ := strings.Cut(parameter, "=")
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if !strings.EqualFold(strings.TrimSpace(name), "q") || err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return int(q * 1000)
}
