// watch_test.go changes folders in every way, and looks at what an open page makes of it.

package gallery_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/gallery"
)

// follower is an open page: it lists anew only when the generation is another one.
type follower struct {
	*client
	query string
	known listed
}

// follow opens a page of what is read by now.
func follow(c *client, query string) *follower {
	f := &follower{client: c, query: query + "&count=500"}
	f.known = c.read(f.query)
	return f
}

// until waits until the page is as it should be.
func (f *follower) until(what string, right func(listed) bool) {
	f.t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); {
		if right(f.known) {
			return
		}
		if f.list(f.query+"&count=0").Generation != f.known.Generation {
			f.known = f.list(f.query)
			continue
		}
		time.Sleep(5 * time.Millisecond)
	}
	f.t.Fatalf("%s: the page still shows %.20q", what, f.known.names())
}

// shows waits until the page shows these pictures.
func (f *follower) shows(what string, names ...string) {
	f.t.Helper()
	f.until(what, func(l listed) bool { return slices.Equal(l.names(), names) })
}

// must ends the test if something around it went wrong.
func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFolderThatTakesThePlaceOfAnotherIsWatched(t *testing.T) {
	dir := folderOf(t, "x/a.jpg", "y/b.jpg")
	x, y := filepath.Join(dir, "x"), filepath.Join(dir, "y")
	page := follow(open(t, dir, gallery.Options{}), "")
	must(t, os.RemoveAll(x))
	write(t, dir, "x/c.jpg", nil)
	page.shows("made anew", "x/c.jpg", "y/b.jpg")
	write(t, dir, "x/d.jpg", nil)
	page.shows("a file in it", "x/c.jpg", "x/d.jpg", "y/b.jpg")
	must(t, os.Rename(x, x+"2"), os.Rename(y, x), os.Rename(x+"2", y))
	page.shows("swapped", "x/b.jpg", "y/c.jpg", "y/d.jpg")
	write(t, dir, "x/e.jpg", nil)
	must(t, os.Remove(filepath.Join(y, "d.jpg")))
	page.shows("files in both", "x/b.jpg", "x/e.jpg", "y/c.jpg")
}

func TestAFileInAnotherFolderOfThatNameHasAnotherVersion(t *testing.T) {
	dir := folderOf(t, "x/a.jpg", "aside/a.jpg")
	page := follow(open(t, dir, gallery.Options{}), "dir=x")
	was := page.known.Items[0].V
	x, aside := filepath.Join(dir, "x"), filepath.Join(dir, "aside")
	must(t, os.Rename(x, x+"2"), os.Rename(aside, x))
	page.until("other bytes", func(l listed) bool { return l.Total == 1 && l.Items[0].V != was })
}

