// bound_test.go copies files of very different size, and files that change meanwhile.

package files_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/prefetch/files"
	"github.com/larder-go/larder/store"
)

// smallThenLarge makes files of which the last are much larger than one would guess.
func smallThenLarge(t *testing.T, small, large int) (names []string) {
	dir := t.TempDir()
	for i := range small + large {
		name := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(name, make([]byte, 1000), 0o600); err != nil {
			t.Fatal(err)
		}
		if i >= small {
			if err := os.Truncate(name, 1<<20); err != nil {
				t.Fatal(err)
			}
		}
		names = append(names, name)
	}
	return names
}

func TestCopiesOnTheirWayCountWithTheirSize(t *testing.T) {
	const most, small = 2<<20 - 1, 15 // one of the large ones has room
	dir := t.TempDir()
	names := smallThenLarge(t, small, 25)
	f := open(t, names, files.Options{Dir: dir, MaxBytes: most, Keep: -1, MaxWidth: 16})
	for i := range names {
		_, release, err := f.Hold(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		bound := int64(most)
		if i >= small { // for one that is asked for another may be given up, and takes a moment to go
			bound += 1 << 20
		}
		for until := time.Now().Add(5 * time.Millisecond); time.Now().Before(until); {
			if _, size := copies(t, dir); size > bound {
				t.Fatalf("at %d there are %d bytes of copies, at most %d may be", i, size, bound)
			}
		}
		release()
	}
}

// meddling is a store that changes a file whenever something is written into it.
type meddling struct {
	store.Store
	meddle func()
}

func (m meddling) Open(ctx context.Context, k string) (store.Item, store.Reader, error) {
	return store.Open(ctx, m.Store, k)
}

func (m meddling) Create(ctx context.Context, k string, item store.Item) (store.Writer, error) {
	w, err := store.Create(ctx, m.Store, k, item, 1<<30)
	return meddler{w, m.meddle}, err
}

type meddler struct {
	store.Writer
	meddle func()
}

func (m meddler) Write(b []byte) (int, error) {
	m.meddle()
	return m.Writer.Write(b)
}

// write makes a file of n times a text, an hour old.
func write(t *testing.T, name, text string, n int) {
	t.Helper()
	if err := os.WriteFile(name, []byte(strings.Repeat(text, n)), 0o600); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour).Truncate(time.Second)
	if err := os.Chtimes(name, old, old); err != nil {
		t.Fatal(err)
	}
}

// read returns a copy of a file, as files.Files makes it.
func read(t *testing.T, name string, o files.Options) (content []byte, stats files.Stats) {
	t.Helper()
	f := open(t, []string{name}, o)
	path, release, err := f.Hold(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	content, err = os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content, f.Stats()
}

func TestAFileThatGrowsFasterThanItIsReadIsCopiedAsItWas(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	write(t, name, "a", 3<<20)
	in, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	kept := store.NewMemory(store.MemoryOptions{})
	s := meddling{kept, func() { _, _ = in.Write(make([]byte, 1<<20)) }}
	got, _ := read(t, name, files.Options{Store: s})
	if !bytes.Equal(got, bytes.Repeat([]byte("a"), 3<<20)) {
		t.Errorf("the copy has %d bytes, want those %d that were there at first", len(got), 3<<20)
	}
	for info, err := range kept.List(t.Context(), "") {
		t.Errorf("kept as %q, %v, want nothing", info.Key, err)
	}
}

func TestAFileThatIsWrittenWhileItIsCopiedIsNotKept(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a")
	kept := store.NewMemory(store.MemoryOptions{})
	for what, meddle := range map[string]func(){
		"written": func() {
			f, err := os.OpenFile(name, os.O_WRONLY, 0)
			if err == nil {
				_, _ = f.WriteAt([]byte("B"), 1<<20-1)
				f.Close()
			}
		},
		"replaced": func() {
			write(t, name+".new", "B", 1<<20)
			_ = os.Rename(name+".new", name)
		},
	} {
		write(t, name, "a", 1<<20)
		_, _ = read(t, name, files.Options{Store: meddling{kept, sync.OnceFunc(meddle)}})
		write(t, name, "a", 1<<20) // with the time it had
		got, _ := read(t, name, files.Options{Store: kept})
		if i := bytes.IndexByte(got, 'B'); i >= 0 {
			t.Errorf("%s: what was written meanwhile is kept, at %d", what, i)
		}
	}
}

func TestManyThatBeginAtOnceSweepNothingThatLives(t *testing.T) {
	dir := t.TempDir()
	names, _ := fill(t, t.TempDir(), 1, 100)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 50 {
				f, err := files.New(names, files.Options{Dir: dir})
				if err != nil {
					t.Error(err)
					return
				}
				if _, release, err := f.Hold(t.Context(), 0); err != nil {
					t.Error(err)
				} else {
					release()
				}
				_ = f.Close()
			}
		})
	}
	all.Wait()
}
