// artifact_test.go asks for artifacts within one process.

package artifact_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/artifact"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

// bench is a cache whose work is counted.
type bench struct {
	t     *testing.T
	cache *artifact.Cache
	runs  atomic.Int32

	mu   sync.Mutex // guards the field below
	said []error
}

func newBench(t *testing.T, o artifact.Options) *bench {
	b := &bench{t: t}
	o.OnError = func(err error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.said = append(b.said, err)
	}
	b.cache = artifact.New(o)
	return b
}

func openFolder(t *testing.T, maxBytes int64) *disk.Store {
	t.Helper()
	s, err := disk.Open(filepath.Join(t.TempDir(), "cache"), disk.Options{MaxBytes: maxBytes})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// writes is work that writes text.
func (b *bench) writes(text string) func(context.Context, io.Writer) error {
	return func(_ context.Context, w io.Writer) error {
		b.runs.Add(1)
		_, err := io.WriteString(w, text)
		return err
	}
}

// open asks for key and returns what there is to read. If it is not kept, work makes text of it.
func (b *bench) open(key artifact.Key, text string) string {
	b.t.Helper()
	r, err := b.cache.Open(b.t.Context(), key, b.writes(text))
	if err != nil {
		b.t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || int64(len(got)) != r.Size() {
		b.t.Errorf("read %d of %d bytes, %v", len(got), r.Size(), err)
	}
	return string(got)
}

// errs returns what was reported.
func (b *bench) errs() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return errors.Join(b.said...)
}

func (b *bench) wantRuns(want int) {
	b.t.Helper()
	if got := int(b.runs.Load()); got != want {
		b.t.Errorf("computed %d times, want %d", got, want)
	}
}

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSecondOpenComputesNothing(t *testing.T) {
	for name, s := range map[string]store.Store{
		"disk": openFolder(t, 0), "memory": store.NewMemory(store.MemoryOptions{}),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, artifact.Options{Store: s})
			for _, size := range []int{0, 1, 3 << 20} {
				want := strings.Repeat("x", size)
				for range 2 {
					if got := b.open(artifact.Key{Args: []any{size}}, want); got != want {
						t.Errorf("got %d bytes, want %d", len(got), size)
					}
				}
			}
			b.wantRuns(3)
			if err := b.errs(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestContentOfFilesCountsAndTheirPlaceDoesNot(t *testing.T) {
	dir := t.TempDir()
	b := newBench(t, artifact.Options{Store: openFolder(t, 0)})
	train := write(t, filepath.Join(dir, "train.csv"), "1,2")
	test := write(t, filepath.Join(dir, "data", "test.csv"), "3,4")
	moved := write(t, filepath.Join(dir, "moved.csv"), "1,2")
	b.open(artifact.Key{Files: []string{train, test}}, "first")
	if got := b.open(artifact.Key{Files: []string{moved, test}}, "moved"); got != "first" {
		t.Errorf("same content elsewhere: got %s", got)
	}
	if got := b.open(artifact.Key{Files: []string{test, train}}, "swapped"); got != "swapped" {
		t.Errorf("files in another order: got %s", got)
	}
	write(t, train, "1,3")
	if got := b.open(artifact.Key{Files: []string{train, test}}, "changed"); got != "changed" {
		t.Errorf("other content: got %s", got)
	}
	folder := artifact.Key{Files: []string{filepath.Dir(test)}}
	b.open(folder, "folder")
	write(t, filepath.Join(dir, "data", "more.csv"), "")
	if got := b.open(folder, "more"); got != "more" {
		t.Errorf("a file more in a folder: got %s", got)
	}
	b.wantRuns(5)
}

func TestArgumentsVersionAndNameCount(t *testing.T) {
	s := openFolder(t, 0)
	seen := map[string]bool{}
	for _, c := range []struct {
		o    artifact.Options
		args []any
	}{
		{artifact.Options{Store: s}, nil},
		{artifact.Options{Store: s}, []any{"a"}},
		{artifact.Options{Store: s}, []any{"a", 1}},
		{artifact.Options{Store: s, Version: "2"}, []any{"a"}},
		{artifact.Options{Store: s, Name: "other"}, []any{"a"}},
	} {
		want := fmt.Sprint(c.o.Name, c.o.Version, c.args)
		got := newBench(t, c.o).open(artifact.Key{Args: c.args}, want)
		if got != want || seen[got] {
			t.Errorf("%s: got %s", want, got)
		}
		seen[got] = true
	}
	b := newBench(t, artifact.Options{Store: s})
	if got := b.open(artifact.Key{Args: []any{}}, "no"); got == "no" {
		t.Error("no arguments and none given are two keys")
	}
}

func TestWhatCannotBeAKeyIsAnError(t *testing.T) {
	b := newBench(t, artifact.Options{Store: openFolder(t, 0), Name: "model"})
	missing := filepath.Join(t.TempDir(), "train.csv")
	_, err := b.cache.Open(t.Context(), artifact.Key{Files: []string{missing}}, b.writes(""))
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) ||
		!strings.HasPrefix(err.Error(), "artifact: model: ") {
		t.Errorf("missing file: got %v", err)
	}
	_, err = b.cache.Open(t.Context(), artifact.Key{Args: []any{func() {}}}, b.writes(""))
	if err == nil {
		t.Error("a function is a key")
	}
	b.wantRuns(0)
}

func TestErrorsAndPanicsKeepNothing(t *testing.T) {
	b := newBench(t, artifact.Options{Store: openFolder(t, 0), TempDir: t.TempDir()})
	key := artifact.Key{Args: []any{1}}
	no := errors.New("no")
	_, err := b.cache.Open(t.Context(), key, func(_ context.Context, w io.Writer) error {
		io.WriteString(w, "half")
		return no
	})
	if !errors.Is(err, no) {
		t.Errorf("got %v, want %v", err, no)
	}
	_, err = b.cache.Open(t.Context(), key, func(_ context.Context, w io.Writer) error {
		io.WriteString(w, "half")
		panic(no)
	})
	var panicked *larder.PanicError
	if !errors.As(err, &panicked) || !errors.Is(err, no) {
		t.Errorf("got %v, want a panic", err)
	}
	_, err = b.cache.Open(t.Context(), key, func(context.Context, io.Writer) error {
		runtime.Goexit()
		return nil
	})
	if err == nil {
		t.Error("work that ended its goroutine succeeded")
	}
	_, _, err = b.cache.Path(t.Context(), key, func(context.Context, string) error { return nil })
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("work that made no file: got %v", err)
	}
	if got := b.open(key, "whole"); got != "whole" {
		t.Errorf("got %q", got)
	}
}

func TestManyGoroutinesComputeOnce(t *testing.T) {
	b := newBench(t, artifact.Options{Store: openFolder(t, 0)})
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			if i%2 == 0 {
				if got := b.open(artifact.Key{}, "model"); got != "model" {
					t.Errorf("got %q", got)
				}
				return
			}
			path, release, err := b.cache.Path(t.Context(), artifact.Key{},
				func(_ context.Context, path string) error {
					b.runs.Add(1)
					return os.WriteFile(path, []byte("model"), 0o600)
				})
			if err != nil {
				t.Error(err)
				return
			}
			defer release()
			if got, err := os.ReadFile(path); string(got) != "model" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	all.Wait()
	b.wantRuns(1)
}

func TestWhoGivesUpLeavesAndTheLastEndsTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, artifact.Options{Store: store.NewMemory(store.MemoryOptions{})})
		ended := make(chan struct{})
		work := func(ctx context.Context, _ io.Writer) error {
			<-ctx.Done()
			close(ended)
			return ctx.Err()
		}
		var all sync.WaitGroup
		var leave []context.CancelFunc
		for range 2 {
			ctx, cancel := context.WithCancel(t.Context())
			leave = append(leave, cancel)
			all.Go(func() {
				_, err := b.cache.Open(ctx, artifact.Key{}, work)
				if !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
			})
		}
		synctest.Wait()
		leave[0]()
		synctest.Wait()
		select {
		case <-ended:
			t.Error("the work ended while somebody waited for it")
		default:
		}
		leave[1]()
		all.Wait()
		<-ended
		if got := b.open(artifact.Key{}, "later"); got != "later" {
			t.Errorf("got %q", got)
		}
	})
}

