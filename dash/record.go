// record.go records the requests of some seconds as a file for larder sim.

package dash

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/trace"
)

const (
	longestRecording = 5 * time.Minute
	mostAccesses     = 5_000_000
	usualAccesses    = 1_000_000 // where the request says nothing: 20 MB while it is recorded
)

// recordingFormat is the one that has sizes; package trace knows it by its content.
const recordingFormat = "oracleGeneral"

// serveRecording records, and then answers with all of it at once.
func (h *Handler) serveRecording(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if r.Method != http.MethodGet {
		return refuse(http.StatusMethodNotAllowed, "a recording is had by GET")
	}
	length, most, err := recordingOf(q)
	if err != nil {
		return err
	}
	c, err := h.choose(q)
	if err != nil {
		return err
	}
	inspector, err := c.inspector()
	if err != nil {
		return err
	}
	if !h.record.TryLock() {
		return refuse(http.StatusConflict, "somebody else records now: try again later")
	}
	defer h.record.Unlock()
	outlast(w, length)
	t, err := recordFor(r.Context(), inspector, length, most)
	if err != nil {
		return err
	}
	return sendTrace(w, c.shot.Name, t)
}

// recordingOf returns how long to record and how many requests at most.
func recordingOf(q url.Values) (length time.Duration, most int, err error) {
	length, err = time.ParseDuration(q.Get("record"))
	if err != nil || length <= 0 || length > longestRecording {
		return 0, 0, refuse(http.StatusBadRequest,
			fmt.Sprintf("record must be a time up to %v, such as 10s", longestRecording))
	}
	if !q.Has("most") {
		return length, usualAccesses, nil
	}
	most, err = strconv.Atoi(q.Get("most"))
	if err != nil || most < 1 || most > mostAccesses {
		return 0, 0, refuse(http.StatusBadRequest,
			fmt.Sprintf("most must be a number from 1 to %d", mostAccesses))
	}
	return length, most, nil
}

// recordFor records for some time. It is an error if there is nothing to show for it.
func recordFor(ctx context.Context, i stats.Inspector, length time.Duration, most int) (
	*trace.Trace, error) {
	timed, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	r := recording{most: most, numbers: map[uint64]uint32{}}
	err := i.Record(timed, most, r.add)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err() // nobody waits for it any more
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		return nil, err
	case len(r.keys) == 0:
		return nil, refuse(http.StatusNotFound,
			fmt.Sprintf("nobody asked for anything in %v: there is nothing to record", length))
	}
	return r.trace(), nil
}

// recording is accesses as they come. Keys are numbered by their first appearance.
type recording struct {
	most    int
	numbers map[uint64]uint32
	keys    []uint32
	sizes   []uint32 // of the accesses; 0: not known
	weights []uint32 // of the keys, as was last heard; 0: never
}

func (r *recording) add(a stats.Access) {
	if len(r.keys) >= r.most {
		return
	}
	n, ok := r.numbers[a.Key]
	if !ok {
		n = uint32(len(r.numbers))
		r.numbers[a.Key] = n
		r.weights = append(r.weights, 0)
	}
	if a.Weight > 0 {
		r.weights[n] = a.Weight
	}
	r.keys = append(r.keys, n)
	r.sizes = append(r.sizes, a.Weight)
}

// trace returns what was recorded. A miss does not know the weight of what comes: it gets that of
// its key at another time.
func (r *recording) trace() *trace.Trace {
	for i, size := range r.sizes {
		if size == 0 {
			r.sizes[i] = r.weights[r.keys[i]]
		}
	}
	return &trace.Trace{Keys: r.keys, Sizes: r.sizes, Distinct: len(r.numbers)}
}

// sendTrace answers with a trace as a file.
func sendTrace(w http.ResponseWriter, part string, t *trace.Trace) error {
	name := fileName(part) + time.Now().UTC().Format("-20060102-150405.") + recordingFormat + ".gz"
	w.Header().Set("Content-Type", "application/gzip")
	w.Header().Set("Content-Disposition",
		mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	out := gzip.NewWriter(w)
	err := trace.Write(out, t, recordingFormat)
	if err := errors.Join(err, out.Close()); err != nil {
		panic(http.ErrAbortHandler) // half of it is sent: the client must see that it broke off
	}
	return nil
}

// fileName returns what is left of a name that all systems take for a file.
func fileName(name string) string {
	plain := func(r rune) rune {
		letter := r < 128 && r|32 >= 'a' && r|32 <= 'z'
		if letter || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r) {
			return r
		}
		return '-'
	}
	name = strings.Trim(strings.Map(plain, name), "-.")
	if name == "" {
		return "cache"
	}
	return name[:min(len(name), 60)]
}
