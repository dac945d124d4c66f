// assets.go gives files names that change with their content.

package browsercache

import (
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"sync"
	"sync/atomic"
)

// AssetOptions says where assets are and how they are kept. The zero value is right for most.
type AssetOptions struct {
	// Prefix is the path that all assets are below, with a slash at both ends. Default: "/assets/".
	Prefix string
	// MaxInMemory is the size in bytes up to which a file is kept in memory. Larger ones are read
	// when they are asked for, and must not be changed in place; their CSS is not rewritten. 0
	// means 1 MiB.
	MaxInMemory int64
	// Changes says what happens when a file changes.
	Changes Changes
}

// Changes says whether files may change while the program runs.
type Changes uint8

const (
	// Ignored is for files that come with the program: they are read once, by NewAssets.
	Ignored Changes = iota
	// Followed is for development: at every use all files are looked at, and read again if the
	// size or time of one has changed.
	Followed
)

// Assets are the files of a file system, such as an embed.FS, under names that hold a fingerprint
// of their content: app.css is served as app.3f2a9c41d07be558.css, to be kept for a year and never
// asked for again. When the content changes the name does, and every page names the new one.
//
// It is an http.Handler for everything below Prefix, which it does not want stripped:
//
//	/assets/app.3f2a9c41d07be558.css   public, max-age=31536000, immutable
//	/assets/app.css                    the same file; no-cache: asked for each time, by ETag
//	/assets/app.0123456789abcdef.css   302 to the name of today, no-store
//	anything else                      404, no-store
//
// A name of yesterday is on pages that are still open, and a name of tomorrow on those of a server
// that was updated first. A page with the style of today is better than one without; and since the
// answer is not kept, nobody has the wrong content under a name for longer than that.
//
// References of CSS, in url(...) and @import, lead to fingerprinted names; a change of what a file
// refers to, however indirectly, changes its own name too. Modules of JavaScript are left as they
// are: the element that ImportMap returns tells the browser their names.
//
// app.css.br, app.css.zst and app.css.gz beside app.css are sent instead to whoever accepts them,
// unless they are older than it or it was rewritten. Where there is no app.css.gz, text is
// compressed with gzip when it is first asked for.
//
// Only regular files are assets whose path has no element that begins with a dot; a link is none.
// No request opens anything else. All methods may be called by many goroutines at once.
type Assets struct {
	files   fs.FS
	options AssetOptions
	table   atomic.Pointer[table]
	mu      sync.Mutex // held while files are looked at
}

// ErrNoAsset is returned, wrapped with its name, for a file that is not there.
var ErrNoAsset = errors.New("browsercache: no such asset")

// NewAssets reads all files. It panics on options that make no sense; the error is that of reading.
func NewAssets(files fs.FS, o AssetOptions) (*Assets, error) {
	if o.Prefix == "" {
		o.Prefix = "/assets/"
	}
	if !strings.HasPrefix(o.Prefix, "/") || !strings.HasSuffix(o.Prefix, "/") {
		panic("browsercache: AssetOptions: Prefix does not begin and end with a slash")
	}
	if o.MaxInMemory < 0 {
		panic("browsercache: AssetOptions: MaxInMemory is negative")
	}
	if o.MaxInMemory == 0 {
		o.MaxInMemory = 1 << 20
	}
	a := &Assets{files: files, options: o}
	t, err := readTable(files, o)
	if err != nil {
		return nil, fmt.Errorf("browsercache: %w", err)
	}
	a.table.Store(t)
	return a, nil
}

// now returns the table of the files as they are. If they cannot be read it is the last one, with
// the error.
func (a *Assets) now() (*table, error) {
	if a.options.Changes == Ignored {
		return a.table.Load(), nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.table.Load()
	found, err := scan(a.files)
	if err != nil {
		return t, fmt.Errorf("browsercache: %w", err)
	}
	if t.describes(found) {
		return t, nil
	}
	next, err := readTable(a.files, a.options)
	if err != nil {
		return t, fmt.Errorf("browsercache: %w", err)
	}
	a.table.Store(next)
	return next, nil
}

// Path returns the path of the asset name for a page: Path("app.css") is
// "/assets/app.3f2a9c41d07be558.css". Where there is no such file it is "/assets/app.css", which
// answers 404; Find says so before.
func (a *Assets) Path(name string) string {
	p, err := a.Find(name)
	if err != nil {
		return a.at(name)
	}
	return p
}

// Find is Path with an error, ErrNoAsset, where there is no such file.
func (a *Assets) Find(name string) (string, error) {
	t, err := a.now()
	if err != nil {
		return "", err
	}
	file := t.plain[name]
	if file == nil {
		return "", fmt.Errorf("%w: %q", ErrNoAsset, name)
	}
	return a.at(file.printed), nil
}

// at returns the path of a URL.
func (a *Assets) at(name string) string {
	return (&url.URL{Path: a.options.Prefix + name}).EscapedPath()
}

// Funcs returns functions for html/template and text/template: {{ asset "app.css" }} is Find, so
// that a name that is misspelt is an error, and {{ importmap }} is ImportMap.
func (a *Assets) Funcs() template.FuncMap {
	return template.FuncMap{"asset": a.Find, "importmap": a.ImportMap}
}

// ImportMap returns a script element that tells the browser under which names to look for the
// modules of JavaScript, that is .js and .mjs, as they import each other by their plain names. It
// belongs into the head of a page before the first module. Where a Content-Security-Policy forbids
// scripts in the page, allow this one by its hash.
func (a *Assets) ImportMap() (template.HTML, error) {
	t, err := a.now()
	if err != nil {
		return "", err
	}
	imports := map[string]string{}
	for name, file := range t.plain {
		if ext := path.Ext(name); ext == ".js" || ext == ".mjs" {
			imports[a.at(name)] = a.at(file.printed)
		}
	}
	b, err := json.Marshal(map[string]any{"imports": imports}) // leaves no "<" that could end it
	return template.HTML(`<script type="importmap">` + string(b) + `</script>`), err
}
