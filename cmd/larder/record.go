// record.go turns the output of a command into bytes, and untrusted bytes into output.

package main

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"time"
)

// A record is: "LRUN", one byte of version, then numbers as varints and texts with their length
// before them, in the order of the fields below. Nothing follows. Version 2 is that of a command
// that made files; without them nothing has changed since version 1.
const (
	recordMagic     = "LRUN"
	recordVersion   = 1
	recordWithFiles = 2
)

// errRecord is returned for bytes that are no record, or one of another version.
var errRecord = errors.New("not a record of this version of larder")

// record is what is kept of a command that ran.
type record struct {
	exit    int
	started time.Time
	took    time.Duration
	failed  time.Time // when the last refresh failed; zero if it did not
	failure string    // what it said, "" if it did not
	argv    []string
	stdout  []byte
	stderr  []byte
	slot    slot       // where the content of the files is
	made    []madeFile // in the order of their paths
}

func (r record) encode() []byte {
	b := make([]byte, 0, 128+len(r.stdout)+len(r.stderr))
	b = append(append(b, recordMagic...), r.version())
	b = binary.AppendVarint(b, int64(r.exit))
	b = binary.AppendVarint(b, nanos(r.started))
	b = binary.AppendVarint(b, int64(r.took))
	b = binary.AppendVarint(b, nanos(r.failed))
	b = appendText(b, r.failure)
	b = binary.AppendUvarint(b, uint64(len(r.argv)))
	for _, arg := range r.argv {
		b = appendText(b, arg)
	}
	b = appendText(b, string(r.stdout))
	b = appendText(b, string(r.stderr))
	if len(r.made) == 0 {
		return b
	}
	b = append(b, byte(r.slot))
	b = binary.AppendUvarint(b, uint64(len(r.made)))
	for _, m := range r.made {
		b = binary.AppendUvarint(b, uint64(m.mode))
		b = binary.AppendVarint(b, m.size)
		b = appendText(b, string(m.sum[:]))
	}
	return b
}

func (r record) version() byte {
	if len(r.made) > 0 {
		return recordWithFiles
	}
	return recordVersion
}

// nanos returns t in nanoseconds since 1970, and 0 for the zero time.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n)
}

// decodeRecord reads a record from b, of which it keeps parts. Whatever b holds, it does not panic,
// and what it allocates is in proportion to the length of b.
func decodeRecord(b []byte) (record, error) {
	const head = len(recordMagic)
	if len(b) <= head || string(b[:head]) != recordMagic ||
		b[head] != recordVersion && b[head] != recordWithFiles {
		return record{}, errRecord
	}
	d := decoder{rest: b[head+1:]}
	r := record{
		exit:    int(d.varint()),
		started: fromNanos(d.varint()),
		took:    time.Duration(d.varint()),
		failed:  fromNanos(d.varint()),
		failure: string(d.text()),
		argv:    d.texts(),
		stdout:  d.text(),
		stderr:  d.text(),
	}
	if b[head] == recordWithFiles {
		r.slot, r.made = slot(d.octet()), d.madeFiles()
	}
	if d.broken || len(d.rest) > 0 {
		return record{}, errRecord
	}
	return r, nil
}

// decoder reads from the front of rest until something does not fit; from then on all it returns
// is zero.
type decoder struct {
	rest   []byte
	broken bool
}

func (d *decoder) varint() int64 {
	n, size := binary.Varint(d.rest)
	d.skip(size)
	return n
}

func (d *decoder) uvarint() uint64 {
	n, size := binary.Uvarint(d.rest)
	d.skip(size)
	return n
}

func (d *decoder) skip(size int) {
	if size <= 0 || d.broken {
		d.broken, d.rest = true, nil
		return
	}
	d.rest = d.rest[size:]
}

func (d *decoder) text() []byte {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.broken, d.rest = true, nil
		return nil
	}
	text := d.rest[:n:n]
	d.rest = d.rest[n:]
	return text
}

func (d *decoder) texts() []string {
	n := d.uvarint()
	if n > uint64(len(d.rest)) { // each takes at least a byte
		d.broken, d.rest = true, nil
		return nil
	}
	var texts []string
	for ; n > 0 && !d.broken; n-- {
		texts = append(texts, string(d.text()))
	}
	return texts
}

func (d *decoder) octet() byte {
	if len(d.rest) == 0 {
		d.broken = true
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

// madeFiles reads what a record of version 2 says of at least one file.
func (d *decoder) madeFiles() []madeFile {
	n := d.uvarint()
	if n == 0 || n > uint64(len(d.rest)) { // each takes at least a byte
		d.broken, d.rest = true, nil
		return nil
	}
	var made []madeFile
	for ; n > 0 && !d.broken; n-- {
		m := madeFile{mode: fs.FileMode(d.uvarint()) & fs.ModePerm, size: d.varint()}
		if sum := d.text(); copy(m.sum[:], sum) != len(m.sum) || len(sum) != len(m.sum) {
			d.broken = true
		}
		made = append(made, m)
	}
	return made
}
