// sim_capacity.go reads how large a cache is to be.

package main

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

var (
	errCapacity = errors.New("not a size: write entries (1000) or a share of the keys (5%)")
	errInBytes  = errors.New("a size in bytes needs --weights: write entries (1000) or a share (5%)")
	errNothing  = errors.New("a cache of nothing: give 1 or more")
)

// parseCapacity reads a number of entries, or of bytes, or a share of whole, and rounds it up to 1.
func parseCapacity(text string, bytes bool, whole uint64) (uint64, error) {
	n, err := capacity(strings.TrimSpace(text), bytes, float64(whole))
	if err == nil && n == 0 {
		return 0, errNothing
	}
	return n, err
}

func capacity(text string, bytes bool, whole float64) (uint64, error) {
	if number, ok := strings.CutSuffix(text, "%"); ok {
		share, err := strconv.ParseFloat(number, 64)
		if err != nil || !(share >= 0 && share <= 10_000) {
			return 0, errCapacity
		}
		if share == 0 {
			return 0, nil
		}
		return uint64(max(1, math.Floor(share/100*whole))), nil
	}
	if bytes {
		n, err := parseSize(text)
		return uint64(n), err
	}
	n, err := strconv.ParseUint(strings.ReplaceAll(text, "_", ""), 10, 62)
	if err == nil {
		return n, nil
	}
	if _, err := parseSize(text); err == nil {
		return 0, errInBytes
	}
	return 0, errCapacity
}
