// validate.go gives answers an ETag, and does not send again what the browser has.

package browsercache

import (
	"bufio"
	"crypto/sha256"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// ValidateOptions says how Validate works. The zero value is right for most.
type ValidateOptions struct {
	// MaxBytes is how much of an answer is held back to make its ETag. What is longer is streamed
	// as it comes, without one. Each request that is under way may take so much memory. 0 means
	// 1 MiB.
	MaxBytes int
	// Weak makes weak ETags. Set it where something between this handler and the browser changes
	// the bytes, as a middleware does that compresses: a strong ETag promises the same bytes. A
	// handler inside that compresses needs no Weak: what it writes is what is hashed.
	Weak bool
}

// Validate returns a handler that answers GET and HEAD as next does, but where next would answer
// with 200 and the browser has that version already, with 304 and no body; and where the client
// demands a version (If-Match, If-Unmodified-Since) that this is not, with 412. next does its work
// all the same; to save that too, call Answered in it.
//
// The version is the ETag and the Last-Modified that next sets. Where it sets no ETag, the answer
// is held back until it is complete, and its ETag is a hash of it. What is longer than MaxBytes, is
// flushed or hijacked, declares trailers, is text/event-stream or says no-store is not held back:
// it goes out as it comes, as do all other methods and answers. If next panics, nothing of what was
// held back is sent.
//
// What next writes may be an http.Flusher, http.Hijacker and io.ReaderFrom, and
// http.ResponseController reaches what is below.
func Validate(next http.Handler, o ValidateOptions) http.Handler {
	if o.MaxBytes < 0 {
		panic("browsercache: ValidateOptions: MaxBytes is negative")
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 1 << 20
	}
	return &validating{next: next, options: o}
}

type validating struct {
	next    http.Handler
	options ValidateOptions
	buffers sync.Pool // of *[]byte
}

// ServeHTTP implements http.Handler.
func (v *validating) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		v.next.ServeHTTP(w, r)
		return
	}
	buffer, ok := v.buffers.Get().(*[]byte)
	if !ok {
		buffer = new([]byte)
	}
	d := &draft{rw: w, r: r, options: v.options, body: (*buffer)[:0]}
	v.next.ServeHTTP(d, r)
	d.finish() // not deferred: half a page of a handler that panicked is none
	*buffer = d.body
	d.stage, d.body = dropped, nil // a goroutine that next forgot writes into no other page
	v.buffers.Put(buffer)
}

// draft is an answer of which it is not known yet whether it will be sent.
type draft struct {
	rw      http.ResponseWriter
	r       *http.Request
	options ValidateOptions
	stage   stage
	body    []byte // of what is held back
}

// stage is how far an answer has come.
type stage uint8

const (
	unbegun  stage = iota // no header yet
	held                  // the header is there, and some of the body
	streamed              // what comes goes out
	dropped               // 304 or 412 was sent: what comes is not
)

// Header implements http.ResponseWriter.
func (d *draft) Header() http.Header { return d.rw.Header() }

// WriteHeader implements http.ResponseWriter. Another call does nothing.
func (d *draft) WriteHeader(status int) {
	switch h := d.Header(); {
	case d.stage != unbegun:
	case isInformational(status):
		d.rw.WriteHeader(status)
	case status != http.StatusOK:
		d.stage = streamed
		d.rw.WriteHeader(status)
	case h.Get("ETag") != "":
		d.send(h.Get("ETag"))
	case d.flows(h):
		d.send("")
	default:
		d.stage = held
	}
}

// flows tells whether an answer is not to be held back.
func (d *draft) flows(h http.Header) bool {
	if len(h["Trailer"]) > 0 || hasNoStore(h) {
		return true
	}
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	length, _ := strconv.ParseInt(h.Get("Content-Length"), 10, 64)
	return kind == "text/event-stream" || length > int64(d.options.MaxBytes)
}

func hasNoStore(h http.Header) bool {
	for _, field := range h["Cache-Control"] {
		for directive := range strings.SplitSeq(field, ",") {
			if strings.EqualFold(strings.TrimSpace(directive), "no-store") {
				return true
			}
		}
	}
	return false
}

