// script_test.go runs the scripts in testdata/script, with a few words of their own.

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

// raceOptions spare every process that is tested with -race a second of sleep at its end.
const raceOptions = "atexit_sleep_ms=0"

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"larder": main}) }

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", raceOptions)
			env.Setenv("LARDER_CACHE_DIR", filepath.Join(env.WorkDir, "cache"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "slip": slip, "settle": settle, "put": put, "key": key,
			"cmpkeys": cmpKeys, "flip": flip, "serve": startOrigin, "asked": asked, "change": change,
			"program": startProgram,
		},
		RequireUniqueNames: true,
	})
}

// exits CODE COMMAND... runs a command that must end with CODE.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// slip LINE ARGS... runs larder, which must end with 2 and say LINE and nothing else.
func slip(ts *testscript.TestScript, neg bool, args []string) {
	exits(ts, neg, append([]string{"2", "larder"}, args[1:]...))
	want := regexp.MustCompile(`\A(?:` + args[0] + `)\n\z`)
	if got := ts.ReadFile("stderr"); !want.MatchString(got) || strings.Count(got, "\n") != 1 {
		ts.Fatalf("stderr is %q, want %q", got, args[0])
	}
	if got := ts.ReadFile("stdout"); got != "" {
		ts.Fatalf("stdout is %q, want nothing", got)
	}
}

func open(ts *testscript.TestScript) *disk.Store {
	s, err := disk.Open(ts.Getenv("LARDER_CACHE_DIR"), disk.Options{})
	ts.Check(err)
	return s
}

// settle waits until no process works for any key.
func settle(ts *testscript.TestScript, _ bool, _ []string) {
	s := open(ts)
	defer s.Close()
	for info, err := range s.List(context.Background(), "") {
		ts.Check(err)
		l, err := store.TakeLease(context.Background(), s, info.Key)
		ts.Check(err)
		l.Release()
	}
}

// put KEY VALUE [TAG...] sets an entry.
func put(ts *testscript.TestScript, _ bool, args []string) {
	s := open(ts)
	defer s.Close()
	ts.Check(s.Set(context.Background(), args[0], store.Item{
		Value: []byte(args[1]), Tags: args[2:],
	}))
}

// key NAME sets a variable to the key of the only entry.
func key(ts *testscript.TestScript, _ bool, args []string) {
	s := open(ts)
	defer s.Close()
	for info, err := range s.List(context.Background(), "") {
		ts.Check(err)
		ts.Setenv(args[0], info.Key)
	}
}

// cmpkeys FILE compares the keys that cache ls wrote, without their hashes, with the lines of a
// file, in any order.
func cmpKeys(ts *testscript.TestScript, _ bool, args []string) {
	var got []string
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		_, key, _ := strings.Cut(line, "run:")
		key, _, _ = strings.Cut(key, " #")
		got = append(got, "run:"+key)
	}
	slices.Sort(got)
	want := strings.Fields(strings.ReplaceAll(ts.ReadFile(args[0]), " ", "\x00"))
	for i := range want {
		want[i] = strings.ReplaceAll(want[i], "\x00", " ")
	}
	if !slices.Equal(got, want) {
		ts.Fatalf("keys are %q, want %q", got, want)
	}
}

// flip TEXT changes a bit in the middle of TEXT, in whichever file of the cache it is.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	files, err := filepath.Glob(filepath.Join(ts.Getenv("LARDER_CACHE_DIR"), "*"))
	ts.Check(err)
	for _, file := range files {
		content, _ := os.ReadFile(file)
		if at := bytes.Index(content, []byte(args[0])); at >= 0 {
			f, err := os.OpenFile(file, os.O_WRONLY, 0)
			ts.Check(err)
			at += len(args[0]) / 2
			_, err = f.WriteAt([]byte{content[at] ^ 1}, int64(at))
			ts.Check(err)
			ts.Check(f.Close())
			return
		}
	}
	ts.Fatalf("%q is in no file", args[0])
}
