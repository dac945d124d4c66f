// errors_internal_test.go tells refusals from failures.

package scrape

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestRefusalsAreNoFailures(t *testing.T) {
	for err, want := range map[error]bool{
		ErrURL: true, ErrScheme: true, ErrDisallowed: true, ErrPrivateAddress: true,
		ErrBodyTooLarge: true, ErrEncoding: true, ErrNotCached: true,
		ErrRobots: false, ErrBusy: false, ErrTimeout: false, ErrRedirect: false,
		context.Canceled: false, io.ErrUnexpectedEOF: false,
	} {
		said := fmt.Errorf("above: %w", failed("http://a/", fmt.Errorf("%w: because", err)))
		refused, ok := errors.AsType[interface {
			error
			Refused() bool
		}](said)
		if !ok || refused.Refused() != want {
			t.Errorf("%v: refused = %v, want %v", said, !want, want)
		}
	}
	if e := unreachable(ErrEncoding); failed("", e).(*fetchError).Refused() {
		t.Errorf("%v is a refusal, want a failure", e)
	}
}
