// remember.go tells when a file need not be read again.

package filehash

import (
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"time"
)

// worthRemembering is the size in bytes from which on to read a file takes longer than to look up
// its note.
const worthRemembering = 64 << 10

// settling is how long a file must have been left alone before its times tell of changes: some
// file systems count in steps of two seconds, and within a step there may be another change.
const settling = 2 * time.Second

// Print is what the system says of a file without its being read. While it is the same the content
// is too, provided that the file had [Print.Settled]. Prints can be compared.
type Print struct {
	Size     int64  `json:"size"`     // bytes
	Modified int64  `json:"modified"` // Unix nanoseconds
	Changed  int64  `json:"changed"`  // so; unlike Modified nobody can set it; 0 if not known
	Inode    uint64 `json:"inode"`    // 0 if not known
}

// Look returns the print of the file at path. Links are followed.
func Look(path string) (Print, error) {
	stat, err := os.Stat(path)
	if err != nil {
		return Print{}, err
	}
	return printOf(stat), nil
}

func printOf(stat fs.FileInfo) Print {
	p := Print{Size: stat.Size(), Modified: stat.ModTime().UnixNano()}
	p.Changed, p.Inode = system(stat)
	return p
}

// Settled reports whether a file of this print had been left alone for a while at now. If not, it
// might be written again without its times telling of that.
func (p Print) Settled(now time.Time) bool {
	latest := max(p.Modified, p.Changed)
	return p != Print{} && latest < now.Add(-settling).UnixNano()
}

// noted is what a note says, in JSON: people may look at it.
type noted struct {
	Print
	SHA256 string `json:"sha256"`
}

func note(p Print, s Sum) []byte {
	b, err := json.Marshal(noted{p, s.String()})
	if err != nil {
		panic(err) // numbers and a string
	}
	return b
}

// recall reads a note, which may be anything, for a file whose print is now.
func recall(note []byte, now Print) (sum Sum, ok bool) {
	var n noted
	if json.Unmarshal(note, &n) != nil || n.Print != now {
		return sum, false
	}
	b, err := hex.DecodeString(n.SHA256)
	return sum, err == nil && copy(sum[:], b) == len(sum) && len(b) == len(sum)
}
