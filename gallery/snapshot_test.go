// snapshot_test.go compares what a gallery reports with what it was asked for.

package gallery_test

import (
	"testing"

	"github.com/larder-go/larder/gallery"
	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/stats/statstest"
)

func TestSnapshotHasEachRequestOnce(t *testing.T) {
	dir := folderOf(t, "1.jpg", "2.jpg", "3.jpg")
	write(t, dir, "4.jpg", []byte("no picture"))
	g, err := gallery.Dir(dir, gallery.Options{Memory: 64 << 20, Name: "holidays"})
	c := serve(t, g, err)
	c.read("")
	for _, n := range []int{0, 1, 1, 3} {
		c.thumb(n, 320)
	}
	got, s := statstest.Of(t, g), g.Stats()
	statstest.Expect(t, got, statstest.Numbers{
		"requests hit": float64(s.Thumbs.Hits), "requests stale": 0, "requests coalesced": 0,
		"requests miss": 3, "loads ok": float64(s.Made + s.Failed), "loads error": 0,
		"entries": 3, "used": float64(s.Thumbs.Weight), "limit": 16 << 20,
	})
	if sum := got.Sum(stats.Requests); sum != float64(s.Thumbs.Hits+s.Thumbs.Misses) {
		t.Errorf("the requests add up to %v, want those of %+v", sum, s.Thumbs)
	}
	if got.Durations == nil || got.Durations.Count != 3 || s.Made != 2 || s.Failed != 1 {
		t.Errorf("%+v took %+v", s, got.Durations)
	}
	if got.Name != "holidays" || got.Kind != stats.Gallery || got.Note != "4 pictures" {
		t.Errorf("it is %s %q with the note %q", got.Kind, got.Name, got.Note)
	}
}
