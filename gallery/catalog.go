// catalog.go is the list of all pictures, and what is known of each.

package gallery

import (
	"encoding/base64"
	"io"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/gallery/thumb"
)

// catalog lists pictures in natural order: those of a folder before those of its subfolders. It does
// not change: there is a new one, of a higher generation, when anything has.
type catalog struct {
	generation uint64
	pictures   []*picture
	byPath     map[string]*picture
	reading    bool // it will grow
}

// find returns the picture that an id names.
func (c *catalog) find(id string) (*picture, bool) {
	path, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil {
		return nil, false
	}
	p, ok := c.byPath[string(path)]
	return p, ok
}

// picture is a file below the folder, or an address.
type picture struct {
	path  string // with slashes, below the folder; or the URL
	kind  thumb.Kind
	wrong error                // why it cannot be shown, whatever it holds
	info  atomic.Pointer[info] // nil if nobody has looked
}

// id is what a picture is called in URLs: its path, so that it outlives this process.
func (p *picture) id() string { return base64.RawURLEncoding.EncodeToString([]byte(p.path)) }

// dir and name are its path in two. dir is "" at the top.
func (p *picture) dir() string {
	if i := strings.LastIndexByte(p.path, '/'); i >= 0 {
		return p.path[:i]
	}
	return ""
}

func (p *picture) name() string { return path.Base(p.path) }

// info is what is known of a picture without decoding it.
type info struct {
	version string // changes with its bytes; "" if only the bytes can tell
	bytes   int64
	time    time.Time
	err     error
	looked  time.Time // when
}

// known returns what is known of p by now.
func (p *picture) known() info {
	if i := p.info.Load(); i != nil {
		return *i
	}
	return info{}
}

// opened is a picture's bytes.
type opened struct {
	thumb.File
	modified time.Time
	version  string        // of the bytes that were opened; "" if only they can tell
	now      func() string // the version at the moment: another one if they were written since
	close    func() error
}

var _ io.Closer = (*opened)(nil)

// Close gives back what the bytes are read from.
func (o *opened) Close() error { return o.close() }

// ThumbURL returns the URL of a thumbnail, relative to where the gallery is mounted, for pages of
// your own: path is that of the file below the folder, with slashes, or the URL of the picture; size
// is 320, 640, 1280 or 2048 pixels. Only what the gallery shows is ever served.
func ThumbURL(path string, size int) string {
	p := picture{path: path}
	return "thumb/" + p.id() + "?size=" + strconv.Itoa(size)
}
