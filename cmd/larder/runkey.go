// runkey.go derives the key of a command from all that its output may depend on.

package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/larder-go/larder/internal/filehash"
	"github.com/larder-go/larder/store"
)

// runPrefix begins the keys of run.
const runPrefix = "run:"

// shownCommand is how many bytes of the command line a key shows. The hash behind it is what tells
// keys apart; the words are there to be read, listed and matched.
const shownCommand = 160

// recipe is what the output of a command depends on.
type recipe struct {
	argv  []string
	dir   string // "" shares the output between directories
	envs  []variable
	files []input
	stdin string   // hash of stdin, "" if it is empty
	extra string   // what --key said
	makes []string // files that come with the output
}

// variable is an environment variable. To be empty is not to be absent.
type variable struct {
	name, value string
	present     bool
}

// input is a file that a command reads.
type input struct{ path, sum string }

// key returns the key of the recipe: "run:", the command line, and 128 bits of SHA-256 over all
// of it. Two recipes that differ anywhere have different keys, since every part is written with
// its length.
func (r recipe) key() string {
	sum := sha256.Sum256(r.encode())
	return runPrefix + commandLine(r.argv, shownCommand) + " #" + hex.EncodeToString(sum[:16])
}

func (r recipe) encode() []byte {
	b := appendText(nil, "larder run 1")
	b = binary.AppendUvarint(b, uint64(len(r.argv)))
	for _, arg := range r.argv {
		b = appendText(b, arg)
	}
	b = appendText(b, r.dir)
	b = binary.AppendUvarint(b, uint64(len(r.envs)))
	for _, v := range r.envs {
		b = appendText(appendText(b, v.name), v.value)
		b = append(b, presence(v.present))
	}
	b = binary.AppendUvarint(b, uint64(len(r.files)))
	for _, f := range r.files {
		b = appendText(appendText(b, f.path), f.sum)
	}
	b = appendText(appendText(b, r.stdin), r.extra)
	if len(r.makes) == 0 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(len(r.makes)))
	for _, path := range r.makes {
		b = appendText(b, path)
	}
	return b
}

func presence(is bool) byte {
	if is {
		return 1
	}
	return 0
}

// appendText appends text with its length before it.
func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// gather reads what the output of argv depends on. stdin is the hash of its stdin.
func (o runOptions) gather(
	ctx context.Context, h filehash.Hasher, argv []string, stdin string,
) (recipe, error) {
	r := recipe{
		argv: argv, stdin: stdin, extra: o.key, envs: readVariables(o.envs), makes: o.made(),
	}
	var err error
	if !o.anyDir {
		if r.dir, err = os.Getwd(); err != nil {
			return r, fmt.Errorf("working directory: %w: give --any-dir", err)
		}
	}
	r.files, err = hashFiles(ctx, h, o.files)
	return r, err
}

// readVariables reads the variables of names, each once, in an order that does not depend on that
// of the flags.
func readVariables(names []string) []variable {
	var found []variable
	for _, name := range sortedSet(names) {
		value, present := os.LookupEnv(name)
		found = append(found, variable{name, value, present})
	}
	return found
}

func badName(name string) bool { return name == "" || strings.ContainsAny(name, "=\x00") }

// hashFiles hashes the content of the files and folders at paths.
func hashFiles(ctx context.Context, h filehash.Hasher, paths []string) ([]input, error) {
	var found []input
	for _, path := range sortedSet(paths) {
		sum, err := h.Sum(ctx, path)
		if err != nil {
			return nil, fmt.Errorf("--file: %w", err)
		}
		found = append(found, input{path, string(sum[:])})
	}
	return found, nil
}

// notes remembers in the cache what was in files, so that large ones are read once.
type notes struct{ store store.Store }

// notePrefix begins the keys of notes.
const notePrefix = "file:"

// Recall implements filehash.Memory. A cache that fails remembers nothing.
func (n notes) Recall(ctx context.Context, path string) []byte {
	item, err := n.store.Get(ctx, notePrefix+path)
	if err != nil {
		return nil
	}
	return item.Value
}

// Remember implements filehash.Memory.
func (n notes) Remember(ctx context.Context, path string, note []byte) {
	_ = n.store.Set(ctx, notePrefix+path, store.Item{Value: note}) // then it is read again
}

func sortedSet(words []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(words)))
}

// hashAll returns the SHA-256 of what is left of r, and copies it to w.
func hashAll(r io.Reader, w io.Writer) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(h, w), r); err != nil {
		return "", err
	}
	return string(h.Sum(nil)), nil
}

// spool copies all of stdin to a file without a name, and returns the file, rewound, and the hash
// of its content. Without --stdin there is no file and no hash.
func (o runOptions) spool(ctx context.Context, stdin io.Reader) (*os.File, string, error) {
	if !o.stdin {
		return nil, "", nil
	}
	f, err := os.CreateTemp("", "larder-stdin-*")
	if err != nil {
		return nil, "", err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, "", err
	}
	sum, err := await(ctx, func() (string, error) { return hashAll(stdin, f) })
	if err != nil {
		return nil, "", err
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, sum, err
}
