// files_test.go works through files of a folder, slow and fast.

package files_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/larder-go/larder/prefetch/files"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

// fill makes n files of about size bytes, and returns their names and what is in them.
func fill(t testing.TB, dir string, n, size int) (names []string, content [][]byte) {
	t.Helper()
	random := rand.NewChaCha8([32]byte{1})
	for i := range n {
		b := make([]byte, size+i)
		_, _ = random.Read(b)
		name := filepath.Join(dir, fmt.Sprintf("scan %d.tif", i))
		if err := os.WriteFile(name, b, 0o640); err != nil {
			t.Fatal(err)
		}
		names, content = append(names, name), append(content, b)
	}
	return names, content
}

func open(t testing.TB, names []string, o files.Options) *files.Files {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	f, err := files.New(names, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// copies returns how many copies there are below dir, and their bytes.
func copies(t testing.TB, dir string) (n int, size int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == "lock" {
			return nil // removed meanwhile
		}
		if stat, err := e.Info(); err == nil {
			n, size = n+1, size+stat.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n, size
}

// awaitAtMost waits until the copies below dir have no more than some bytes: what was given up for
// one that was asked for takes a moment to go.
func awaitAtMost(t testing.TB, dir string, most int64) {
	t.Helper()
	for late := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		_, size := copies(t, dir)
		if size <= most {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("%d bytes of copies stay, at most %d are allowed", size, most)
		}
	}
}

func TestCopiesHaveTheNameBytesAndTimeOfTheirFiles(t *testing.T) {
	names, content := fill(t, t.TempDir(), 30, 10_000)
	old := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	if err := os.Chtimes(names[3], old, old); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	f := open(t, names, files.Options{Dir: dir, MaxBytes: 150_000, Keep: 5})
	for i, name := range names {
		path, release, err := f.Hold(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, content[i]) || filepath.Base(path) != filepath.Base(name) {
			t.Errorf("%s: %d bytes at %s, %v", name, len(got), path, err)
		}
		if stat, err := os.Stat(path); err != nil || i == 3 && !stat.ModTime().Equal(old) {
			t.Errorf("%s: %v %v", name, stat.ModTime(), err)
		}
		awaitAtMost(t, dir, 150_000)
		release()
	}
	if s := f.Stats(); s.Loads != 30 || s.Wasted != 0 || s.Bytes != 300_000+29*15 {
		t.Errorf("got %+v", s)
	}
	if n, _ := copies(t, dir); n < 5 {
		t.Errorf("%d copies are kept, want the last 5", n)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("after Close there is %v, %v", left, err)
	}
}

func TestWhatIsHeldStays(t *testing.T) {
	names, content := fill(t, t.TempDir(), 20, 10_000)
	f := open(t, names, files.Options{MaxBytes: 40_000, Keep: -1})
	first, release, err := f.Hold(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(names); i++ {
		_, release, err := f.Hold(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		release()
	}
	if got, err := os.ReadFile(first); err != nil || !bytes.Equal(got, content[0]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	release()
}

func TestAFileThatCannotBeReadIsAnErrorOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	names, _ := fill(t, dir, 3, 100)
	names = append([]string{filepath.Join(dir, "none"), dir}, names...)
	f := open(t, names, files.Options{})
	if _, _, err := f.Hold(t.Context(), 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("for what is not there: %v", err)
	}
	if _, _, err := f.Hold(t.Context(), 1); err == nil {
		t.Error("for a folder: no error")
	}
	for i := 2; i < 5; i++ {
		_, release, err := f.Hold(t.Context(), i)
		if err != nil {
			t.Error(err)
		}
		release()
	}
}

func TestTheStoreGivesASecondProgramWhatTheFirstHasRead(t *testing.T) {
	kept, err := disk.Open(t.TempDir(), disk.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	names, content := fill(t, t.TempDir(), 5, 400_000)
	walk := func(found int) {
		t.Helper()
		f := open(t, names, files.Options{Store: kept, OnError: func(err error) { t.Error(err) }})
		for i := range names {
			path, release, err := f.Hold(t.Context(), i)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content[i]) {
				t.Errorf("%s: %d bytes, %v", path, len(got), err)
			}
			release()
		}
		if s := f.Stats(); s.Found != found {
			t.Errorf("%d files were found in the store, want %d", s.Found, found)
		}
	}
	walk(0)
	walk(5)
	content[2] = []byte("another")
	if err := os.WriteFile(names[2], content[2], 0o600); err != nil {
		t.Fatal(err)
	}
	walk(4)
}

// failing is a store whose values end too early.
type failing struct{ store.Store }

func (failing) Open(context.Context, string) (store.Item, store.Reader, error) {
	return store.Item{}, broken{store.NewReader([]byte("nonsense"))}, nil
}

func (failing) Create(context.Context, string, store.Item) (store.Writer, error) {
	return nil, errors.New("full")
}

type broken struct{ store.Reader }

func (b broken) Read(p []byte) (int, error) {
	n, _ := b.Reader.Read(p)
	return n, errors.New("damaged")
}

func TestAStoreThatFailsFailsNoFile(t *testing.T) {
	names, content := fill(t, t.TempDir(), 2, 1000)
	told := make(chan error, 10)
	f := open(t, names, files.Options{
		Store:   failing{store.NewMemory(store.MemoryOptions{})},
		OnError: func(err error) { told <- err },
	})
	path, release, err := f.Hold(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content[0]) {
		t.Errorf("%q, %v", got, err)
	}
	if err := <-told; err.Error() != "damaged" {
		t.Errorf("told %v", err)
	}
}

func TestCopiesOfDeadProgramsAreRemovedAndOfLivingOnesNot(t *testing.T) {
	dir := t.TempDir()
	names, _ := fill(t, t.TempDir(), 1, 100)
	living := open(t, names, files.Options{Dir: dir})
	path, release, err := living.Hold(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	dead := filepath.Join(dir, "larder-files-1")
	if err := os.MkdirAll(filepath.Join(dead, "0-1"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dead, "lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, names, files.Options{Dir: dir})
	if _, err := os.Stat(dead); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the dead one's folder: %v", err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the living one's copy: %v", err)
	}
}

func TestGivingUpStopsTheCopying(t *testing.T) {
	names, _ := fill(t, t.TempDir(), 3, 100)
	f := open(t, names, files.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := f.Hold(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