func TestWorkThatGoesOnIsKept(t *testing.T) {
	b := newBench(t, artifact.Options{Store: openFolder(t, 0)})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := b.cache.Open(ctx, artifact.Key{}, func(ctx context.Context, w io.Writer) error {
		cancel()
		<-ctx.Done()
		_, err := io.WriteString(w, "all the same")
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := b.open(artifact.Key{}, "again"); got != "all the same" {
		t.Errorf("got %q", got)
	}
}

func TestKeptForItsTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, artifact.Options{
			Store: store.NewMemory(store.MemoryOptions{}), TTL: time.Hour,
		})
		b.cache.Open(t.Context(), artifact.Key{}, func(_ context.Context, w io.Writer) error {
			time.Sleep(2 * time.Hour) // longer than its TTL
			return b.writes("old")(t.Context(), w)
		})
		time.Sleep(time.Hour - 1)
		if got := b.open(artifact.Key{}, "new"); got != "old" {
			t.Errorf("within the TTL: got %q", got)
		}
		time.Sleep(time.Nanosecond)
		if got := b.open(artifact.Key{}, "new"); got != "new" {
			t.Errorf("after the TTL: got %q", got)
		}
	})
}

func TestInputThatChangesMeanwhileIsNotKept(t *testing.T) {
	b := newBench(t, artifact.Options{Store: openFolder(t, 0)})
	path := write(t, filepath.Join(t.TempDir(), "train.csv"), "1,2")
	key := artifact.Key{Files: []string{path}}
	r, err := b.cache.Open(t.Context(), key, func(ctx context.Context, w io.Writer) error {
		write(t, path, "1,3")
		return b.writes("of which?")(ctx, w)
	})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := io.ReadAll(r)
	r.Close()
	if string(got) != "of which?" || !errors.Is(b.errs(), artifact.ErrChanged) {
		t.Errorf("got %q, reported %v", got, b.errs())
	}
	write(t, path, "1,2")
	if got := b.open(key, "again"); got != "again" {
		t.Errorf("got %q", got)
	}
}

