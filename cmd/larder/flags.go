// flags.go reads sizes, durations, and the environment variables that stand in for flags.

package main

import (
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/larder-go/larder/internal/units"
)

// forever is a duration that does not end.
const forever = duration(math.MaxInt64)

// longest is the longest duration that is not forever. Two of them from now still fit into the
// nanoseconds since 1970 that a store keeps.
const longest = 100 * 365 * 24 * time.Hour

var (
	errSize     = errors.New("not a size: write 64MiB, 10MB or plain bytes")
	errDuration = errors.New("not a duration: write 30s, 15m, 1h30m or 7d")
	errForever  = errors.New("over 100 years: write forever")
)

// size is a flag that counts bytes.
type size int64

func (s *size) String() string { return formatSize(int64(*s)) }
func (s *size) Type() string   { return "SIZE" }

func (s *size) Set(text string) error {
	n, err := parseSize(text)
	*s = size(n)
	return err
}

// parseSize reads bytes, with a decimal (MB) or binary (MiB, M) unit.
func parseSize(text string) (int64, error) {
	n, ok := units.ParseSize(text)
	if !ok {
		return 0, errSize
	}
	return n, nil
}

// duration is a flag that measures time.
type duration time.Duration

func (d *duration) String() string { return formatDuration(time.Duration(*d)) }
func (d *duration) Type() string   { return "DURATION" }

func (d *duration) Set(text string) error {
	n, err := parseDuration(text)
	*d = duration(n)
	return err
}

// parseDuration reads what time.ParseDuration reads, days (7d), and "forever".
func parseDuration(text string) (time.Duration, error) {
	if text == "forever" {
		return time.Duration(forever), nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		return parseDays(days)
	}
	n, err := time.ParseDuration(text)
	switch {
	case err != nil || n < 0:
		return 0, errDuration
	case n > longest:
		return 0, errForever
	}
	return n, nil
}

func parseDays(text string) (time.Duration, error) {
	const day = 24 * time.Hour
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || !(n >= 0):
		return 0, errDuration
	case n > float64(longest/day):
		return 0, errForever
	}
	return time.Duration(n * float64(day)), nil
}

// fromEnv sets the flags of cmd that were not given from variables such as LARDER_MAX_SIZE. Flags
// that name one entry or delete things have no variable.
func fromEnv(cmd *cobra.Command) error {
	names := []string{"cache-dir", "max-size", "quiet", "ttl", "stale", "max-output", "timeout"}
	for _, name := range names {
		flag := cmd.Flags().Lookup(name)
		variable := "LARDER_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		text := os.Getenv(variable)
		if flag == nil || flag.Changed || text == "" {
			continue
		}
		if err := cmd.Flags().Set(name, text); err != nil {
			return usagef("%s$%s %q: %w", within(cmd), variable, text, innermost(err))
		}
		flag.Annotations = map[string][]string{setBy: {"$" + variable}}
	}
	return nil
}

// setBy annotates a flag with the variable that stands in for it.
const setBy = "larder-set-by"

// spelled returns the name of a flag as the user set it.
func spelled(cmd *cobra.Command, name string) string {
	if by := cmd.Flags().Lookup(name).Annotations[setBy]; len(by) > 0 {
		return by[0]
	}
	return "--" + name
}

func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
