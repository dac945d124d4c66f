// wrk.go runs wrk and reads what it says.

package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// result is one turn.
type result struct {
	rate float64 // requests a second
	p99  time.Duration
}

const connections = 64

func wrk(ctx context.Context, url string, seconds int) (result, error) {
	cmd := exec.CommandContext(ctx, "wrk", "-t1", fmt.Sprint("-c", connections),
		fmt.Sprintf("-d%ds", seconds), "--latency", "--timeout", "10s", url)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return result{}, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	r, err := parseWrk(string(out))
	if err != nil {
		return result{}, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	return r, nil
}

var (
	rateLine = regexp.MustCompile(`(?m)^Requests/sec:\s+([0-9.]+)\s*$`)
	p99Line  = regexp.MustCompile(`(?m)^\s+99%\s+([0-9.]+(?:us|ms|s|m))\s*$`)
)

// parseWrk reads the output of wrk. Answers that are no success are an error.
func parseWrk(text string) (r result, err error) {
	if strings.Contains(text, "Non-2xx") || strings.Contains(text, "Socket errors") {
		return r, fmt.Errorf("not all answers were good")
	}
	rate, p99 := rateLine.FindStringSubmatch(text), p99Line.FindStringSubmatch(text)
	if rate == nil || p99 == nil {
		return r, fmt.Errorf("no figures")
	}
	if r.rate, err = strconv.ParseFloat(rate[1], 64); err != nil {
		return r, err
	}
	r.p99, err = time.ParseDuration(p99[1])
	return r, err
}
