// tree.go reads a folder and what is below it, and keeps it in natural order.

package gallery

import (
	"context"
	"errors"
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
	ears      *ears
	reading   bool
	published time.Time
}

// dir is one folder of the tree.
type dir struct {
	pictures []*picture // in natural order
	subs     []string   // names of folders, in natural order
	modified time.Time  // when its names changed last; zero: not long enough ago to tell
	failed   bool       // it could not be read, and is to be read again
	told     bool       // the system tells of its changes
	deaf     bool       // it never will
}

func newTree(f *folder) *tree {
	return &tree{folder: f, dirs: map[string]*dir{}, ears: &ears{folder: f}}
}

// readAll reads everything for the first time, and publishes it bit by bit.
func (t *tree) readAll(ctx context.Context) {
	t.reading = true
	t.enter(ctx, ".")
	t.reading = false
	t.publish()
}

// enter reads the folder at path and all below it.
func (t *tree) enter(ctx context.Context, at string) {
	t.dirs[at] = &dir{deaf: t.ears.deaf(at, t.dirs[path.Dir(at)])}
	t.read(ctx, at)
	if t.dirs[at].told && !t.reading {
		t.ears.fresh = append(t.ears.fresh, at)
	}
	t.enterNew(ctx, at)
}

// enterNew enters what is in the folder at path and was not entered yet.
func (t *tree) enterNew(ctx context.Context, at string) {
	for _, sub := range t.dirs[at].subs {
		if below := join(at, sub); t.dirs[below] == nil && ctx.Err() == nil {
			t.enter(ctx, below)
		}
	}
}

// leave forgets the folder at path, if it is known, and all below it.
func (t *tree) leave(at string) {
	d := t.dirs[at]
	if d == nil {
		return
	}
	delete(t.dirs, at)
	t.ears.leave(at)
	for _, sub := range d.subs {
		t.leave(join(at, sub))
	}
}

// update reads what has changed. All that is gone is left before anything is entered: a folder that
// was moved is listened to by its old name until then.
func (t *tree) update(ctx context.Context, c *changes) {
	if c.everything {
		t.leave(".")
		t.enter(ctx, ".")
		return
	}
	for path := range c.files {
		if t.dirs[path] != nil { // it may be readable now, or no more
			c.dirs[path] = true
		}
	}
	for path := range c.others {
		if t.dirs[path] == nil {
			delete(c.others, path)
		}
		t.leave(path)
	}
	for path := range c.dirs {
		if t.dirs[path] != nil {
			t.readAgain(ctx, path)
		}
	}
	for path := range c.dirs {
		if t.dirs[path] != nil {
			t.enterNew(ctx, path)
		}
	}
}

// readAgain reads the folder at path, and leaves what is no longer in it.
func (t *tree) readAgain(ctx context.Context, at string) {
	before := t.dirs[at].subs
	t.read(ctx, at)
	there := make(map[string]bool, len(before))
	for _, sub := range t.dirs[at].subs {
		there[sub] = true
	}
	for _, sub := range before {
		if !there[sub] {
			t.leave(join(at, sub))
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

// read reads the names in the folder at path.
func (t *tree) read(ctx context.Context, at string) {
	d := t.dirs[at]
	if !d.told && !d.deaf { // before the names are read, or one could slip through
		d.told = t.ears.listen(at)
	}
	known := d.pictures != nil || d.subs != nil
	now := listing{path: at, had: t.folder.catalog().byPath}
	modified := t.modified(at)
	err := t.folder.readDir(ctx, at, func(entries []fs.DirEntry) {
		now.add(entries)
		if t.reading && time.Since(t.published) > publishEvery {
			d.pictures, d.subs = now.sorted()
			t.publish()
		}
	})
	d.modified, d.failed = modified, err != nil
	if d.failed {
		d.modified = time.Time{}
	}
	if ctx.Err() == nil && now.settle(err, known) {
		d.pictures, d.subs = now.sorted()
	}
}

// settle makes the best of an error of reading, and tells whether the listing is better than what
// was known before: after a moment of weakness it is not.
func (l *listing) settle(err error, known bool) bool {
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist): // nothing is in what is gone
		return true
	case l.path == ".":
		return !known
	case known && !errors.Is(err, fs.ErrPermission):
		return false
	}
	l.pictures = append(l.pictures, l.unreadable())
	return true
}

// modified returns when the names in a folder have changed, if that tells of the next change too.
func (t *tree) modified(path string) time.Time {
	stat, err := t.folder.top().Stat(path)
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
	had      map[string]*picture // what is known already, by path
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
