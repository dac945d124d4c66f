// units.go reads how much of something there is.

// Package units reads sizes as people write them.
package units

import (
	"math"
	"strconv"
	"strings"
)

// ParseSize reads a number of bytes, with a decimal (MB) or binary (MiB, M) unit. ok is false if it
// is none, negative, or more than an int64 holds.
func ParseSize(text string) (n int64, ok bool) {
	number := strings.TrimRight(text, "BKMGTbkmgti")
	unit, ok := sizeUnit(text[len(number):])
	if !ok {
		return 0, false
	}
	count, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !(count >= 0 && count*unit < math.MaxInt64) {
		return 0, false
	}
	return int64(count * unit), true
}

func sizeUnit(name string) (float64, bool) {
	name = strings.ToUpper(name)
	if name == "" || name == "B" {
		return 1, true
	}
	power := 1 + strings.IndexByte("KMGT", name[0])
	switch {
	case power == 0:
		return 0, false
	case name[1:] == "B":
		return math.Pow(1000, float64(power)), true
	case name[1:] == "IB" || name[1:] == "":
		return math.Pow(1024, float64(power)), true
	}
	return 0, false
}
