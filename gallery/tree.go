// tree.go reads a folder and what is below it, and keeps it in natural order.

package gallery

import (
	"context"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/maruel/natural"

	"github.com/larder-go/larder/gallery/thumb"
)

// publishEvery is how often a folder that is being read is shown as far as it is known.
const publishEvery = 250 * time.Millisecond

// tree is what is in a folder. One goroutine at a time may use it.
type tree struct {
	folder    *folder
	dirs      map[string]*dir // by path; "." is the top
	entering  func(path string)
	reading   bool
	published time.Time
}

// dir is one folder of the tree.
type dir struct {
	pictures []*picture // in natural order
	subs     []string   // names of folders, in natural order
	modified time.Time  // when its names changed last; zero: not long enough ago to tell
}

func newTree(f *folder) *tree {
	return &tree{folder: f, dirs: map[string]*dir{}, entering: func(string) {}}
}

// readAll reads everything for the first time, and publishes it bit by bit.
func (t *tree) readAll(ctx context.Context) {
	t.reading = true
	t.enter(ctx, ".")
	t.reading = false
	t.publish()
}

// enter reads the folder at path and all below it.
func (t *tree) enter(ctx context.Context, path string) {
	t.entering(path)
	t.read(ctx, path)
	for _, sub := range t.dirs[path].subs {
		if ctx.Err() == nil {
			t.enter(ctx, join(path, sub))
		}
	}
}

// join is path.Join for names that are not to be cleaned.
func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}

// granularity is how finely file systems tell times at worst: FAT counts two seconds.
const granularity = 2 * time.Second

// read reads the names in the folder at path, and tells whether there are others than before.
func (t *tree) read(ctx context.Context, path string) (changed bool) {
	d := t.dirs[path]
	if d == nil {
		d, changed = &dir{}, true
		t.dirs[path] = d
	}
	d.modified = t.modified(path)
	now := listing{path: path, had: map[string]*picture{}}
	for _, p := range d.pictures {
		now.had[p.path] = p
	}
	err := t.folder.readDir(ctx, path, func(entries []fs.DirEntry) {
		now.add(entries)
		if t.reading && time.Since(t.published) > publishEvery {
			d.pictures, d.subs = now.sorted()
			t.publish()
		}
	})
	if err != nil && ctx.Err() == nil && path != "." {
		now.pictures = append(now.pictures, now.unreadable())
	}
	was, subs := d.pictures, d.subs
	d.pictures, d.subs = now.sorted()
	return changed || !slices.Equal(was, d.pictures) || !slices.Equal(subs, d.subs)
}

// modified returns when the names in a folder have changed, if that tells of the next change too.
func (t *tree) modified(path string) time.Time {
	stat, err := t.folder.top.Stat(path)
	if err != nil || time.Since(stat.ModTime()) < granularity {
		return time.Time{}
	}
	return stat.ModTime()
}

// unreadable stands for a folder that cannot be read.
func (l *listing) unreadable() *picture {
	at := l.path + "/"
	if p := l.had[at]; p != nil {
		return p
	}
	return &picture{path: at, wrong: errNoDir}
}

// readAgain reads the folder at path, which may be gone, and enters and leaves what is below it as
// that has come and gone. It tells whether anything has changed.
func (t *tree) readAgain(ctx context.Context, path string) bool {
	before := slices.Clone(t.dirs[path].subs)
	if !t.read(ctx, path) {
		return false
	}
	after := t.dirs[path].subs
	for _, sub := range before {
		if !slices.Contains(after, sub) {
			t.leave(join(path, sub))
		}
	}
	for _, sub := range after {
		if !slices.Contains(before, sub) {
			t.enter(ctx, join(path, sub))
		}
	}
	return true
}

// leave forgets the folder at path and all below it.
func (t *tree) leave(path string) {
	for other := range t.dirs {
		if other == path || strings.HasPrefix(other, path+"/") {
			delete(t.dirs, other)
		}
	}
}

// publish makes what is known the catalog.
func (t *tree) publish() {
	t.folder.publish(t.flat(nil, "."), t.reading)
	t.published = time.Now()
}

// flat appends the pictures of the folder at path and those below it to all.
func (t *tree) flat(all []*picture, path string) []*picture {
	d := t.dirs[path]
	if d == nil { // not entered yet
		return all
	}
	all = append(all, d.pictures...)
	for _, sub := range d.subs {
		all = t.flat(all, join(path, sub))
	}
	return all
}

// listing is a folder as it is being read.
type listing struct {
	path     string
	had      map[string]*picture // by path, from the last time
	pictures []*picture
	subs     []string
}

// hidden tells whether a name is one that nobody wants to see: it begins with a dot, or is what
// Synology keeps its own thumbnails in.
func hidden(name string) bool { return strings.HasPrefix(name, ".") || name == "@eaDir" }

// add sorts out which entries are pictures and which are folders.
func (l *listing) add(entries []fs.DirEntry) {
	for _, e := range entries {
		name := e.Name()
		if hidden(name) {
			continue
		}
		if e.IsDir() {
			l.subs = append(l.subs, name)
			continue
		}
		kind := thumb.KindOf(name)
		if kind == thumb.None {
			continue
		}
		at := join(l.path, name)
		p := l.had[at]
		if p == nil {
			p = &picture{path: at, kind: kind}
		}
		l.pictures = append(l.pictures, p)
	}
}

// sorted returns what was read so far in natural order.
func (l *listing) sorted() ([]*picture, []string) {
	sortNaturally(l.pictures, func(p *picture) string { return path.Base(p.path) })
	sortNaturally(l.subs, func(s string) string { return s })
	return slices.Clone(l.pictures), slices.Clone(l.subs)
}

// sortNaturally puts 2.png before 10.png, and does not look at case, unless nothing else differs.
func sortNaturally[T any](all []T, name func(T) string) {
	type keyed struct {
		lower, name string
		it          T
	}
	keys := make([]keyed, len(all))
	for i, it := range all {
		keys[i] = keyed{strings.ToLower(name(it)), name(it), it}
	}
	slices.SortStableFunc(keys, func(a, b keyed) int {
		if c := natural.Compare(a.lower, b.lower); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	})
	for i, k := range keys {
		all[i] = k.it
	}
}
