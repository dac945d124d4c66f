// watch.go notices what has changed in a folder: it is told by the system, or looks for itself.

package gallery

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long one waits for more changes before the first is looked at: files are written
// in many steps, and copied in great numbers.
const settle = 100 * time.Millisecond

// watch reads the folder and then keeps the catalog true until ctx ends.
//
// Some changes are never noticed here: files that were not listed for a minute and get other bytes
// where nobody tells of changes, or as the target of a link; and what is mounted over a folder
// below the top, or taken away from there, later than the folder was made. A file is looked at again
// when it is listed, in any case.
func (f *folder) watch(ctx context.Context) {
	f.tree.ears = newEars(f)
	defer f.tree.ears.close()
	f.tree.readAll(ctx)
	w := watching{folder: f, changes: newChanges(), wait: settle, settled: time.NewTimer(settle)}
	w.settled.Stop()
	w.follow(ctx)
}

// watching is what was told and not looked at yet.
type watching struct {
	folder  *folder
	changes *changes
	settled *time.Timer // runs while there are changes
	wait    time.Duration
}

// follow does what the system tells of, some time after, so that much is done at once, and looks
// around now and then.
func (w *watching) follow(ctx context.Context) {
	defer w.settled.Stop()
	look := time.NewTimer(w.folder.options.Poll)
	defer look.Stop()
	ears := w.folder.tree.ears
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-ears.events():
			w.begin()
			w.changes.note(w.folder.below(e.Name), e.Op)
		case err := <-ears.errors():
			w.missed(err)
		case <-w.settled.C:
			begun := time.Now()
			w.folder.apply(ctx, w.changes)
			w.changes = newChanges()
			w.wait = max(settle, 5*time.Since(begun)) // large folders must not take all the time
		case <-look.C:
			begun := time.Now()
			w.folder.apply(ctx, w.folder.lookAround(ctx))
			// a slow share has better things to do
			look.Reset(max(w.folder.options.Poll, 10*time.Since(begun)))
		}
	}
}

// begin makes sure that what is noted will be looked at.
func (w *watching) begin() {
	if w.changes.empty() {
		w.settled.Reset(w.wait)
	}
}

// missed does what can be done about what was not told.
func (w *watching) missed(err error) {
	if errors.Is(err, fsnotify.ErrEventOverflow) {
		w.begin()
		w.changes.everything = true
		return
	}
	w.folder.options.OnError(fmt.Errorf("gallery: watch: %w", err))
}

// below returns the path of a file with slashes, below the folder.
func (f *folder) below(name string) string {
	rel, err := filepath.Rel(f.path, name)
	if err != nil {
		return "."
	}
	return filepath.ToSlash(rel)
}

// changes is what has changed since somebody has looked.
type changes struct {
	dirs       map[string]bool // names in them
	others     map[string]bool // places where there may be another folder by now, of the same name
	files      map[string]bool // bytes of them
	everything bool            // too much to say
}

func newChanges() *changes {
	return &changes{
		dirs: map[string]bool{}, others: map[string]bool{}, files: map[string]bool{},
	}
}

func (c *changes) empty() bool {
	return len(c.dirs) == 0 && len(c.files) == 0 && !c.everything
}

// note adds what the system tells of the file or folder at path.
func (c *changes) note(at string, op fsnotify.Op) {
	c.files[at] = true
	if op.Has(fsnotify.Create) || op.Has(fsnotify.Remove) || op.Has(fsnotify.Rename) {
		c.dirs[path.Dir(at)] = true
		if at != "." { // the top is known by its open handle
			c.others[at] = true
		}
	}
}

// apply makes the catalog true again.
func (f *folder) apply(ctx context.Context, c *changes) {
	f.tree.update(ctx, c)
	if ctx.Err() != nil {
		return
	}
	if now := f.tree.flat(nil, "."); !slices.Equal(now, f.catalog().pictures) {
		f.publish(now, f.tree.reading)
	}
	var other atomic.Bool
	inParallel(lookers, f.touched(c), func(p *picture) {
		if p.info.Load() != nil && ctx.Err() == nil { // nobody has seen the others
			if _, changed := f.look(p); changed {
				other.Store(true)
			}
		}
	})
	if other.Load() {
		f.changed()
	}
}

// touched returns the pictures that may have other bytes.
func (f *folder) touched(c *changes) (all []*picture) {
	if c.everything {
		return f.catalog().pictures
	}
	for path := range c.files {
		if p := f.catalog().byPath[path]; p != nil {
			all = append(all, p)
		}
	}
	for path := range c.others {
		all = f.tree.flat(all, path)
	}
	return all
}

// lookAround returns what may have changed since the last round, as far as nobody has told: by the
// times of folders; and at the files that were seen lately, since links lead to where nobody
// listens. It opens the folder anew if its path leads to another one by now.
func (f *folder) lookAround(ctx context.Context) *changes {
	c := newChanges()
	if f.reopen() {
		c.everything = true
		return c
	}
	for _, path := range f.tree.ears.again() {
		c.dirs[path] = true
	}
	for path, d := range f.tree.dirs {
		if ctx.Err() != nil {
			break
		}
		if d.told && !d.failed {
			continue
		}
		if now := f.tree.modified(path); now.IsZero() || !now.Equal(d.modified) {
			c.dirs[path] = true
		}
	}
	for _, p := range f.seen.lately() {
		c.files[p.path] = true
	}
	return c
}
