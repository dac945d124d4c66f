// runmade.go keeps the files that a command makes, and puts them back.

package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/larder-go/larder/internal/filehash"
	"github.com/larder-go/larder/store"
)

// madeFile is what a record says of a file that the command made. Its name is not there: whoever
// asks says where it goes.
type madeFile struct {
	mode fs.FileMode // permissions
	size int64
	sum  filehash.Sum
}

// slot is one of two places for the contents of files in the cache. A run fills the one that the
// record before it does not name, so that this one holds until there is a new record, and what a
// killed run leaves is overwritten by the next.
type slot byte

const (
	slotA slot = 'a'
	slotB slot = 'b'
)

func (s slot) other() slot {
	if s == slotA {
		return slotB
	}
	return slotA
}

// madePrefix begins the keys of contents.
const madePrefix = "made:"

// madeKey returns the key of the content of the file at path in a slot.
func (r *runner) madeKey(path string, s slot) string {
	return fmt.Sprintf("%s%s > %s (%c)", madePrefix, strings.TrimPrefix(r.key, runPrefix), path, s)
}

// made returns the paths of the files that the command makes, each once, in an order that does not
// depend on that of the flags.
func (o runOptions) made() []string {
	var paths []string
	for _, path := range o.makes {
		paths = append(paths, filepath.Clean(path))
	}
	return sortedSet(paths)
}

// checkMakes refuses what can never be kept.
func (o runOptions) checkMakes() error {
	if len(o.makes) > 0 && o.stale > 0 {
		return usagef("run: --stale and --makes contradict each other: a refresh behind would " +
			"change files under those who use them: leave --stale out, or give --stale 0s")
	}
	for _, path := range o.makes {
		if path == "" {
			return usagef("run: --makes \"\": no file: name one, or leave the flag out")
		}
		for _, file := range o.files {
			if within, err := isWithin(path, file); err != nil || within {
				return usagef("run: --makes %s is within --file %s: the command would change what "+
					"it depends on", path, file)
			}
		}
	}
	return nil
}

// isWithin tells whether path is the file or folder root, or in it.
func isWithin(path, root string) (bool, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return false, err
	}
	if root, err = filepath.Abs(root); err != nil {
		return false, err
	}
	rel, err := filepath.Rel(root, path)
	return err == nil && filepath.IsLocal(rel), nil
}

// tick is how long after a change another one may show the same times, on any usual file system of
// a machine.
const tick = 20 * time.Millisecond

// lookBefore returns what there is of the files before the command runs: the zero print where there
// is nothing. If one was changed just now it waits until another change will show.
func (r *runner) lookBefore() []filehash.Print {
	var prints []filehash.Print
	for _, path := range r.recipe.makes {
		p, err := filehash.Look(path)
		if err != nil {
			p = filehash.Print{}
		}
		if age := time.Since(time.Unix(0, cmp.Or(p.Changed, p.Modified))); age >= 0 && age < tick {
			time.Sleep(tick - age)
		}
		prints = append(prints, p)
	}
	return prints
}

// errUnmade is wrapped where the command did not make what --makes says.
var errUnmade = errors.New("--makes")

// checkMade returns an error for the first file that the command did not make. before is what there
// was.
func (r *runner) checkMade(before []filehash.Print) error {
	for i, path := range r.recipe.makes {
		stat, err := os.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%w %s: the command did not make it", errUnmade, path)
		case err != nil:
			return fmt.Errorf("%w: %w", errUnmade, err)
		case stat.IsDir():
			return fmt.Errorf("%w %s: is a folder: name its files, or let the command make "+
				"an archive", errUnmade, path)
		case !stat.Mode().IsRegular():
			return fmt.Errorf("%w %s: is no plain file", errUnmade, path)
		}
		if now, err := filehash.Look(path); err == nil && now == before[i] {
			return fmt.Errorf("%w %s: the command left it as it was", errUnmade, path)
		}
	}
	return nil
}

// hold waits until no other larder run makes one of the files, or puts it back. Where the cache has
// no leases there is nothing to wait for; the error is that of ctx.
func (r *runner) hold(ctx context.Context) (release func(), err error) {
	var held []store.Lease
	release = func() {
		for _, l := range held {
			l.Release()
		}
	}
	for _, path := range sortedSet(absolute(r.recipe.makes)) { // all in one order
		if l, err := store.TakeLease(ctx, r.store, madePrefix+path); err == nil {
			held = append(held, l)
		} else if ctx.Err() != nil {
			release()
			return nil, ctx.Err()
		}
	}
	return release, nil
}

func absolute(paths []string) []string {
	all := slices.Clone(paths)
	for i, path := range paths {
		if abs, err := filepath.Abs(path); err == nil {
			all[i] = abs
		}
	}
	return all
}

// keepWithMade stores what the command made, and then the record that leads to it.
func (r *runner) keepWithMade(ctx context.Context, done record, item store.Item) error {
	if len(r.recipe.makes) == 0 {
		item.Value = done.encode()
		return r.store.Set(ctx, r.key, item)
	}
	old, _ := r.lookup(ctx)
	done.slot = old.slot.other()
	err := r.keepMade(ctx, &done, item)
	if err == nil {
		item.Value = done.encode()
		err = r.store.Set(ctx, r.key, item)
	}
	if err != nil {
		r.dropMade(ctx, done.slot)
		return err
	}
	r.dropMade(ctx, old.slot)
	return nil
}

