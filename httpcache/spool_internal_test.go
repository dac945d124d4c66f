// spool_internal_test.go proves that every reader of a spool gets the whole body, or an error.

package httpcache

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// randomBody returns a body of n bytes that is the same for the same seed.
func randomBody(seed uint64, n int) []byte {
	body, r := make([]byte, n), rand.New(rand.NewPCG(seed, 1))
	for i := range body {
		body[i] = byte(r.Uint32())
	}
	return body
}

// feed writes body in pieces of random sizes.
func feed(s *spool, body []byte) error {
	for len(body) > 0 {
		n := min(len(body), 1+rand.IntN(3000))
		if _, err := s.Write(body[:n]); err != nil {
			return err
		}
		body = body[n:]
	}
	return nil
}

// readSlowly reads in pieces of random sizes.
func readSlowly(r io.Reader) ([]byte, error) {
	var got []byte
	for {
		buf := make([]byte, 1+rand.IntN(2000))
		n, err := r.Read(buf)
		got = append(got, buf[:n]...)
		if err == io.EOF {
			return got, nil
		}
		if err != nil {
			return got, err
		}
	}
}

func TestEveryReaderOfASpoolGetsTheWholeBody(t *testing.T) {
	for name, tc := range map[string]struct{ memory, window, size int64 }{
		"in memory": {10_000, 10_000, 10_000}, "in a file": {1000, 100_000, 50_000},
		"through a window": {1000, 4000, 100_000}, "all window": {4000, 4000, 100_000},
		"no budget": {100_000, 200_000, 30_000}, "empty": {10, 10, 0}, "exact": {10, 4096, 4096},
	} {
		t.Run(name, func(t *testing.T) {
			var budget atomic.Int64
			budget.Store(20_000)
			dir := t.TempDir()
			s := &spool{
				dir: dir, memory: tc.memory, window: tc.window, budget: &budget, patience: time.Minute,
				readers: map[*spoolReader]struct{}{},
			}
			body := randomBody(1, int(tc.size))
			var all sync.WaitGroup
			for range 5 {
				r := s.join(context.Background())
				all.Go(func() {
					defer r.Close()
					if got, err := readSlowly(r); err != nil || !bytes.Equal(got, body) {
						t.Errorf("read %d bytes of %d, %v", len(got), len(body), err)
					}
				})
			}
			if err := feed(s, body); err != nil {
				t.Error(err)
			}
			s.end(io.EOF)
			all.Wait()
			if names, err := os.ReadDir(dir); err != nil || len(names) > 0 || budget.Load() != 20_000 {
				t.Errorf("left: %v, %v; budget %d", names, err, budget.Load())
			}
		})
	}
}

func TestABodyThatNobodyReadsGoesNoFurtherThanItsWindow(t *testing.T) {
	var budget atomic.Int64
	s := &spool{
		dir: t.TempDir(), window: 1000, budget: &budget, patience: time.Minute, readers: map[*spoolReader]struct{}{},
	}
	r := s.join(context.Background())
	r.Close()
	if err := feed(s, make([]byte, 5000)); !errors.Is(err, errAbandoned) {
		t.Errorf("feed = %v", err)
	}
	s.end(errAbandoned)
	if s.join(context.Background()) != nil {
		t.Error("somebody joined")
	}
}

func TestAReaderOfASpoolStopsWaitingWhenItsContextEnds(t *testing.T) {
	var budget atomic.Int64
	s := &spool{memory: 10, window: 10, budget: &budget, readers: map[*spoolReader]struct{}{}}
	ctx, cancel := context.WithCancel(t.Context())
	r := s.join(ctx)
	defer r.Close()
	cancel()
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("Read = %v", err)
	}
}
