// watch_internal_test.go plays the system to a folder that nobody watches.

//go:build unix

package gallery

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// unwatched returns a folder that was read once.
func unwatched(t *testing.T, dir string) *folder {
	t.Helper()
	top, err := os.OpenRoot(dir)
	must(t, err)
	f := newFolder(dir, top, Options{}.complete())
	t.Cleanup(func() { must(t, f.close()) })
	f.tree.readAll(t.Context())
	return f
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// writeOld writes a file into a folder that looks as if nothing had happened there for long.
func writeOld(t *testing.T, path string, b string) {
	t.Helper()
	dir := filepath.Dir(path)
	at := time.Now().Add(-time.Hour)
	must(t, os.MkdirAll(dir, 0o755), os.WriteFile(path, []byte(b), 0o644), os.Chtimes(dir, at, at))
}

func (f *folder) paths() (all []string) {
	for _, p := range f.catalog().pictures {
		all = append(all, p.path)
	}
	return all
}

// longAgo makes what is known of p old enough to look again.
func longAgo(p *picture) {
	i := p.known()
	i.looked = i.looked.Add(-time.Minute)
	p.info.Store(&i)
}

func TestWhoeverFindsOtherBytesTellsEverybody(t *testing.T) {
	dir := t.TempDir()
	writeOld(t, dir+"/a.jpg", "1")
	f := unwatched(t, dir)
	p := f.catalog().pictures[0]
	was, generation := f.inspect(t.Context(), p), f.catalog().generation
	longAgo(p)
	if f.inspect(t.Context(), p); f.catalog().generation != generation {
		t.Error("a new generation of the same bytes")
	}
	longAgo(p)
	writeOld(t, dir+"/a.jpg", "22")
	if now := f.inspect(t.Context(), p); now.version == was.version {
		t.Errorf("the version is still %s", now.version)
	}
	if got := f.catalog().generation; got == generation {
		t.Errorf("the generation is still %d", got)
	}
}

func TestALookThatBeganEarlierDoesNotHideALaterOne(t *testing.T) {
	dir := t.TempDir()
	writeOld(t, dir+"/a.jpg", "1")
	f := unwatched(t, dir)
	p := f.catalog().pictures[0]
	later := &info{version: "later", looked: time.Now().Add(time.Minute)}
	p.info.Store(later)
	if now, other := f.look(p); now != later || other || p.info.Load() != later {
		t.Errorf("got %+v, another: %v", now, other)
	}
}

func TestAnOverflowMayHaveHiddenOtherBytes(t *testing.T) {
	dir := t.TempDir()
	writeOld(t, dir+"/a.jpg", "1")
	writeOld(t, dir+"/x/b.jpg", "1")
	f := unwatched(t, dir)
	was := f.catalog()
	f.inspect(t.Context(), was.pictures[0])
	for _, content := range []string{"1", "22"} {
		generation := f.catalog().generation
		writeOld(t, dir+"/a.jpg", content)
		f.apply(t.Context(), &changes{everything: true})
		if !slices.Equal(f.catalog().pictures, was.pictures) {
			t.Errorf("pictures were forgotten: %q", f.paths())
		}
		if f.catalog().generation == generation {
			t.Errorf("%q is not noticed", content)
		}
	}
}

func TestAFolderThatCannotBeReadForAMomentKeepsItsPictures(t *testing.T) {
	dir := t.TempDir()
	writeOld(t, dir+"/x/a.jpg", "1")
	f := unwatched(t, dir)
	must(t, os.Rename(dir+"/x", dir+"/aside"), os.WriteFile(dir+"/x", nil, 0o644))
	f.apply(t.Context(), &changes{dirs: map[string]bool{"x": true}})
	if got := f.paths(); !slices.Equal(got, []string{"x/a.jpg"}) {
		t.Errorf("during that: %q", got)
	}
	writeOld(t, dir+"/aside/b.jpg", "1")
	must(t, os.Remove(dir+"/x"), os.Rename(dir+"/aside", dir+"/x"))
	f.tree.dirs["x"].told = true // even if the system would tell of changes
	f.apply(t.Context(), f.lookAround(t.Context()))
	if got := f.paths(); !slices.Equal(got, []string{"x/a.jpg", "x/b.jpg"}) {
		t.Errorf("after that: %q", got)
	}
}

func TestAFolderThatCouldNotBeReadAtFirstIsReadLater(t *testing.T) {
	dir := t.TempDir()
	writeOld(t, dir+"/a.jpg", "1")
	f := unwatched(t, dir)
	must(t, os.WriteFile(dir+"/x", nil, 0o644))
	f.tree.dirs["."].subs = []string{"x"}
	f.tree.enter(t.Context(), "x")
	f.tree.publish()
	if p := f.catalog().byPath["x/"]; p == nil || !errors.Is(p.wrong, errNoDir) {
		t.Errorf("at first: %q", f.paths())
	}
	must(t, os.Remove(dir+"/x"))
	writeOld(t, dir+"/x/b.jpg", "1")
	f.apply(t.Context(), f.lookAround(t.Context()))
	if got := f.paths(); !slices.Equal(got, []string{"a.jpg", "x/b.jpg"}) {
		t.Errorf("later: %q", got)
	}
}

func TestAFolderThatBecameAPipeHoldsNobodyUp(t *testing.T) {
	dir := t.TempDir()
	f := unwatched(t, dir)
	must(t, syscall.Mkfifo(dir+"/x", 0o600))
	if err := f.readDir(t.Context(), "x", func([]fs.DirEntry) {}); err == nil {
		t.Error("a pipe was read as a folder")
	}
}

func TestCloseDoesNotWaitForAShareThatHangs(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		top, err := os.OpenRoot(dir)
		must(t, err)
		f := newFolder(dir, top, Options{}.complete())
		share := make(chan struct{})
		f.done.Go(func() { <-share })
		begun := time.Now()
		if err := f.close(); !errors.Is(err, errHangs) || time.Since(begun) != closeWithin {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		close(share)
		if must(t, f.close()); time.Since(begun) != closeWithin {
			t.Errorf("closed after %v", time.Since(begun))
		}
	})
}

func TestRequestsThatEndDoNotWaitForAShareThatHangs(t *testing.T) {
	dir := t.TempDir()
	writeOld(t, dir+"/a.jpg", "1")
	f := unwatched(t, dir)
	p := f.catalog().pictures[0]
	for range mostLooks { // all hang
		f.looks <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if i := f.inspect(ctx, p); !errors.Is(i.err, context.DeadlineExceeded) || p.info.Load() != nil {
		t.Errorf("got %+v, known is %+v", i, p.info.Load())
	}
}

func TestSeenForgetsThoughNobodyAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s seen
		for i := range 1000 {
			s.note(&picture{path: fmt.Sprint(i)})
			time.Sleep(lately / 10)
		}
		if len(s.at) > 25 {
			t.Errorf("%d are remembered, ten were seen lately", len(s.at))
		}
	})
}
