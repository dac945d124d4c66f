// warm_total.go asks for all that warm found, and adds up what became of it.

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// maxComplaints is how many failures are named: a site that is down has them by the thousand.
const maxComplaints = 20

// complain says what is wrong with one address.
func (w *warm) complain(address string, err error) {
	fmt.Fprintf(os.Stderr, "larder: warm: %s: %s\n", printable(address), oneLine(warmTrouble(err)))
}

// askAll asks for all pages in all variants, several at a time. It returns why it stopped before
// the end, if it did.
func (w *warm) askAll(
	ctx context.Context, a *asker, out io.Writer, pages []wanted, t *warmTotals,
) error {
	inner, stop := context.WithCancel(ctx)
	defer stop()
	progress := newProgress(w.g)
	defer progress.end()
	var stopped error
	for r := range a.replies(inner, pages) {
		if inner.Err() != nil && r.err != nil {
			continue // not its own failure
		}
		t.count(r)
		progress.line(fmt.Sprintf("%d of %d, %d hits, %d failed, %s", t.Asked+t.Disallowed,
			len(pages)*len(w.variants), t.Hits, t.Failed, oneLine(r.URL)))
		if err := w.tell(out, r, t, progress); err != nil {
			stopped = cmp.Or(stopped, err)
			stop()
		}
	}
	return cmp.Or(ctx.Err(), stopped)
}

// tell says what became of one page. An error means that there is no sense in going on.
func (w *warm) tell(out io.Writer, r reply, t *warmTotals, progress *progress) error {
	if r.Outcome == pageFailed && t.Failed <= maxComplaints {
		progress.clear()
		w.complain(r.URL, r.err)
	}
	if w.asJSON {
		if err := writeJSON(out, r); err != nil {
			return fmt.Errorf("warm: %w", err)
		}
	}
	if t.inARow >= maxInARow {
		return t.givenUp()
	}
	return nil
}

// replies yields what becomes of each page in each variant, as soon as it is known.
func (a *asker) replies(ctx context.Context, pages []wanted) <-chan reply {
	type request struct {
		page    wanted
		variant int
	}
	requests, results := make(chan request), make(chan reply)
	names := differing(a.w.variants)
	var workers sync.WaitGroup
	for range a.w.jobs {
		workers.Go(func() {
			for r := range requests {
				got := a.ask(ctx, r.page, a.w.variants[r.variant])
				got.Header = names[r.variant]
				results <- got
			}
		})
	}
	go func() {
		defer func() { close(requests); workers.Wait(); close(results) }()
		for _, page := range pages {
			for i := range a.w.variants {
				select {
				case requests <- request{page, i}:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return results
}

// warmTotals are what warm prints at its end.
type warmTotals struct {
	Asked        int   `json:"asked"` // requests, one for each page and variant
	Hits         int   `json:"hits"`
	Loaded       int   `json:"loaded"`
	Unkept       int   `json:"unkept"` // of those loaded: no shared cache may keep them
	Failed       int   `json:"failed"`
	FailedFiles  int   `json:"failed_files"` // sitemaps
	Disallowed   int   `json:"disallowed"`   // by robots.txt, not asked for
	Foreign      int   `json:"foreign"`      // on other hosts, not asked for
	Bad          int   `json:"bad"`          // entries and lines that are no address to ask for
	Bytes        int64 `json:"bytes"`        // of bodies, as they were sent
	Milliseconds int64 `json:"ms"`

	inARow int // requests that failed since one did not
}

func (t *warmTotals) count(r reply) {
	if r.Outcome == pageDisallowed {
		t.Disallowed++
		return
	}
	t.Asked++
	t.Bytes += r.Bytes
	t.inARow++
	if r.err == nil || r.Status > 0 && r.Status < 500 && r.Status != http.StatusTooManyRequests {
		t.inARow = 0 // the host is there
	}
	switch r.Outcome {
	case pageHit:
		t.Hits++
	case pageLoaded:
		t.Loaded++
	default:
		t.Failed++
	}
	if r.unkept {
		t.Unkept++
	}
}

// givenUp is the error of too many failures. It ends warm as the totals would.
func (t *warmTotals) givenUp() error {
	code := exitPartly
	if t.Failed == t.Asked {
		code = exitFailed
	}
	return exitf(code, "warm: given up after %d failures in a row", t.inARow)
}

func (w *warm) print(out io.Writer, t *warmTotals) error {
	if w.asJSON {
		return writeJSON(out, t)
	}
	took := roughly(time.Duration(t.Milliseconds) * time.Millisecond)
	text := fmt.Sprintf("asked for %s in %s: %s, %d loaded, %d failed; %s\n",
		formatNumbers(t.Asked, "page", "pages"), took, formatNumbers(t.Hits, "hit", "hits"),
		t.Loaded, t.Failed, formatSize(t.Bytes))
	for _, left := range []struct {
		n   int
		why string
	}{
		{t.Unkept, "%s loaded that no shared cache may keep\n"},
		{t.Disallowed, "%s left out that robots.txt disallows\n"},
		{t.Foreign, "%s left out on other hosts\n"},
		{t.Bad, "%s left out that cannot be asked for\n"},
	} {
		if left.n > 0 {
			text += fmt.Sprintf(left.why, formatNumbers(left.n, "entry", "entries"))
		}
	}
	return writeAll(out, text)
}

// exit returns how it went. Nothing to ask for is a failure: whoever warms a cache expects pages.
func (t *warmTotals) exit() error {
	failed := t.Failed + t.FailedFiles
	switch {
	case t.Asked == 0 && failed == 0:
		return exitf(exitFailed, "warm: no page was found to ask for")
	case failed == 0:
		return nil
	case t.Asked == t.Failed:
		return exitWith(exitFailed)
	}
	return exitWith(exitPartly)
}
