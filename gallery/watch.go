// watch.go notices what has changed in a folder: it is told by the system, or looks for itself.

package gallery

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long one waits for more changes before the first is looked at: files are written
// in many steps, and copied in great numbers.
const settle = 100 * time.Millisecond

// watch reads the folder and then keeps the catalog true until ctx ends.
func (f *folder) watch(ctx context.Context) {
	w, err := f.watcher()
	if err != nil {
		f.options.OnError(fmt.Errorf("gallery: %w: looking every %v instead", err, f.options.Poll))
	}
	if w == nil {
		f.tree.readAll(ctx)
		f.poll(ctx)
		return
	}
	defer w.Close()
	var full error // of the system's table of watched folders
	f.tree.entering = func(path string) {
		if full == nil {
			full = w.Add(filepath.Join(f.path, filepath.FromSlash(path)))
		}
	}
	f.tree.readAll(ctx)
	if full != nil {
		f.options.OnError(fmt.Errorf("gallery: watch: %w: looking every %v instead",
			full, f.options.Poll))
		w.Close()
		f.poll(ctx)
		return
	}
	f.listen(ctx, w)
}

// watcher returns what tells of changes; nil if nobody does in this file system.
func (f *folder) watcher() (*fsnotify.Watcher, error) {
	if tellsNothing(f.path) {
		return nil, nil
	}
	return fsnotify.NewBufferedWatcher(4096)
}

// listen does what the system tells of, some time after, so that much is done at once.
func (f *folder) listen(ctx context.Context, w *fsnotify.Watcher) {
	changes := newChanges()
	timer := time.NewTimer(0)
	<-timer.C
	wait := settle
	for {
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case e := <-w.Events:
			if changes.empty() {
				timer.Reset(wait)
			}
			changes.note(f.below(e.Name), e.Op)
		case err := <-w.Errors:
			if errors.Is(err, fsnotify.ErrEventOverflow) {
				if changes.empty() {
					timer.Reset(wait)
				}
				changes.everything = true
				continue
			}
			f.options.OnError(fmt.Errorf("gallery: watch: %w", err))
		case <-timer.C:
			begun := time.Now()
			f.apply(ctx, changes)
			changes = newChanges()
			wait = max(settle, 5*time.Since(begun)) // large folders must not take all the time
		}
	}
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
	files      map[string]bool // bytes of them
	everything bool            // too much to say
}

func newChanges() *changes {
	return &changes{dirs: map[string]bool{}, files: map[string]bool{}}
}

func (c *changes) empty() bool {
	return len(c.dirs) == 0 && len(c.files) == 0 && !c.everything
}

// note adds what the system tells of the file at path.
func (c *changes) note(at string, op fsnotify.Op) {
	c.files[at] = true
	if op.Has(fsnotify.Create) || op.Has(fsnotify.Remove) || op.Has(fsnotify.Rename) {
		c.dirs[path.Dir(at)] = true
	}
}

// apply makes the catalog true again.
func (f *folder) apply(ctx context.Context, c *changes) {
	if c.everything {
		for dir := range f.tree.dirs {
			c.dirs[dir] = true
		}
	}
	names := false
	for dir := range c.dirs {
		if f.tree.dirs[dir] != nil && f.tree.readAgain(ctx, dir) {
			names = true
		}
	}
	known, bytes := f.catalog(), false
	for file := range c.files {
		if p := known.byPath[file]; p != nil && f.lookedDifferent(p) {
			bytes = true
		}
	}
	switch {
	case ctx.Err() != nil:
	case names:
		f.tree.publish()
	case bytes:
		f.changed()
	}
}

// lookedDifferent looks at p again, if anybody has before, and tells whether its bytes are others.
func (f *folder) lookedDifferent(p *picture) bool {
	was := p.info.Load()
	if was == nil {
		return false
	}
	now := f.look(p)
	p.info.Store(now)
	return now.version != was.version || (now.err == nil) != (was.err == nil)
}

// poll looks for changes until ctx ends: at the times of folders, and at the files that were seen
// lately.
func (f *folder) poll(ctx context.Context) {
	wait := f.options.Poll
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		begun := time.Now()
		f.apply(ctx, f.lookAround(ctx))
		wait = max(f.options.Poll, 10*time.Since(begun)) // a slow share has better things to do
	}
}

// lookAround returns what may have changed since the last round.
func (f *folder) lookAround(ctx context.Context) *changes {
	c := newChanges()
	for path, d := range f.tree.dirs {
		if ctx.Err() != nil {
			break
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
