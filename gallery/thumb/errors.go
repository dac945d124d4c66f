// errors.go lists what can be wrong with a picture, each of which is a label on a tile.

package thumb

import (
	"context"
	"errors"
	"fmt"
)

// The errors that one can test with errors.Is. What is returned wraps one of them and says more.
// Errors of a context pass through as they are.
var (
	// ErrFormat is returned for what is not a picture that this package knows.
	ErrFormat = errors.New("not a picture of a known format")
	// ErrTooLarge is returned for a picture that needs more memory than Options.Memory alone.
	ErrTooLarge = errors.New("picture is too large")
	// ErrDamaged is returned for a picture that cannot be decoded, and wraps why.
	ErrDamaged = errors.New("picture is damaged")
	// ErrNoProgram is returned for a picture that needs a program which is not there; the message
	// says which.
	ErrNoProgram = errors.New("no program for this format")
	// ErrNoPreview is returned by Preview for a file without a small picture in it.
	ErrNoPreview = errors.New("no preview in the file")
)

// damaged wraps what a decoder said. Errors of a context are not the picture's fault.
func damaged(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("thumb: %w: %w", ErrDamaged, err)
}
