// table.go reads the files, finds out what they refer to, and names them.

package browsercache

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// table is what is known of all files at one moment. It does not change.
type table struct {
	found   []stat
	plain   map[string]*asset // by the name of the file
	printed map[string]*asset // by the name with a fingerprint
}

// stat is what a file looks like from outside.
type stat struct {
	name     string
	size     int64
	modified time.Time
}

// asset is a file that is served.
type asset struct {
	content
	printed   string // its name with a fingerprint
	tag       string // its ETag, without the quotes
	kind      string // its Content-Type
	encodings []encoding
	links     []link
}

// content is a file with its bytes, if they are in memory.
type content struct {
	stat
	sum  [sha256.Size]byte // of what was read
	body []byte            // nil: it is read when it is asked for
}

// printDigits is the length of a fingerprint: 64 bits, by which two versions of a file are told
// apart and nobody is trusted.
const printDigits = 16

// scan lists the files that may be assets, in the order of their names.
func scan(files fs.FS) (found []stat, err error) {
	err = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !entry.Type().IsRegular() || strings.ContainsAny(name, "\\\x00"):
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) { // it has just gone
			return nil
		} else if err != nil {
			return err
		}
		found = append(found, stat{name, info.Size(), info.ModTime()})
		return nil
	})
	return found, err
}

// describes tells whether the table is that of these files.
func (t *table) describes(found []stat) bool {
	return slices.EqualFunc(t.found, found, func(a, b stat) bool {
		return a.name == b.name && a.size == b.size && a.modified.Equal(b.modified)
	})
}

// readTable reads all files.
func readTable(files fs.FS, o AssetOptions) (*table, error) {
	found, err := scan(files)
	if err != nil {
		return nil, err
	}
	t := &table{found: found, plain: map[string]*asset{}, printed: map[string]*asset{}}
	for _, s := range found {
		c, err := readContent(files, s, o.MaxInMemory)
		if err != nil {
			return nil, err
		}
		t.plain[s.name] = &asset{content: c, kind: kindOf(c)}
	}
	t.adoptSiblings()
	for _, a := range t.plain {
		a.links = t.linksOf(a, o.Prefix)
	}
	t.name()
	for _, a := range t.plain {
		a.complete(t)
	}
	return t, nil
}

// readContent reads a file, and keeps what is small or could not be sought in later.
func readContent(files fs.FS, s stat, most int64) (c content, err error) {
	f, err := files.Open(s.name)
	if err != nil {
		return c, err
	}
	defer f.Close()
	c.stat = s
	hash := sha256.New()
	if _, seeks := f.(io.Seeker); s.size > most && seeks {
		_, err = io.Copy(hash, f)
	} else if c.body, err = io.ReadAll(f); err == nil {
		hash.Write(c.body)
		c.size = int64(len(c.body))
	}
	hash.Sum(c.sum[:0])
	if err != nil {
		err = fmt.Errorf("read %s: %w", s.name, err)
	}
	return c, err
}

// errChanged says that a file is not what was read before.
var errChanged = errors.New("the file has changed since it was read")

// open returns the bytes of a file, which must be those that were read before.
func (c *content) open(files fs.FS) (io.ReadSeeker, func() error, error) {
	if c.body != nil {
		return bytes.NewReader(c.body), func() error { return nil }, nil
	}
	f, err := files.Open(c.name)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	seeker, ok := f.(io.ReadSeeker)
	if err == nil && (!ok || info.Size() != c.size || !info.ModTime().Equal(c.modified)) {
		err = errChanged
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return seeker, f.Close, nil
}

// name gives each file its name with a fingerprint: a hash of what it and all that it leads to
// contain, and nothing else. So two files may refer to each other.
func (t *table) name() {
	for name, a := range t.plain {
		hash := sha256.New()
		for _, reached := range t.reach(name) {
			b := t.plain[reached]
			fmt.Fprintf(hash, "%q %x\n", reached, b.sum)
			for _, e := range b.encodings {
				fmt.Fprintf(hash, "%s %x\n", e.coding, e.sum)
			}
		}
		a.tag = hex.EncodeToString(hash.Sum(nil))[:printDigits]
		a.printed = withPrint(name, a.tag)
		t.printed[a.printed] = a
	}
}

// reach returns the names of all files that one leads to, itself included, sorted.
func (t *table) reach(name string) []string {
	seen := map[string]bool{name: true}
	for todo := []string{name}; len(todo) > 0; {
		last := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, l := range t.plain[last].links {
			if !seen[l.target] {
				seen[l.target] = true
				todo = append(todo, l.target)
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// withPrint puts a fingerprint into a name, before its extension.
func withPrint(name, print string) string {
	ext := path.Ext(name)
	if strings.HasSuffix(name, "/"+ext) || name == ext { // there is nothing before it
		ext = ""
	}
	return strings.TrimSuffix(name, ext) + "." + print + ext
}

// withoutPrint takes the fingerprint out of a name, if there is something like one in it.
func withoutPrint(name string) (plain string, ok bool) {
	for _, ext := range [...]string{path.Ext(name), ""} {
		rest := strings.TrimSuffix(name, ext)
		at := len(rest) - printDigits - 1
		if at > 0 && rest[at] == '.' && isHex(rest[at+1:]) {
			return rest[:at] + ext, true
		}
	}
	return "", false
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

// complete rewrites the file if it refers to others, and lets it be compressed.
func (a *asset) complete(t *table) {
	if len(a.links) > 0 {
		a.body = rewrite(a.body, a.links, t)
		a.size = int64(len(a.body))
		a.encodings = nil // of what it was before
	}
	a.mayGzip()
}
