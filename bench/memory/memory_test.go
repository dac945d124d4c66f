package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log"
	"path/filepath"
	"strings"
	"testing"

	"github.com/larder-go/larder/trace"
)

// small is every measurement at a size that takes no time: it shows that they run, and no figure.
func small(t *testing.T) [][]string {
	return [][]string{
		{"throughput", "-reads", "75", "-goroutines", "1,2", "-ops", "2000", "-rounds", "2",
			"-keys", "4096", "-entries", "512"},
		{"ttl", "-goroutines", "2", "-ops", "2000", "-rounds", "1", "-entries", "512"},
		{"memory", "-entries", "2000", "-rounds", "1"},
		{"bound", "-entries", "100", "-writers", "2", "-each", "2000"},
		{"loading", "-callers", "20", "-panicked", "5", "-load", "5ms", "-patience", "2ms"},
		{"hitratio", "-percents", "20", "-least", "10", traceFile(t)},
	}
}

func traceFile(t *testing.T) string {
	var text strings.Builder
	for i := range 4000 {
		text.WriteString("key" + string(rune('a'+i%7*i%26)) + string(rune('a'+i%13)) + "\n")
	}
	read, err := trace.Read(strings.NewReader(text.String()), trace.Options{Format: "text"})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "letters.u32.gz")
	if err := trace.Create(file, read, "u32"); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestEveryMeasurementRunsWithEveryContestant(t *testing.T) {
	log.SetOutput(io.Discard)
	for _, args := range small(t) {
		t.Run(args[0], func(t *testing.T) {
			var out bytes.Buffer
			if err := run(args, &out, io.Discard); err != nil {
				t.Fatalf("%v: %v", args, err)
			}
			for _, name := range names(contestants()) {
				if !strings.Contains(out.String(), "| "+name+" |") {
					t.Errorf("%v: no %s in\n%s", args, name, out.String())
				}
			}
		})
	}
}

func TestEveryMeasurementPrintsJSON(t *testing.T) {
	log.SetOutput(io.Discard)
	for _, args := range small(t) {
		t.Run(args[0], func(t *testing.T) {
			var out bytes.Buffer
			args := append([]string{args[0], "--json", "--only", "larder"}, args[1:]...)
			if err := run(args, &out, io.Discard); err != nil {
				t.Fatalf("%v: %v", args, err)
			}
			for line := range strings.Lines(out.String()) {
				var row map[string]any
				if err := json.Unmarshal([]byte(line), &row); err != nil || row["table"] == nil {
					t.Errorf("%v: %v in %s", args, err, line)
				}
			}
		})
	}
}

func TestEveryCommandIsTestedAtSmallSize(t *testing.T) {
	tested := map[string]bool{}
	for _, args := range small(t) {
		tested[args[0]] = true
	}
	for _, c := range commands() {
		if !tested[c.name] {
			t.Errorf("%s is not in small", c.name)
		}
	}
}

func TestCallsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, args := range [][]string{
		nil, {"speed"}, {"ttl", "-rounds", "0"}, {"ttl", "file"}, {"hitratio"},
		{"throughput", "-reads", "few"},
	} {
		if err := run(args, io.Discard, io.Discard); !errors.Is(err, errUsage) {
			t.Errorf("%v: got %v, want a usage error", args, err)
		}
	}
	for _, args := range [][]string{
		{"ttl", "-only", "nobody"}, {"throughput", "-skew", "1"}, {"hitratio", "no such file"},
	} {
		if err := run(args, io.Discard, io.Discard); err == nil {
			t.Errorf("%v: got no error", args)
		}
	}
	if err := run([]string{"ttl", "-h"}, io.Discard, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h: got %v", err)
	}
}

func TestContestantsKeepWhatFits(t *testing.T) {
	for _, c := range contestants() {
		for _, end := range []struct {
			name  string
			cache numbers
		}{{"without TTL", c.numbers(1000, noTTL)}, {"with TTL", c.numbers(1000, far)}} {
			end.cache.set(1, 2)
			end.cache.settle()
			if v, ok := end.cache.get(1); !ok || v != 2 {
				t.Errorf("%s %s: got %d, %v, want 2", c.name, end.name, v, ok)
			}
			if n := end.cache.count(); n != 1 {
				t.Errorf("%s %s: counts %d, want 1", c.name, end.name, n)
			}
			end.cache.close()
		}
	}
}

func TestMedianIsInTheMiddle(t *testing.T) {
	for want, s := range map[float64][]float64{3: {3}, 2: {1, 3}, 4: {9, 4, 1}} {
		if got := median(s); got != want {
			t.Errorf("median of %v: got %v, want %v", s, got, want)
		}
	}
}

func TestInterleaveBeginsEachRoundWithAnother(t *testing.T) {
	var order []int
	medians := interleave(2, 3, func(c int) []float64 {
		order = append(order, c)
		return []float64{float64(c), float64(len(order))}
	})
	want := []int{0, 1, 2, 1, 2, 0}
	for i, c := range order {
		if c != want[i] {
			t.Fatalf("got %v, want %v", order, want)
		}
	}
	if got := medians[1]; got[0] != 1 || got[1] != 3 {
		t.Errorf("medians of the second: got %v, want 1 and 3", got)
	}
}
