// snapshot.go reports what a gallery has done.

package gallery

import (
	"fmt"

	"github.com/larder-go/larder/stats"
)

// Snapshot implements [stats.Source]: what the cache of thumbnails reports, in bytes. A load makes
// a thumbnail, or finds that it still holds, or that the picture cannot be shown; one that nobody
// waited for any more is an error. The Note says how many pictures there are.
func (g *Gallery) Snapshot() stats.Snapshot {
	s := g.pictures.thumbs.Snapshot().InBytes()
	s.Name, s.Kind = g.options.Name, stats.Gallery
	c := g.source.catalog()
	s.Note = fmt.Sprintf("%d pictures", len(c.pictures))
	if c.reading {
		s.Note += ", and the folder is still being read"
	}
	return s
}
