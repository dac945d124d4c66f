//go:build unix

// main_test.go trains in one process and restores in the next.

package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// machine is a folder with the program, its data and its models.
type machine struct {
	t   *testing.T
	dir string
}

func newMachine(t *testing.T) machine {
	m := machine{t, t.TempDir()}
	m.build("1")
	return m
}

// build builds the program as of a version of its code.
func (m machine) build(version string) {
	m.t.Helper()
	out, err := exec.Command("go", "build", "-ldflags", "-X main.version="+version,
		"-o", filepath.Join(m.dir, "train"), ".").CombinedOutput()
	if err != nil {
		m.t.Fatalf("%v: %s", err, out)
	}
}

func (m machine) command(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(m.dir, "train"), args...)
	cmd.Dir = m.dir
	cmd.Args = append(cmd.Args, "-cache", "cache")
	return cmd
}

// run returns how the program came by its model, and which it is.
func (m machine) run(args ...string) (how, model string) {
	m.t.Helper()
	var talk bytes.Buffer
	cmd := m.command(args...)
	cmd.Stderr = &talk
	out, err := cmd.Output()
	if err != nil {
		m.t.Fatalf("%v: %s", err, &talk)
	}
	return parse(m.t, string(out))
}

func parse(t *testing.T, out string) (how, model string) {
	t.Helper()
	first, second, _ := strings.Cut(out, "\n")
	how, _, _ = strings.Cut(first, " ")
	if !strings.HasPrefix(second, "model ") {
		t.Fatalf("it printed %q", out)
	}
	return how, second
}

func TestSecondRunIsFiftyTimesFaster(t *testing.T) {
	m := newMachine(t)
	began := time.Now()
	how, model := m.run()
	training := time.Since(began)
	if how != "trained" {
		t.Errorf("first run: %s", how)
	}
	var restoring []time.Duration
	for range 9 {
		began := time.Now()
		how, again := m.run()
		restoring = append(restoring, time.Since(began))
		if how != "restored" || again != model {
			t.Errorf("later run: %s %s, want the same as %s", how, again, model)
		}
	}
	slices.Sort(restoring)
	median := restoring[len(restoring)/2]
	ratio := float64(training) / float64(median)
	t.Logf("first run %v, later ones %v: %.0f times faster", training, median, ratio)
	if ratio < 50 {
		t.Errorf("the second run is %.0f times faster, want 50", ratio)
	}
}

// few makes training as short as it may be where time does not matter.
var few = []string{"-steps", "50"}

func TestChangedDataVersionOrParametersTrainAgain(t *testing.T) {
	m := newMachine(t)
	_, model := m.run(few...)
	data := filepath.Join(m.dir, "points.csv")
	points, err := os.ReadFile(data)
	if err != nil {
		t.Fatal(err)
	}
	change := func(content []byte) {
		if err := os.WriteFile(data, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	change(append(points, "0,0,0,0,9\n"...))
	if how, other := m.run(few...); how != "trained" || other == model {
		t.Errorf("changed data: %s", how)
	}
	change(points)
	if how, same := m.run(few...); how != "restored" || same != model {
		t.Errorf("data as before: %s", how)
	}
	if how, other := m.run("-steps", "51"); how != "trained" || other == model {
		t.Errorf("changed parameters: %s", how)
	}
	m.build("2")
	if how, same := m.run(few...); how != "trained" || same != model {
		t.Errorf("changed version: %s", how)
	}
}

// begin starts the program and waits until it trains.
func (m machine) begin() (*exec.Cmd, *bytes.Buffer) {
	m.t.Helper()
	var out bytes.Buffer
	cmd := m.command("-steps", "400")
	cmd.Stdout = &out
	talk, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { cmd.Process.Kill() })
	if line, err := bufio.NewReader(talk).ReadString('\n'); line != "training\n" {
		m.t.Fatalf("it said %q, %v", line, err)
	}
	go io.Copy(io.Discard, talk) // ends with the process
	return cmd, &out
}

func TestKilledInMidTrainingLeavesNothingHalf(t *testing.T) {
	m := newMachine(t)
	first, out := m.begin()
	if err := first.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := first.Wait(); err == nil || out.Len() > 0 {
		t.Fatalf("it was not killed in mid-training: %v, %s", err, out)
	}
	how, model := m.run("-steps", "400")
	if how != "trained" {
		t.Errorf("after the kill: %s", how)
	}
	if how, again := m.run("-steps", "400"); how != "restored" || again != model {
		t.Errorf("afterwards: %s", how)
	}
}

func TestTwoAtOnceTrainOnce(t *testing.T) {
	m := newMachine(t)
	first, out := m.begin()
	how, model := m.run("-steps", "400")
	if how != "restored" {
		t.Errorf("the second one: %s", how)
	}
	if err := first.Wait(); err != nil {
		t.Fatal(err)
	}
	if how, same := parse(t, out.String()); how != "trained" || same != model {
		t.Errorf("the first one: %s", how)
	}
}
