//go:build unix

// process_test.go has several processes ask for one artifact, and kills them.

package artifact_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/larder-go/larder/artifact"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

// TestMain turns the test binary into a process that asks for an artifact, if the environment says
// so.
func TestMain(m *testing.M) {
	if dir := os.Getenv("LARDER_TEST_DIR"); dir != "" {
		if err := ask(dir, os.Getenv("LARDER_TEST_ROLE")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// half is what a process has written when it is killed: more than fits into memory buffers.
const half = 8 << 20

// ask prints what it gets. Its work writes one half, notes that it runs, waits until there is a
// file called gate, and writes the other half.
func ask(dir, role string) error {
	s, err := disk.Open(filepath.Join(dir, "cache"), disk.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	c := artifact.New(artifact.Options{Store: s, TempDir: filepath.Join(dir, "temp")})
	if role == "path" {
		path, release, err := c.Path(context.Background(), artifact.Key{},
			func(_ context.Context, path string) error {
				f, err := os.Create(path)
				if err != nil {
					return err
				}
				defer f.Close()
				return twoHalves(dir, f)
			})
		if err != nil {
			return err
		}
		defer release()
		return show(os.Open(path))
	}
	return show(c.Open(context.Background(), artifact.Key{},
		func(_ context.Context, w io.Writer) error { return twoHalves(dir, w) }))
}

func show[R io.ReadCloser](r R, err error) error {
	if err != nil {
		return err
	}
	defer r.Close()
	n, err := io.Copy(io.Discard, r)
	fmt.Println(n)
	return err
}

func twoHalves(dir string, w io.Writer) error {
	p := bytes.Repeat([]byte("x"), half)
	if _, err := w.Write(p); err != nil {
		return err
	}
	runs, err := os.OpenFile(filepath.Join(dir, "runs"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	fmt.Fprintln(runs, os.Getpid())
	runs.Close()
	for {
		if _, err := os.Stat(filepath.Join(dir, "gate")); err == nil {
			_, err := w.Write(p)
			return err
		}
		time.Sleep(time.Millisecond)
	}
}

// scene is a folder in which processes meet.
type scene struct {
	t   *testing.T
	dir string
}

func newScene(t *testing.T) scene {
	s := scene{t, t.TempDir()}
	if err := os.Mkdir(filepath.Join(s.dir, "temp"), 0o700); err != nil {
		t.Fatal(err)
	}
	return s
}

type process struct {
	*exec.Cmd
	out bytes.Buffer
}

func (s scene) start(role string) *process {
	p := &process{Cmd: exec.Command(os.Args[0])}
	p.Env = append(os.Environ(), "LARDER_TEST_DIR="+s.dir, "LARDER_TEST_ROLE="+role)
	p.Stdout, p.Stderr = &p.out, os.Stderr
	if err := p.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { p.Process.Kill(); p.Wait() })
	return p
}

// ends waits for the end of a process, which must have got the whole artifact.
func (s scene) ends(p *process) {
	s.t.Helper()
	err := p.Wait()
	if got, want := p.out.String(), fmt.Sprintln(2*half); err != nil || got != want {
		s.t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func (s scene) runs() []string {
	b, _ := os.ReadFile(filepath.Join(s.dir, "runs"))
	return strings.Fields(string(b))
}

// awaitRuns waits until work has begun n times.
func (s scene) awaitRuns(n int) {
	s.t.Helper()
	for late := time.Now().Add(20 * time.Second); len(s.runs()) < n; {
		if time.Now().After(late) {
			s.t.Fatalf("work began %d times, want %d", len(s.runs()), n)
		}
		time.Sleep(time.Millisecond)
	}
}

func (s scene) openGate() { write(s.t, filepath.Join(s.dir, "gate"), "") }

// kept returns the keys in the folder.
func (s scene) kept() (keys []string) {
	s.t.Helper()
	d, err := disk.Open(filepath.Join(s.dir, "cache"), disk.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	defer d.Close()
	for info, err := range store.List(s.t.Context(), d, "") {
		if err != nil {
			s.t.Fatal(err)
		}
		keys = append(keys, info.Key)
	}
	return keys
}

func TestFourProcessesComputeOnce(t *testing.T) {
	for _, role := range []string{"open", "path"} {
		t.Run(role, func(t *testing.T) {
			s := newScene(t)
			var all []*process
			for range 4 {
				all = append(all, s.start(role))
			}
			s.awaitRuns(1)
			s.openGate()
			for _, p := range all {
				s.ends(p)
			}
			if got := s.runs(); len(got) != 1 {
				t.Errorf("computed by %v, want one", got)
			}
			wantEmpty(t, filepath.Join(s.dir, "temp"))
		})
	}
}

func TestAnotherTakesOverFromAKilledProcess(t *testing.T) {
	for _, role := range []string{"open", "path"} {
		t.Run(role, func(t *testing.T) {
			s := newScene(t)
			first := s.start(role)
			s.awaitRuns(1)
			second := s.start(role)
			if err := first.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			first.Wait()
			s.awaitRuns(2)
			if got := s.kept(); len(got) != 0 {
				t.Errorf("half an artifact is kept: %q", got)
			}
			s.openGate()
			s.ends(second)
			if got := s.kept(); len(got) != 1 {
				t.Errorf("kept: %q, want one", got)
			}
			s.ends(s.start(role))
			if got := s.runs(); len(got) != 2 {
				t.Errorf("computed by %v, want two", got)
			}
			wantEmpty(t, filepath.Join(s.dir, "temp"))
		})
	}
}
