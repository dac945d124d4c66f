//go:build unix

// runmade_test.go tests the files that a command makes: their records, and sudden death.

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestRecordsOfMadeFilesSurviveTheirCodec(t *testing.T) {
	want := record{
		argv: []string{"a"}, stdout: []byte("out"), stderr: []byte("err"),
		started: time.Unix(5, 6), slot: slotB,
		made: []madeFile{{0o750, 1 << 40, [32]byte{1}}, {0, 0, [32]byte{2}}},
	}
	b := want.encode()
	if got, err := decodeRecord(b); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for i := range b {
		if r, err := decodeRecord(b[:i]); err == nil {
			t.Errorf("the first %d bytes are %+v", i, r)
		}
	}
}

func TestRecordsOfCommandsThatMakeNothingAreAsBefore(t *testing.T) {
	if b := (record{slot: slotA}).encode(); b[len(recordMagic)] != 1 {
		t.Errorf("version %d, want 1", b[len(recordMagic)])
	}
}

func TestMadeFilesArePartOfTheKey(t *testing.T) {
	seen := map[string]bool{}
	for _, makes := range [][]string{nil, {"a"}, {"a", "b"}, {"ab"}, {"b"}} {
		key := recipe{argv: []string{"x"}, makes: makes}.key()
		if seen[key] {
			t.Errorf("%q has the key of others", makes)
		}
		seen[key] = true
	}
	o := runOptions{makes: []string{"b", "./a", "a"}}
	if got := o.made(); !reflect.DeepEqual(got, []string{"a", "b"}) {
		t.Errorf("got %q", got)
	}
}

func TestManyAtOnceMakeAFileOnce(t *testing.T) {
	s := newScene(t)
	var cmds []*exec.Cmd
	for range 10 {
		cmd, _ := s.start("run", "--makes", "model", "--", "sh", "-c", job+`; echo "$line" > model`)
		cmds = append(cmds, cmd)
	}
	s.awaitJob()
	s.open("trained")
	for _, cmd := range cmds {
		s.ends(cmd, 0)
	}
	if got := s.runs(); got != 1 {
		t.Errorf("it ran %d times, want once", got)
	}
	s.wantFile("model", "trained\n")
}

func (s *scene) wantFile(name, want string) {
	s.t.Helper()
	if got, err := os.ReadFile(filepath.Join(s.dir, name)); string(got) != want {
		s.t.Errorf("%s: got %d bytes, want %d, %v", name, len(got), len(want), err)
	}
}

// awaitFile waits until a file has a content.
func (s *scene) awaitFile(name, want string) {
	s.t.Helper()
	for late := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		got, err := os.ReadFile(filepath.Join(s.dir, name))
		if string(got) == want {
			return
		}
		if time.Now().After(late) {
			s.t.Fatalf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
}

// TestNobodyPutsAFileBackWhileACommandMakesIt has a model in the cache, and a command that makes it
// anew: who would be content with the old one waits, and then gets the new one.
func TestNobodyPutsAFileBackWhileACommandMakesIt(t *testing.T) {
	s := newScene(t)
	command := []string{"--makes", "model", "--", "sh", "-c",
		`echo half > model; ` + job + `; echo "$line" > model`}
	run := func(flags ...string) *exec.Cmd {
		cmd, _ := s.start(append(append([]string{"run"}, flags...), command...)...)
		return cmd
	}
	first := run()
	s.awaitJob()
	s.open("old")
	s.ends(first, 0)
	anew := run("--refresh")
	s.awaitJob()
	content := run()
	s.open("new")
	s.ends(anew, 0)
	s.ends(content, 0)
	s.wantFile("model", "new\n")
	if got := s.runs(); got != 2 {
		t.Errorf("it ran %d times, want twice", got)
	}
}

// TestKilledWhilePuttingBackLeavesTheOldOrTheNewFile kills larder after times that grow until it
// gets through.
func TestKilledWhilePuttingBackLeavesTheOldOrTheNewFile(t *testing.T) {
	s := newScene(t)
	size := 32 << 20
	run := []string{"run", "--makes", "model", "--", "sh", "-c",
		`head -c 33554432 /dev/zero > model`}
	cmd, _ := s.start(run...)
	s.ends(cmd, 0)
	path, old := filepath.Join(s.dir, "model"), []byte("old")
	whole := make([]byte, size)
	for wait := time.Millisecond; ; wait += wait / 4 {
		if err := os.WriteFile(path, old, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd, _ := s.start(run...)
		kill := time.AfterFunc(wait, func() { _ = cmd.Process.Signal(syscall.SIGKILL) })
		err := cmd.Wait()
		kill.Stop()
		got, _ := os.ReadFile(path)
		if !bytes.Equal(got, old) && !bytes.Equal(got, whole) {
			t.Fatalf("killed after %s: %d bytes", wait, len(got))
		}
		if err == nil {
			break
		}
	}
	s.wantSwept(path)
}

// wantSwept looks for what killed processes have left beside path, which goes once it is old.
func (s *scene) wantSwept(path string) {
	s.t.Helper()
	left, err := filepath.Glob(filepath.Join(s.dir, ".model.larder-*"))
	if err != nil || len(left) == 0 {
		s.t.Fatalf("left over: %q, %v: nobody was killed on the way", left, err)
	}
	for _, name := range left {
		old := time.Now().Add(-2 * abandoned)
		if err := os.Chtimes(name, old, old); err != nil {
			s.t.Fatal(err)
		}
	}
	f, err := createAside(path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	if left, _ = filepath.Glob(filepath.Join(s.dir, ".model.larder-*")); len(left) != 1 {
		s.t.Errorf("still there: %q", left)
	}
}

// TestKilledWhileTheCommandRunsKeepsNothing kills larder in mid-training.
func TestKilledWhileTheCommandRunsKeepsNothing(t *testing.T) {
	s := newScene(t)
	args := []string{"run", "--makes", "model", "--", "sh", "-c",
		`echo run >> runs; echo half > model; ` +
			`echo $$ > began; read line < gate; echo "$line" > model`}
	first, _ := s.start(args...)
	s.awaitJob()
	if err := first.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	s.open("of the dead") // its command lives on
	s.awaitFile("model", "of the dead\n")
	list := exec.Command("larder", "cache", "ls")
	list.Env = s.environ()
	if out, err := list.Output(); err != nil || len(out) > 0 {
		t.Errorf("kept: %q, %v", out, err)
	}
	second, out := s.start(args...)
	s.awaitJob()
	s.open("whole")
	s.ends(second, 0)
	s.wantFile("model", "whole\n")
	if strings.Contains(out.String(), "larder") {
		t.Errorf("it said %q", out)
	}
}
