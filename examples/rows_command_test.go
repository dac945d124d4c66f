// rows_command_test.go runs the examples about the command larder, with the command itself.

package examples_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// buildLarder builds the command beside the programs, once.
var buildLarder = sync.OnceValue(func() error {
	cmd := exec.Command("go", "build", "-o", filepath.Join(binaries, "larder"), "../cmd/larder")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build larder: %w\n%s", err, out)
	}
	return nil
})

// withLarder runs a program that finds larder in its PATH, and returns what it prints.
func withLarder(t *testing.T, path string, args ...string) string {
	t.Helper()
	if err := buildLarder(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "PATH="+binaries+":"+os.Getenv("PATH"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return string(out)
}

func TestAnyCommand(t *testing.T) {
	wantFile(t, withLarder(t, "any-command/run.sh"), "any-command.txt")
}

// TestWhichPolicy compares the table of the program with what the command makes of the same trace.
func TestWhichPolicy(t *testing.T) {
	dir := t.TempDir()
	keys, chart := filepath.Join(dir, "week.txt"), filepath.Join(dir, "chart.svg")
	got := run(t, "which-policy", "-write", keys)
	wantFile(t, got, "which-policy.txt")
	larder := filepath.Join(binaries, "larder")
	said := withLarder(t, larder, "sim", "--json", "--format", "text", "--size", "40,200,600",
		"--svg", chart, keys)
	if table := tableOf(t, said); table != withoutBars(got) {
		t.Errorf("larder sim says\n%s\nwhich-policy says\n%s", table, withoutBars(got))
	}
	if svg := readFile(t, chart); !strings.HasPrefix(svg, "<svg") {
		t.Errorf("the chart is %.100q", svg)
	}
}

// tableOf writes what larder sim prints as JSON as the program writes it.
func tableOf(t *testing.T, said string) string {
	t.Helper()
	var table strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(said), "\n") {
		var cell struct {
			Policy string
			Ratio  float64 `json:"hit_ratio"`
		}
		if err := json.Unmarshal([]byte(line), &cell); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if i%3 == 0 {
			fmt.Fprintf(&table, "%-12s", cell.Policy)
		}
		fmt.Fprintf(&table, "%8.1f", 100*cell.Ratio)
		if i%3 == 2 {
			table.WriteString("\n")
		}
	}
	return table.String()
}

// withoutBars returns the table alone, without its head.
func withoutBars(printed string) string {
	var table strings.Builder
	for _, line := range strings.SplitAfter(printed, "\n")[2:] {
		row, _, _ := strings.Cut(line, "  █")
		table.WriteString(strings.TrimRight(row, "\n"))
		if row != "" {
			table.WriteString("\n")
		}
	}
	return table.String()
}