// broken is a store that is down.
type broken struct{}

func (broken) Get(context.Context, string) (store.Item, error) {
	return store.Item{}, store.ErrUnavailable
}
func (broken) Set(context.Context, string, store.Item) error { return store.ErrUnavailable }
func (broken) Delete(context.Context, string) error          { return store.ErrUnavailable }
func (broken) Close() error                                  { return nil }

func TestStoreThatCannotKeepItBreaksNothing(t *testing.T) {
	large := strings.Repeat("x", 1<<20)
	folder := openFolder(t, disk.MinMaxBytes)
	readOnly, err := disk.Open(openFolder(t, 0).Dir(), disk.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	for _, c := range []struct {
		name string
		s    store.Store
		want error
	}{
		{"too small", folder, store.ErrTooLarge},
		{"down", broken{}, store.ErrUnavailable},
		{"read-only", readOnly, disk.ErrReadOnly},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, artifact.Options{Store: c.s, TempDir: t.TempDir()})
			if got := b.open(artifact.Key{}, large); got != large {
				t.Errorf("got %d bytes, want %d", len(got), len(large))
			}
			if err := b.errs(); !errors.Is(err, c.want) {
				t.Errorf("reported %v, want %v", err, c.want)
			}
			path, release, err := b.cache.Path(t.Context(), artifact.Key{},
				func(_ context.Context, path string) error {
					return os.WriteFile(path, []byte("file"), 0o600)
				})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(path); string(got) != "file" {
				t.Errorf("got %q, %v", got, err)
			}
			release()
			wantEmpty(t, filepath.Dir(filepath.Dir(path)))
		})
	}
}

func TestAllWhoWaitGetWhatCannotBeKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, artifact.Options{Store: broken{}, TempDir: t.TempDir()})
		begin := make(chan struct{})
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				r, err := b.cache.Open(t.Context(), artifact.Key{},
					func(ctx context.Context, w io.Writer) error {
						<-begin
						return b.writes("shared")(ctx, w)
					})
				if err != nil {
					t.Error(err)
					return
				}
				defer r.Close()
				if got, err := io.ReadAll(r); string(got) != "shared" {
					t.Errorf("got %q, %v", got, err)
				}
			})
		}
		synctest.Wait()
		close(begin)
		all.Wait()
		b.wantRuns(1)
	})
}