// send decides what the client gets, and sends the header.
func (d *draft) send(tag string) {
	h := d.Header()
	modified, _ := http.ParseTime(h.Get("Last-Modified")) // zero if there is none
	verdict := proceed
	if tag != "" || len(d.r.Header["If-Match"]) == 0 { // which version is streamed nobody knows
		verdict = judge(d.r, Version{tag, modified})
	}
	if verdict == proceed {
		d.stage = streamed
		d.rw.WriteHeader(http.StatusOK)
		return
	}
	d.stage = dropped
	strip(h, verdict)
	d.rw.WriteHeader(int(verdict))
}

// Write implements http.ResponseWriter.
func (d *draft) Write(b []byte) (int, error) {
	d.WriteHeader(http.StatusOK)
	if d.stage == held && len(b) > d.options.MaxBytes-len(d.body) {
		if err := d.letGo(); err != nil {
			return 0, err
		}
	}
	switch d.stage {
	case streamed:
		return d.rw.Write(b)
	case held:
		d.body = append(d.body, b...)
	}
	return len(b), nil
}

// letGo sends what was held back so far, without an ETag.
func (d *draft) letGo() error {
	d.send("")
	return d.release()
}

// release sends the body that was held back, if it is to be sent.
func (d *draft) release() error {
	body := d.body
	d.body = d.body[:0]
	if d.stage != streamed || len(body) == 0 {
		return nil
	}
	_, err := d.rw.Write(body)
	return err
}

// ReadFrom implements io.ReaderFrom: what is streamed may go out without a copy.
func (d *draft) ReadFrom(r io.Reader) (int64, error) {
	d.WriteHeader(http.StatusOK)
	if d.stage == streamed {
		return io.Copy(d.rw, r)
	}
	return io.Copy(struct{ io.Writer }{d}, r)
}

// FlushError is what http.ResponseController calls.
func (d *draft) FlushError() error {
	d.WriteHeader(http.StatusOK)
	if d.stage == held {
		if err := d.letGo(); err != nil {
			return err
		}
	}
	return http.NewResponseController(d.rw).Flush()
}

// Flush implements http.Flusher.
func (d *draft) Flush() { _ = d.FlushError() }

// Hijack implements http.Hijacker.
func (d *draft) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rest, err := http.NewResponseController(d.rw).Hijack()
	if err == nil {
		d.stage = dropped
	}
	return conn, rest, err
}

// Unwrap lets http.ResponseController reach what is below.
func (d *draft) Unwrap() http.ResponseWriter { return d.rw }

// finish ends the answer when the handler has returned.
func (d *draft) finish() {
	d.WriteHeader(http.StatusOK)
	if d.stage != held {
		return
	}
	if d.r.Method == http.MethodHead && len(d.body) == 0 { // who knows what GET would have got
		d.send("")
		return
	}
	h, tag := d.Header(), d.tag()
	h.Set("ETag", tag)
	if h.Get("Content-Length") == "" && h.Get("Transfer-Encoding") == "" && !hasTrailers(h) {
		h.Set("Content-Length", strconv.Itoa(len(d.body)))
	}
	d.send(tag)
	_ = d.release() // the client has gone; nobody is left to tell
}

// hasTrailers tells whether there is something to say after the body that was not declared before.
func hasTrailers(h http.Header) bool {
	for name := range h {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			return true
		}
	}
	return false
}

// tag returns the ETag of the answer. Two that differ in type, language or encoding are two, though
// their bytes be the same.
func (d *draft) tag() string {
	h, hash := d.Header(), sha256.New()
	for _, name := range [...]string{"Content-Type", "Content-Encoding", "Content-Language"} {
		hash.Write([]byte(strings.Join(h[name], ",") + "\n"))
	}
	hash.Write(d.body)
	tag := quoted(hash.Sum(nil))
	if d.options.Weak {
		return "W/" + tag
	}
	return tag
}