func TestAFolderThatCannotBeWatchedIsLookedAt(t *testing.T) {
	dir := folderOf(t, "a.jpg")
	told := make(chan error, 100)
	page := follow(open(t, dir, gallery.Options{
		Poll: 20 * time.Millisecond, OnError: func(err error) { told <- err },
	}), "")
	at, err := os.OpenRoot(dir) // deeper than any path may be long, step by step
	must(t, err)
	long := strings.Repeat("d", 250)
	for range 18 {
		must(t, at.Mkdir(long, 0o755))
		below, err := at.OpenRoot(long)
		must(t, err, at.Close())
		at = below
	}
	defer at.Close()
	select {
	case err := <-told:
		if !strings.Contains(err.Error(), "looking every 20ms instead") {
			t.Errorf("told: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("nobody is told that it cannot be watched")
	}
	must(t, at.WriteFile("deep.jpg", nil, 0o644))
	page.until("in the deep", func(l listed) bool {
		return l.Total == 2 && l.Items[1].Name == "deep.jpg"
	})
	write(t, dir, "new/b.jpg", nil)
	page.until("a new folder", func(l listed) bool { return l.Total == 3 })
	write(t, dir, "new/c.jpg", nil)
	page.until("a file in it", func(l listed) bool { return l.Total == 4 })
}

func TestAFolderIsReadAsSoonAsItIsReadable(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root reads everything")
	}
	dir := folderOf(t, "x/a.jpg", "x/sub/b.jpg")
	x := filepath.Join(dir, "x")
	must(t, os.Chmod(x, 0))
	t.Cleanup(func() { _ = os.Chmod(x, 0o755) })
	page := follow(open(t, dir, gallery.Options{Poll: 20 * time.Millisecond}), "")
	page.until("unreadable", func(l listed) bool {
		return l.Total == 1 && l.Items[0].Error == "folder not readable"
	})
	must(t, os.Chmod(x, 0o755))
	page.shows("readable", "x/a.jpg", "x/sub/b.jpg")
	must(t, os.Chmod(x, 0))
	page.until("unreadable again", func(l listed) bool {
		return l.Total == 1 && l.Items[0].Error != ""
	})
	write(t, dir, "new/c.jpg", nil)
	page.until("a new folder beside it", func(l listed) bool { return l.Total == 2 })
}

func TestAnOrderThatWasMadeTooEarlyIsMadeAgain(t *testing.T) {
	const count = 500
	dir := t.TempDir()
	want := make([]string, count)
	for i := range count {
		want[count-1-i] = fmt.Sprintf("%d.jpg", i)
		write(t, dir, want[count-1-i], nil)
		at := time.Unix(int64(2_000_000-i), 0)
		must(t, os.Chtimes(filepath.Join(dir, want[count-1-i]), at, at))
	}
	c := open(t, dir, gallery.Options{})
	c.read("count=0")
	page := &follower{client: c, query: "sort=time&count=500"}
	page.known = c.list(page.query)
	page.shows("by time", want...)
	if l := c.list(page.query); l.Reading || l.Generation != page.known.Generation {
		t.Errorf("reading %v, generation %d after %d", l.Reading, l.Generation, page.known.Generation)
	}
}

func TestATopThatIsMadeAnewIsOpenedAnew(t *testing.T) {
	dir := folderOf(t, "p/x/a.jpg")
	top := filepath.Join(dir, "p")
	page := follow(open(t, top, gallery.Options{Poll: 20 * time.Millisecond}), "")
	must(t, os.RemoveAll(top))
	page.shows("gone")
	write(t, dir, "p/x/b.jpg", nil)
	page.shows("made anew", "x/b.jpg")
	write(t, dir, "p/x/c.jpg", nil)
	page.shows("a file in it", "x/b.jpg", "x/c.jpg")
	must(t, os.Rename(top, top+"2"))
	write(t, dir, "p2/new/d.jpg", nil)
	page.shows("renamed", "new/d.jpg", "x/b.jpg", "x/c.jpg")
	write(t, dir, "p2/new/e.jpg", nil)
	page.shows("a file in a new folder", "new/d.jpg", "new/e.jpg", "x/b.jpg", "x/c.jpg")
}

func TestWhatALinkLeadsToIsLookedAtWhileItIsShown(t *testing.T) {
	dir := folderOf(t, "d/b.bin")
	must(t, os.Symlink(filepath.Join("d", "b.bin"), filepath.Join(dir, "a.jpg")))
	page := follow(open(t, dir, gallery.Options{Poll: 20 * time.Millisecond}), "")
	was := page.known.Items[0].V
	write(t, dir, "d/b.bin", jpegOf(t, photo(90, 90, 7)))
	page.until("other bytes", func(l listed) bool { return l.Items[0].V != was })
}

func TestAPageThatOutlivesTheProcessListsAnew(t *testing.T) {
	dir := folderOf(t, "a.jpg")
	page := follow(open(t, dir, gallery.Options{}), "")
	must(t, os.Rename(filepath.Join(dir, "a.jpg"), filepath.Join(dir, "b.jpg")))
	page.client = open(t, dir, gallery.Options{})
	if page.known.Generation > 1<<53 {
		t.Errorf("generation %d is not exact in JavaScript", page.known.Generation)
	}
	page.shows("restarted", "b.jpg")
}

func TestAFileOfTheSameSizeAndTimeHasAnotherVersion(t *testing.T) {
	dir := t.TempDir()
	at := time.Now().Add(-time.Hour)
	for i, name := range []string{"a.jpg", "b.jpg.part"} {
		write(t, dir, name, []byte{byte(i)})
		must(t, os.Chtimes(filepath.Join(dir, name), at, at))
	}
	page := follow(open(t, dir, gallery.Options{}), "")
	was := page.known.Items[0].V
	must(t, os.Rename(filepath.Join(dir, "b.jpg.part"), filepath.Join(dir, "a.jpg")))
	page.until("other bytes", func(l listed) bool { return l.Items[0].V != was })
}

func TestWhateverHappensToAFolderThePageShowsItInTheEnd(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			followsARandomFolder(t, dir, dir, seed)
		})
	}
}

// followsARandomFolder changes what is in dir, and waits after each round until a page that shows
// it as seen at see shows what there is.
func followsARandomFolder(t *testing.T, dir, see string, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	page := follow(open(t, see, gallery.Options{Poll: 20 * time.Millisecond}), "")
	for range 12 {
		var done []string
		for range 1 + r.IntN(6) {
			done = append(done, happen(r, dir))
			// to meet the watcher anywhere in what it does
			time.Sleep(time.Duration(r.IntN(3)*r.IntN(60)) * time.Millisecond)
		}
		page.until(strings.Join(done, ", "), func(l listed) bool {
			return slices.Equal(slices.Sorted(slices.Values(l.names())), picturesIn(t, see))
		})
	}
}

// happen changes something in dir, and says what. Much of it fails: it is no matter what.
func happen(r *rand.Rand, dir string) string {
	dirs := []string{"a", "b", "a/c", "a/c/d", "b/c"}
	one, other := dirs[r.IntN(len(dirs))], dirs[r.IntN(len(dirs))]
	from, to := filepath.Join(dir, one), filepath.Join(dir, other)
	file := filepath.Join(from, fmt.Sprintf("%d.jpg", r.IntN(4)))
	switch r.IntN(6) {
	case 0, 1:
		_ = os.MkdirAll(from, 0o755)
		_ = os.WriteFile(file, []byte("x"), 0o644)
		return "write " + file
	case 2:
		_ = os.Remove(file)
		return "remove " + file
	case 3:
		_ = os.RemoveAll(from)
		return "remove " + one
	case 4:
		return fmt.Sprint("rename ", one, " to ", other, ": ", os.Rename(from, to))
	default:
		_ = os.MkdirAll(from, 0o755)
		return "make " + one
	}
}

// picturesIn returns what there is, sorted.
func picturesIn(t *testing.T, dir string) (all []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			all = append(all, filepath.ToSlash(rel))
		}
		return err
	}))
	slices.Sort(all)
	return all
}