func TestDamagedArtifactIsMadeAnew(t *testing.T) {
	s := openFolder(t, 0)
	b := newBench(t, artifact.Options{Store: s})
	want := strings.Repeat("x", 20<<20)
	b.open(artifact.Key{}, want)
	damage(t, s.Dir())
	r, err := b.cache.Open(t.Context(), artifact.Key{}, b.writes(want))
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(io.Discard, r)
	r.Close()
	if !errors.Is(err, store.ErrDamaged) {
		t.Errorf("damaged: got %v", err)
	}
	if b.open(artifact.Key{}, want) != want {
		t.Error("not made anew")
	}
	b.wantRuns(2)
	damage(t, s.Dir())
	path, release, err := b.cache.Path(t.Context(), artifact.Key{},
		func(_ context.Context, path string) error {
			return os.WriteFile(path, []byte("file"), 0o600)
		})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if got, err := os.ReadFile(path); string(got) != "file" {
		t.Errorf("damaged: got %d bytes, %v", len(got), err)
	}
}

// damage changes a byte in the middle of the only large file of a folder.
func damage(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "large", "*", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("large files: %v, %v", files, err)
	}
	f, err := os.OpenFile(files[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("y"), 10<<20); err != nil {
		t.Fatal(err)
	}
}

func TestPathIsAFileForReadingUntilItsRelease(t *testing.T) {
	temp := t.TempDir()
	b := newBench(t, artifact.Options{Store: openFolder(t, 0), Name: "model.onnx", TempDir: temp})
	for _, when := range []string{"made", "kept"} {
		path, release, err := b.cache.Path(t.Context(), artifact.Key{},
			func(_ context.Context, path string) error {
				b.runs.Add(1)
				return os.WriteFile(path, []byte("model"), 0o600)
			})
		if err != nil {
			t.Fatal(err)
		}
		stat, err := os.Stat(path)
		if err != nil || filepath.Base(path) != "model.onnx" || stat.Mode() != 0o400 {
			t.Errorf("%s: %s, %v, %v", when, path, stat.Mode(), err)
		}
		if got, _ := os.ReadFile(path); string(got) != "model" {
			t.Errorf("%s: got %q", when, got)
		}
		release()
		release()
		wantEmpty(t, temp)
	}
	b.wantRuns(1)
	if got := b.open(artifact.Key{}, "other"); got != "model" {
		t.Errorf("Open: got %q", got)
	}
}

func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 0 {
		t.Errorf("in %s: %v, %v", dir, entries, err)
	}
}

func TestWorkThatAsksForItselfIsToldSo(t *testing.T) {
	b := newBench(t, artifact.Options{Store: openFolder(t, 0)})
	var work func(ctx context.Context, w io.Writer) error
	work = func(ctx context.Context, w io.Writer) error {
		_, err := b.cache.Open(ctx, artifact.Key{}, work)
		return err
	}
	_, err := b.cache.Open(t.Context(), artifact.Key{}, work)
	if !errors.Is(err, larder.ErrRecursive) {
		t.Errorf("got %v", err)
	}
}

func TestArtifactIsNeverInMemoryAsAWhole(t *testing.T) {
	const size, chunk = 64 << 20, 1 << 20
	b := newBench(t, artifact.Options{Store: openFolder(t, 0), TempDir: t.TempDir()})
	work := func(_ context.Context, w io.Writer) error {
		p := bytes.Repeat([]byte("x"), chunk)
		for range size / chunk {
			if _, err := w.Write(p); err != nil {
				return err
			}
		}
		return nil
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 2 {
		r, err := b.cache.Open(t.Context(), artifact.Key{}, work)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, r); n != size {
			t.Errorf("read %d bytes, %v", n, err)
		}
		r.Close()
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > size/4 {
		t.Errorf("%d bytes were allocated for an artifact of %d", got, size)
	}
	if err := b.errs(); err != nil {
		t.Error(err)
	}
}

func TestReaderIsOfNoUseOnceClosed(t *testing.T) {
	b := newBench(t, artifact.Options{Store: openFolder(t, 0)})
	for range 2 {
		r, err := b.cache.Open(t.Context(), artifact.Key{}, b.writes(strings.Repeat("x", 1<<20)))
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		r.Close()
		if b.errs() != nil {
			t.Error(b.errs())
		}
	}
	b.wantRuns(1)
}

func TestOptionsThatMakeNoSensePanic(t *testing.T) {
	s := store.NewMemory(store.MemoryOptions{})
	for _, o := range []artifact.Options{
		{}, {Store: s, Name: "a/b"}, {Store: s, Name: ".."}, {Store: s, TTL: -1},
		{Store: s, Name: strings.Repeat("x", 300)},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v is accepted", o)
				}
			}()
			artifact.New(o)
		}()
	}
}
