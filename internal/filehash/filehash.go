// filehash.go hashes what is in files and folders.

// Package filehash tells what is in files by their hashes, and reads none again that has not
// changed since.
package filehash

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// ErrNoContent is wrapped where something has no content that could be read twice: a pipe, a
// device, and within a folder a link to another folder, which might lead in a circle.
var ErrNoContent = errors.New("neither a file nor a folder of files")

// Sum tells contents apart: of a file it is the SHA-256 of its bytes.
type Sum [sha256.Size]byte

// String returns the sum as 64 hexadecimal digits.
func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// Hasher hashes files. The zero value remembers nothing. It is safe for concurrent use if its
// Memory is.
type Hasher struct {
	// Memory is where sums are remembered, so that large files need not be read again. nil means
	// that every file is read.
	Memory Memory
}

// Memory keeps short notes by the absolute path of a file. It may forget any of them.
type Memory interface {
	// Recall returns the note of path, nil if there is none.
	Recall(ctx context.Context, path string) []byte
	// Remember replaces the note of path. Whether it could is its own affair.
	Remember(ctx context.Context, path string, note []byte)
}

// Sum returns the sum of the file or folder at path. Links are followed to what they lead to.
//
// A folder is all that is below it: the names relative to it, and the content of the files. Modes,
// times and owners do not count. What changes while it is read has a sum that is of no state it was
// ever in: hash again afterwards to find out. Errors name the file; one that is not there is an
// fs.ErrNotExist, what has no content an [ErrNoContent].
func (h Hasher) Sum(ctx context.Context, path string) (Sum, error) {
	stat, err := os.Stat(path)
	if err != nil {
		return Sum{}, err
	}
	if stat.IsDir() {
		return h.folder(ctx, path)
	}
	return h.file(ctx, path, stat)
}

// file returns the sum of a file of which stat was just told.
func (h Hasher) file(ctx context.Context, path string, stat fs.FileInfo) (Sum, error) {
	if !stat.Mode().IsRegular() {
		return Sum{}, fmt.Errorf("%s: %w", path, ErrNoContent)
	}
	if h.Memory == nil || stat.Size() < worthRemembering {
		sum, _, err := read(ctx, path)
		return sum, err
	}
	name, err := filepath.Abs(path)
	if err != nil {
		return Sum{}, err
	}
	if sum, ok := recall(h.Memory.Recall(ctx, name), printOf(stat)); ok {
		return sum, nil
	}
	began := time.Now()
	sum, print, err := read(ctx, path)
	if err == nil && print.Settled(began) {
		h.Memory.Remember(ctx, name, note(print, sum))
	}
	return sum, err
}

// read hashes the file at path. The print is the zero value, which is never settled, if the file
// changed meanwhile.
func read(ctx context.Context, path string) (sum Sum, print Print, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, print, err
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return sum, print, err
	}
	d := sha256.New()
	if _, err := io.CopyBuffer(d, reader{ctx, f}, make([]byte, readAtOnce)); err != nil {
		return sum, print, err
	}
	d.Sum(sum[:0])
	after, err := f.Stat()
	if err == nil && printOf(before) == printOf(after) {
		print = printOf(after)
	}
	return sum, print, err
}

const readAtOnce = 128 << 10

// reader reads until its context ends.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// folder returns the sum of a folder: SHA-512/256 of its entries, sorted. It is another function
// than that of files, so that no file has the sum of a folder.
func (h Hasher) folder(ctx context.Context, path string) (sum Sum, err error) {
	root, err := filepath.EvalSymlinks(path)
	if err != nil {
		return sum, err
	}
	d := sha512.New512_256()
	err = filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return h.entry(ctx, d, root, p, e)
	})
	d.Sum(sum[:0])
	return sum, err
}

// entry writes down one entry of the folder root: its kind, its name with the length before it,
// and of a file its sum.
func (h Hasher) entry(ctx context.Context, d hash.Hash, root, path string, e fs.DirEntry) error {
	name, err := filepath.Rel(root, path)
	if err != nil {
		return err
	}
	head := func(kind byte) {
		b := binary.AppendUvarint([]byte{kind}, uint64(len(name)))
		d.Write(append(b, filepath.ToSlash(name)...)) // a hash never fails
	}
	if e.IsDir() {
		head('d')
		return nil
	}
	stat, err := os.Stat(path)
	if err != nil {
		return err
	}
	sum, err := h.file(ctx, path, stat)
	if err != nil {
		return err
	}
	head('f')
	d.Write(sum[:])
	return nil
}
