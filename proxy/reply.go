// reply.go watches an answer on its way to the client.

package proxy

import (
	"bufio"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// replyPiece is how much of a body is written under one deadline, in bytes.
const replyPiece = 32 << 10

// reply is the http.ResponseWriter of the cache, where somebody wants to know more of an answer
// than the server tells: its status and size, or whether its stream stands still.
type reply struct {
	http.ResponseWriter
	code  int
	bytes int64
	last  bool          // the connection ends after this answer
	stall time.Duration // of a stream of HTTP/2 or 3; 0 leaves it to the connection
	cut   *time.Timer   // ends the stream

	mu      sync.Mutex // guards the field below; held while the stream is ended
	sending bool       // something waits for the client
}

// WriteHeader implements http.ResponseWriter.
func (w *reply) WriteHeader(code int) {
	if w.last {
		w.Header()["Connection"] = []string{"close"}
	}
	if code >= 200 || code == http.StatusSwitchingProtocols {
		w.code = code
	}
	w.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (w *reply) Write(p []byte) (n int, err error) {
	if w.code == 0 {
		w.WriteHeader(http.StatusOK)
	}
	for {
		piece := p[n:]
		if w.stall > 0 {
			piece = piece[:min(len(piece), replyPiece)]
		}
		m, err := w.sends(func() (int, error) { return w.ResponseWriter.Write(piece) })
		n += m
		w.bytes += int64(m)
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// sends calls what waits for the client, and ends the stream if that takes too long. While the origin
// is waited for nothing ends it: a write deadline of HTTP/2 would, since it is not only for writes.
func (w *reply) sends(send func() (int, error)) (int, error) {
	if w.stall == 0 {
		return send()
	}
	w.begin()
	defer w.rest()
	return send()
}

// begin notes that something waits for the client.
func (w *reply) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sending = true
	if w.cut == nil {
		w.cut = time.AfterFunc(w.stall, w.end)
		return
	}
	w.cut.Reset(w.stall)
}

// rest notes that nothing waits for it any more.
func (w *reply) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sending = false
	w.cut.Stop()
}

// end ends the stream, unless the client has taken what it waits for.
func (w *reply) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sending {
		_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Unix(1, 0))
	}
}

// finish leaves what is still to be sent to the server, for as long as a client may stand still.
func (w *reply) finish() {
	if w.stall > 0 {
		deadline := time.Now().Add(w.stall)
		_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(deadline)
	}
}

// Flush implements http.Flusher.
func (w *reply) Flush() { _ = w.FlushError() }

// FlushError is what http.ResponseController calls.
func (w *reply) FlushError() error {
	if w.code == 0 {
		w.WriteHeader(http.StatusOK)
	}
	_, err := w.sends(func() (int, error) {
		return 0, http.NewResponseController(w.ResponseWriter).Flush()
	})
	return err
}

// Hijack is what http.ResponseController calls for an upgrade, to a WebSocket, say.
func (w *reply) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.code = http.StatusSwitchingProtocols
	}
	return c, buffered, err
}

// Unwrap lets http.ResponseController reach what the server can do.
func (w *reply) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// retrying is the http.ResponseWriter of an answer for which an origin may be missing.
type retrying struct {
	http.ResponseWriter
	wait time.Duration
}

// WriteHeader implements http.ResponseWriter. It tells clients when to come back.
func (w *retrying) WriteHeader(code int) {
	if h := w.Header(); code == http.StatusServiceUnavailable && h["Retry-After"] == nil {
		seconds := int64((w.wait + time.Second - 1) / time.Second)
		h["Retry-After"] = []string{strconv.FormatInt(seconds, 10)}
	}
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController reach what the server can do.
func (w *retrying) Unwrap() http.ResponseWriter { return w.ResponseWriter }