// keepMade stores the content of the files, and notes it in the record.
func (r *runner) keepMade(ctx context.Context, done *record, item store.Item) error {
	for _, path := range r.recipe.makes {
		m, err := r.keepFile(ctx, path, r.madeKey(path, done.slot), item)
		if errors.Is(err, store.ErrTooLarge) {
			return fmt.Errorf("--makes %s: %w: give a larger --max-size", path, err)
		}
		if err != nil {
			return fmt.Errorf("--makes %s: %w", path, err)
		}
		done.made = append(done.made, m)
	}
	return nil
}

// dropMade deletes the contents in a slot. What it cannot delete leaves in time.
func (r *runner) dropMade(ctx context.Context, s slot) {
	for _, path := range r.recipe.makes {
		_ = r.store.Delete(context.WithoutCancel(ctx), r.madeKey(path, s))
	}
}

// keepFile copies a file into the cache, piece by piece.
func (r *runner) keepFile(
	ctx context.Context, path, key string, item store.Item,
) (m madeFile, err error) {
	before, err := filehash.Look(path)
	if err != nil {
		return m, err
	}
	f, err := os.Open(path)
	if err != nil {
		return m, err
	}
	defer f.Close()
	w, err := store.Create(ctx, r.store, key, item, int64(r.maxOutput))
	if err != nil {
		return m, err
	}
	defer w.Close()
	if m, err = copyMade(ctx, w, f); err != nil {
		return m, err
	}
	stat, err := f.Stat()
	if err != nil {
		return m, err
	}
	m.mode = stat.Mode().Perm()
	if after, err := filehash.Look(path); err != nil || after != before || m.size != after.Size {
		return m, errors.New("somebody still writes it")
	}
	return m, w.Commit()
}

// copyMade copies from to w, and tells what it was.
func copyMade(ctx context.Context, w io.Writer, from io.Reader) (m madeFile, err error) {
	d := sha256.New()
	b := make([]byte, 256<<10)
	for err == nil {
		var n int
		n, err = from.Read(b)
		m.size += int64(n)
		d.Write(b[:n])
		if _, wrong := w.Write(b[:n]); wrong != nil {
			return m, wrong
		}
		if wrong := ctx.Err(); wrong != nil {
			return m, wrong
		}
	}
	d.Sum(m.sum[:0])
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return m, err
}

// serve prints what is kept, once the files that belong to it are where they should be. done is
// false if they cannot be put there: then the command has to make them.
func (r *runner) serve(ctx context.Context, k kept) (done bool, err error) {
	if r.inPlace(ctx, k) {
		return true, r.print(k)
	}
	release, err := r.hold(ctx)
	if err != nil {
		return true, err
	}
	defer release()
	k, found := r.lookup(ctx) // who held them may have run the command
	if r.decide(k, found) != serve {
		return false, nil
	}
	if r.unserved = r.putBack(ctx, k); r.unserved != nil {
		return ctx.Err() != nil, ctx.Err()
	}
	return true, r.print(k)
}

// inPlace tells whether all files are there as they are kept: then they stay untouched, and what is
// built from them need not be built again.
func (r *runner) inPlace(ctx context.Context, k kept) bool {
	for i, path := range r.recipe.makes {
		if len(k.made) != len(r.recipe.makes) || !r.same(ctx, path, k.made[i]) {
			return false
		}
	}
	return true
}

func (r *runner) same(ctx context.Context, path string, m madeFile) bool {
	stat, err := os.Lstat(path)
	if err != nil || !stat.Mode().IsRegular() || stat.Size() != m.size ||
		stat.Mode().Perm() != m.mode {
		return false
	}
	sum, err := r.hasher.Sum(ctx, path)
	return err == nil && sum == m.sum
}

// putBack writes the files of k aside, and when all are whole gives them their names: whoever is
// killed on the way leaves the old or the new file under each.
func (r *runner) putBack(ctx context.Context, k kept) error {
	if len(k.made) != len(r.recipe.makes) {
		return fmt.Errorf("%d files: %w", len(r.recipe.makes), errRecord)
	}
	var aside []string
	defer func() {
		for _, path := range aside {
			os.Remove(path) // gone if it has its name
		}
	}()
	for i, path := range r.recipe.makes {
		temp, err := r.writeAside(ctx, path, k.slot, k.made[i])
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		aside = append(aside, temp)
	}
	for i, path := range r.recipe.makes {
		if err := os.Rename(aside[i], path); err != nil {
			return err
		}
	}
	return nil
}

// writeAside writes the content of a file beside its place and returns where.
func (r *runner) writeAside(
	ctx context.Context, path string, s slot, want madeFile,
) (temp string, err error) {
	if stat, err := os.Lstat(path); err == nil && !stat.Mode().IsRegular() {
		return "", errors.New("there is something that is no plain file")
	}
	_, from, err := store.Open(ctx, r.store, r.madeKey(path, s))
	if err != nil {
		return "", err
	}
	defer from.Close()
	f, err := createAside(path)
	if err != nil {
		return "", err
	}
	got, err := copyMade(ctx, f, from)
	if err == nil && (got.sum != want.sum || got.size != want.size) {
		err = errors.New("what is kept belongs to another run")
	}
	if err = errors.Join(err, f.Chmod(want.mode), f.Close()); err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// abandoned is how long nobody has written to a file aside of a process that was killed.
const abandoned = time.Hour

// createAside makes a file beside path, and the folder if need be, and removes what killed
// processes have left there.
func createAside(path string) (*os.File, error) {
	dir, name := filepath.Split(path)
	dir = filepath.Clean(dir)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	prefix := "." + name[:min(len(name), 100)] + ".larder-"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if stat, err := e.Info(); err == nil && stat.Mode().IsRegular() &&
			strings.HasPrefix(e.Name(), prefix) && time.Since(stat.ModTime()) > abandoned {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
	return os.CreateTemp(dir, prefix)
}
