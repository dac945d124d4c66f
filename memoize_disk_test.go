//go:build unix

// memoize_disk_test.go memoizes a long computation on a folder, for several processes.

package larder_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

// params are what a model depends on, and fitted is what is made of them.
type params struct {
	Rate  float64
	Steps int
}

type fitted struct {
	Params  params
	Weights []float64
}

func openModels(t *testing.T, dir string) *disk.Store {
	t.Helper()
	s, err := disk.Open(filepath.Join(dir, "cache"), disk.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// memoizeDir is the environment variable that makes TestMemoizingProcess one of several.
const memoizeDir = "LARDER_TEST_MEMOIZE"

// TestMemoizingProcess is what each process of the tests below does: it asks for a model. To train
// one is to note that, and to wait until there is a file called gate.
func TestMemoizingProcess(t *testing.T) {
	dir := os.Getenv(memoizeDir)
	if dir == "" {
		t.Skip("not a process of another test")
	}
	train := larder.Memoize(func(_ context.Context, p params) (fitted, error) {
		runs, err := os.OpenFile(filepath.Join(dir, "runs"),
			os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if err != nil {
			return fitted{}, err
		}
		fmt.Fprintln(runs, os.Getpid())
		runs.Close()
		awaitGate(dir)
		return fitted{p, []float64{1, 2}}, nil
	}, larder.Options[params, fitted]{Name: "models", Version: "1", Store: openModels(t, dir)})
	defer train.Close()
	m, err := train.Get(context.Background(), params{0.1, 100})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("model", m)
}

func awaitGate(dir string) {
	for {
		if _, err := os.Stat(filepath.Join(dir, "gate")); err == nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// memoizing starts a process that asks for a model.
func memoizing(t *testing.T, dir string) (*exec.Cmd, *strings.Builder) {
	t.Helper()
	cmd, out := exec.Command(os.Args[0], "-test.run=^TestMemoizingProcess$"), &strings.Builder{}
	cmd.Env = append(os.Environ(), memoizeDir+"="+dir)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd, out
}

func wantModel(t *testing.T, cmd *exec.Cmd, out *strings.Builder) {
	t.Helper()
	err := cmd.Wait()
	if want := "model {{0.1 100} [1 2]}\n"; err != nil || !strings.HasPrefix(out.String(), want) {
		t.Errorf("got %q, %v, want %q", out, err, want)
	}
}

func trained(dir string) []string {
	b, _ := os.ReadFile(filepath.Join(dir, "runs"))
	return strings.Fields(string(b))
}

func awaitTrained(t *testing.T, dir string, n int) {
	t.Helper()
	for late := time.Now().Add(20 * time.Second); len(trained(dir)) < n; {
		if time.Now().After(late) {
			t.Fatalf("trained %d times, want %d", len(trained(dir)), n)
		}
		time.Sleep(time.Millisecond)
	}
}

func openGate(t *testing.T, dir string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "gate"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFourProcessesMemoizeOnce(t *testing.T) {
	dir := t.TempDir()
	var cmds []*exec.Cmd
	var outs []*strings.Builder
	for range 4 {
		cmd, out := memoizing(t, dir)
		cmds, outs = append(cmds, cmd), append(outs, out)
	}
	awaitTrained(t, dir, 1)
	openGate(t, dir)
	for i := range cmds {
		wantModel(t, cmds[i], outs[i])
	}
	if got := trained(dir); len(got) != 1 {
		t.Errorf("trained by %v, want one", got)
	}
}

func TestMemoizingProcessThatIsKilledLeavesNothingAndAnotherTakesOver(t *testing.T) {
	dir := t.TempDir()
	first, _ := memoizing(t, dir)
	awaitTrained(t, dir, 1)
	second, out := memoizing(t, dir)
	if err := first.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	first.Wait()
	awaitTrained(t, dir, 2)
	for info, err := range store.List(t.Context(), openModels(t, dir), "") {
		t.Errorf("kept before it was trained: %v, %v", info, err)
	}
	openGate(t, dir)
	wantModel(t, second, out)
	third, out := memoizing(t, dir)
	wantModel(t, third, out)
	if got := trained(dir); len(got) != 2 {
		t.Errorf("trained by %v, want two", got)
	}
}

// TestMemoizedOnDiskOutlivesItsCache makes each cache anew, as the next process does.
func TestMemoizedOnDiskOutlivesItsCache(t *testing.T) {
	s := openModels(t, t.TempDir())
	var runs atomic.Int32
	get := func(version string, p params) (fitted, error) {
		c := larder.Memoize(func(_ context.Context, p params) (fitted, error) {
			runs.Add(1)
			if p.Steps < 0 {
				return fitted{}, errors.ErrUnsupported
			}
			return fitted{p, []float64{float64(runs.Load())}}, nil
		}, larder.Options[params, fitted]{Name: "models", Version: version, Store: s})
		defer c.Close()
		return c.Get(t.Context(), p)
	}
	for _, step := range []struct {
		version string
		p       params
		want    int32 // computations so far
	}{
		{"1", params{0.1, 1}, 1},
		{"1", params{0.1, 1}, 1},
		{"1", params{0.2, 1}, 2},
		{"2", params{0.1, 1}, 3},
		{"1", params{0.1, 1}, 3},
		{"1", params{0.1, -1}, 4}, // an error is not kept
		{"1", params{0.1, -1}, 5},
	} {
		m, err := get(step.version, step.p)
		if runs.Load() != step.want || (err != nil) != (step.p.Steps < 0) {
			t.Errorf("%+v: %d computations, %v", step, runs.Load(), err)
		}
		if err == nil && m.Params != step.p {
			t.Errorf("%+v: got the model of %+v", step, m.Params)
		}
	}
}

// TestMemoizedPanicKeepsNothing looks at the folder after a loader has panicked.
func TestMemoizedPanicKeepsNothing(t *testing.T) {
	s := openModels(t, t.TempDir())
	c := larder.Memoize(func(context.Context, params) (fitted, error) { panic("no") },
		larder.Options[params, fitted]{Name: "models", Store: s})
	defer c.Close()
	var panicked *larder.PanicError
	if _, err := c.Get(t.Context(), params{}); !errors.As(err, &panicked) {
		t.Errorf("got %v, want a panic", err)
	}
	for info, err := range store.List(t.Context(), s, "") {
		t.Errorf("kept: %v, %v", info, err)
	}
}

// TestMemoizedLargeValueIsKept has a value that takes about as long to write as an operation of a
// store may take by default.
func TestMemoizedLargeValueIsKept(t *testing.T) {
	s := openModels(t, t.TempDir())
	var runs atomic.Int32
	for range 2 {
		c := larder.Memoize(func(_ context.Context, n int) ([]byte, error) {
			runs.Add(1)
			return make([]byte, n), nil
		}, larder.Options[int, []byte]{Name: "large", Store: s})
		b, err := c.Get(t.Context(), 128<<20)
		if err != nil || len(b) != 128<<20 {
			t.Errorf("got %d bytes, %v", len(b), err)
		}
		c.Close()
	}
	if got := runs.Load(); got != 1 {
		t.Errorf("computed %d times, want once", got)
	}
}
