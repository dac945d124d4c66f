// share_linux_test.go puts a gallery over a slow share, of whose changes nobody tells.

package gallery_test

import (
	"fmt"
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
