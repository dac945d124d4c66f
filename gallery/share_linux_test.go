// share_linux_test.go puts a gallery over a slow share, of whose changes nobody tells.

package gallery_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/larder-go/larder/gallery"
	"github.com/larder-go/larder/internal/slowshare"
)

func TestChangesOnAShareAreNoticedByLooking(t *testing.T) {
	dir := folderOf(t, "a.jpg", "c.jpg", "sub/d.jpg")
	share := slowshare.Mount(t, dir, slowshare.Options{Latency: time.Millisecond})
	c := open(t, share.Dir, gallery.Options{Poll: 20 * time.Millisecond})
	noticesChanges(t, c, dir)
}

func TestAFolderOpensBeforeItsFilesAreLookedAt(t *testing.T) {
	names := make([]string, 300)
	for i := range names {
		names[i] = fmt.Sprintf("%d.jpg", i)
	}
	share := slowshare.Mount(t, folderOf(t, names...), slowshare.Options{Latency: time.Second})
	c := open(t, share.Dir, gallery.Options{})
	l := c.read("")
	if l.Total != 300 || share.Opens.Load() != 0 {
		t.Errorf("%d pictures, %d files were opened", l.Total, share.Opens.Load())
	}
}

func TestAShareBelowALocalFolderIsLookedAt(t *testing.T) {
	dir := folderOf(t, "a.jpg")
	share := slowshare.Mount(t, dir, slowshare.Options{})
	above := filepath.Dir(share.Dir)
	c := open(t, above, gallery.Options{Poll: 20 * time.Millisecond})
	page := follow(c, "")
	write(t, dir, "b.jpg", nil)
	page.until("on the share", func(l listed) bool { return has(l, "b.jpg") })
	write(t, above, "new/c.jpg", nil)
	page.until("beside it", func(l listed) bool { return has(l, "c.jpg") })
}

// has tells whether a picture of that name is listed.
func has(l listed, name string) bool {
	return slices.ContainsFunc(l.Items, func(i listedItem) bool { return i.Name == name })
}

func TestWhateverHappensOnAShareThePageShowsItInTheEnd(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			share := slowshare.Mount(t, dir, slowshare.Options{})
			followsARandomFolder(t, dir, share.Dir, seed)
		})
	}
}
