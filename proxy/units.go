// units.go reads sizes and durations as people write them.

package proxy

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/internal/units"
)

var (
	errSize     = errors.New(`not a size: write "64MiB", "10MB" or plain bytes`)
	errDuration = errors.New(`not a duration: write "30s", "15m", "1h30m" or "7d"`)
)

// Size counts bytes; in a file "64MiB", "10MB" or 65536.
type Size int64

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(text []byte) error {
	n, ok := units.ParseSize(string(text))
	if !ok {
		return errSize
	}
	*s = Size(n)
	return nil
}

// Duration is a time.Duration; in a file "30s", "15m" or "7d".
type Duration time.Duration

// maxDuration is the longest a file can ask for: two of them still fit into a time.
const maxDuration = 100 * 365 * 24 * time.Hour

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	n, err := parseDuration(string(text))
	if err != nil || n < 0 || n > maxDuration {
		return errDuration
	}
	*d = Duration(n)
	return nil
}

func parseDuration(text string) (time.Duration, error) {
	days, ok := strings.CutSuffix(text, "d")
	if !ok {
		return time.ParseDuration(text)
	}
	n, err := strconv.ParseFloat(days, 64)
	if err != nil || !(math.Abs(n) <= 36500) {
		return 0, errDuration
	}
	return time.Duration(n * float64(24*time.Hour)), nil
}

// String returns the duration as Go writes it.
func (d Duration) String() string { return time.Duration(d).String() }

// Std returns the duration as one of package time.
func (d Duration) Std() time.Duration { return time.Duration(d) }
