// copy.go copies one file: from the store, or else from the share.

package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/larder-go/larder/store"
)

// atOnce is how many bytes are copied between two looks at the context.
const atOnce = 256 << 10

// copy writes the bytes of the file name to path, and returns how many.
func (f *Files) copy(
	ctx context.Context, name string, stat fs.FileInfo, path string,
) (n int64, err error) {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, stat.Mode().Perm()|0o200)
	if err != nil {
		return 0, err
	}
	if n, err = f.fill(ctx, name, stat, out); err == nil {
		err = ctx.Err()
	}
	if err := errors.Join(err, out.Close()); err != nil {
		return 0, err
	}
	return n, os.Chtimes(path, time.Time{}, stat.ModTime())
}

// fill writes the bytes of the file into out. Where the store fails, the share does.
func (f *Files) fill(
	ctx context.Context, name string, stat fs.FileInfo, out *os.File,
) (int64, error) {
	if f.options.Store == nil {
		n, _, err := f.fromShare(ctx, name, stat, out)
		return n, err
	}
	k, err := key(name, stat)
	if err != nil {
		return 0, err
	}
	if n, ok := f.fromStore(ctx, k, out); ok {
		return n, nil
	}
	if _, err := out.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	if err := out.Truncate(0); err != nil {
		return 0, err
	}
	keep := f.keeper(ctx, k)
	defer keep.close()
	n, settled, err := f.fromShare(ctx, name, stat, io.MultiWriter(out, keep))
	if err == nil && settled {
		keep.commit()
	}
	return n, err
}

// fromStore copies what an earlier program has kept, and tells whether that was there.
func (f *Files) fromStore(ctx context.Context, k string, out io.Writer) (int64, bool) {
	_, in, err := store.Open(ctx, f.options.Store, k)
	if err != nil {
		f.miss(ctx, err)
		return 0, false
	}
	defer in.Close()
	n, err := pour(ctx, out, in)
	if err != nil {
		f.miss(ctx, err)
		return 0, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.found++
	return n, true
}

// fromShare copies the file itself, as long as it was when it was looked at, and tells whether it
// was that file all the time.
func (f *Files) fromShare(
	ctx context.Context, name string, stat fs.FileInfo, out io.Writer,
) (n int64, settled bool, err error) {
	f.mu.Lock()
	f.share.enter(time.Now())
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.share.leave(time.Now())
		f.bytes += n
	}()
	in, err := os.Open(name)
	if err != nil {
		return 0, false, err
	}
	defer in.Close()
	settled = is(in, stat)
	if n, err = f.pourFile(ctx, out, in, stat); err != nil {
		return n, false, err
	}
	return n, settled && n == stat.Size() && is(in, stat), nil
}

// is tells whether an open file is the one that was looked at, and has not changed since. How soon
// a share tells of a change is its own affair.
func is(in *os.File, was fs.FileInfo) bool {
	now, err := in.Stat()
	return err == nil && os.SameFile(was, now) &&
		was.Size() == now.Size() && was.ModTime().Equal(now.ModTime())
}

// pourFile copies a file up to the size it had. One that says to have none, as those do that are
// made when they are read, is copied to its end, unless that does not come within MaxBytes.
func (f *Files) pourFile(
	ctx context.Context, out io.Writer, in *os.File, stat fs.FileInfo,
) (int64, error) {
	if stat.Size() > 0 {
		return pour(ctx, out, io.LimitReader(in, stat.Size()))
	}
	n, err := pour(ctx, out, io.LimitReader(in, f.options.MaxBytes+1))
	if err == nil && n > f.options.MaxBytes {
		err = &fs.PathError{Op: "read", Path: in.Name(), Err: errors.New("it has no end")}
	}
	return n, err
}

// pour is io.Copy until ctx ends.
func pour(ctx context.Context, out io.Writer, in io.Reader) (n int64, err error) {
	buf := make([]byte, atOnce)
	for {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		m, err := in.Read(buf)
		if m > 0 {
			if _, err := out.Write(buf[:m]); err != nil {
				return n, err
			}
			n += int64(m)
		}
		if errors.Is(err, io.EOF) {
			return n, nil
		} else if err != nil {
			return n, err
		}
	}
}

// miss counts and reports why the store had no file, unless the end of ctx is why.
func (f *Files) miss(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	f.mu.Lock()
	if errors.Is(err, store.ErrNotFound) {
		f.missed++
	} else {
		f.broken++
	}
	f.mu.Unlock()
	f.report(ctx, err)
}

// report tells of an error of the store. That something is not there is none.
func (f *Files) report(ctx context.Context, err error) {
	if ctx.Err() == nil && !errors.Is(err, store.ErrNotFound) {
		f.options.OnError(err)
	}
}

// keeper writes into the store what is read anyway. It never fails who reads.
type keeper struct {
	files  *Files
	ctx    context.Context
	writer store.Writer // nil once something was wrong
}

// mostKept is the longest file that a store without streams holds, in bytes.
const mostKept = 64 << 20

func (f *Files) keeper(ctx context.Context, k string) *keeper {
	item := store.Item{Created: time.Now()}
	if f.options.TTL > 0 {
		item.FreshUntil = item.Created.Add(f.options.TTL)
		item.GoneAfter = item.FreshUntil
	}
	w, err := store.Create(ctx, f.options.Store, k, item, mostKept)
	if err != nil {
		f.report(ctx, err)
		w = nil
	}
	return &keeper{f, ctx, w}
}

func (k *keeper) Write(b []byte) (int, error) {
	if k.writer != nil {
		_, err := k.writer.Write(b)
		k.check(err)
	}
	return len(b), nil
}

func (k *keeper) commit() {
	if k.writer != nil {
		k.check(k.writer.Commit())
	}
}

// check gives up after an error. That a file is too long for the store is what one expects.
func (k *keeper) check(err error) {
	if err == nil {
		return
	}
	if !errors.Is(err, store.ErrTooLarge) {
		k.files.report(k.ctx, err)
	}
	k.close()
}

func (k *keeper) close() {
	if k.writer != nil {
		_ = k.writer.Close() // after a commit it does nothing, else nothing is to be kept
		k.writer = nil
	}
}
