// filehash_test.go hashes files and folders from outside.

package filehash_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/filehash"
)

// memory is a Memory that counts.
type memory struct {
	mu    sync.Mutex // guards the field below
	notes map[string][]byte
}

func newMemory() *memory { return &memory{notes: map[string][]byte{}} }

func (m *memory) Recall(_ context.Context, path string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.notes[path]
}

func (m *memory) Remember(_ context.Context, path string, note []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notes[path] = note
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

func sum(t *testing.T, h filehash.Hasher, path string) filehash.Sum {
	t.Helper()
	s, err := h.Sum(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// settle waits until the file at path counts as left alone.
func settle(t *testing.T, path string) {
	t.Helper()
	for {
		p, err := filehash.Look(path)
		if err != nil {
			t.Fatal(err)
		}
		if p.Settled(time.Now()) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestSumOfAFileIsItsSHA256(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "f"), "content")
	if got := sum(t, filehash.Hasher{}, path); got != sha256.Sum256([]byte("content")) {
		t.Errorf("got %s", got)
	}
}

func TestUnchangedFileIsNotReadAgain(t *testing.T) {
	t.Parallel()
	path := write(t, filepath.Join(t.TempDir(), "f"), strings.Repeat("a", 100<<10))
	m := newMemory()
	h := filehash.Hasher{Memory: m}
	first := sum(t, h, path)
	if len(m.notes) != 0 {
		t.Fatal("a file was trusted that was written just now")
	}
	settle(t, path)
	if again := sum(t, h, path); again != first || len(m.notes) != 1 {
		t.Fatalf("got %s with %d notes, want %s with one", again, len(m.notes), first)
	}
	lie := strings.Repeat("0", 64)
	m.notes[path] = bytes.Replace(m.notes[path], []byte(first.String()), []byte(lie), 1)
	if got := sum(t, h, path).String(); got != lie {
		t.Error("an unchanged file was read")
	}
	write(t, path, strings.Repeat("b", 100<<10))
	if err := os.Chtimes(path, time.Time{}, time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	want := sha256.Sum256(bytes.Repeat([]byte("b"), 100<<10))
	if got := sum(t, h, path); got != want {
		t.Errorf("changed file: got %s", got)
	}
}

func TestNotesThatAreNoneAreIgnored(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "f"), strings.Repeat("a", 100<<10))
	want := sum(t, filehash.Hasher{}, path)
	for _, bad := range []string{"", "{}", "null", "[1]", `{"size":102400,"sha256":"00"}`, "\xff"} {
		m := newMemory()
		m.notes[path] = []byte(bad)
		if got := sum(t, filehash.Hasher{Memory: m}, path); got != want {
			t.Errorf("note %q: got %s, want %s", bad, got, want)
		}
	}
}

func TestSumOfAFolderIsItsNamesAndContents(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, root := range []string{a, b} {
		write(t, filepath.Join(root, "x", "1"), "one")
		write(t, filepath.Join(root, "2"), "two")
	}
	h := filehash.Hasher{}
	first := sum(t, h, a)
	if sum(t, h, b) != first {
		t.Error("equal folders have two sums")
	}
	in := func(name string) string { return filepath.Join(b, name) }
	seen := map[filehash.Sum]string{first: "as it was"}
	for _, change := range []struct {
		what string
		do   func() error
	}{
		{"a content", func() error { return os.WriteFile(in("2"), []byte("2"), 0o600) }},
		{"a name", func() error { return os.Rename(in("2"), in("3")) }},
		{"a folder", func() error { return os.Rename(in("x"), in("y")) }},
		{"an empty folder", func() error { return os.Mkdir(in("z"), 0o700) }},
		{"a link", func() error { return os.Symlink("3", in("link")) }},
	} {
		if err := change.do(); err != nil {
			t.Fatal(err)
		}
		s := sum(t, h, b)
		if before, ok := seen[s]; ok {
			t.Errorf("%s changed, and the sum is that of: %s", change.what, before)
		}
		seen[s] = change.what
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("a", link); err != nil {
		t.Fatal(err)
	}
	if sum(t, h, link) != first {
		t.Error("a link to a folder is not that folder")
	}
}

func TestErrorsNameTheFile(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	_, err := filehash.Hasher{}.Sum(t.Context(), missing)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("missing: got %v", err)
	}
	if err := os.Symlink(".", filepath.Join(dir, "circle")); err != nil {
		t.Fatal(err)
	}
	_, err = filehash.Hasher{}.Sum(t.Context(), dir)
	if !errors.Is(err, filehash.ErrNoContent) || !strings.Contains(err.Error(), "circle") {
		t.Errorf("circle: got %v", err)
	}
	_, err = filehash.Hasher{}.Sum(t.Context(), os.DevNull)
	if !errors.Is(err, filehash.ErrNoContent) {
		t.Errorf("device: got %v", err)
	}
}

func TestHashingEndsWithItsContext(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "f"), "content")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (filehash.Hasher{}).Sum(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
