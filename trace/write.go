// write.go writes traces, so that they can be kept small.

package trace

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// WriteFormats lists the formats that Write knows.
func WriteFormats() []string { return []string{"u32", "u64", "text", "oracleGeneral"} }

// Write writes a trace in a format. Keys are written by number, in the order of their first
// appearance from 0; as text by name, where names were kept. oracleGeneral gets the number of the
// access in place of the time, and 1 where the trace has no size.
func Write(w io.Writer, t *Trace, format string) error {
	out := bufio.NewWriterSize(w, 64<<10)
	switch strings.ToLower(format) {
	case "u32":
		for _, k := range t.Keys {
			writeBytes(out, binary.LittleEndian.AppendUint32(out.AvailableBuffer(), k))
		}
	case "u64":
		for _, k := range t.Keys {
			writeBytes(out, binary.LittleEndian.AppendUint64(out.AvailableBuffer(), uint64(k)))
		}
	case "text":
		for _, k := range t.Keys {
			writeBytes(out, append(out.AvailableBuffer(), oneLine(t.Name(k))+"\n"...))
		}
	case "oraclegeneral":
		writeOracle(out, t)
	default:
		return fmt.Errorf("format %q: cannot be written: one of %s", format,
			strings.Join(WriteFormats(), ", "))
	}
	return out.Flush()
}

// writeBytes writes b; the error comes back from Flush.
func writeBytes(out *bufio.Writer, b []byte) { _, _ = out.Write(b) }

// oneLine keeps a key on its line, as MONITOR and CSV allow keys with ends of lines.
func oneLine(key string) string {
	return strings.NewReplacer("\n", `\n`, "\r", `\r`, "\x00", `\0`).Replace(key)
}

func writeOracle(out *bufio.Writer, t *Trace) {
	const none = -1
	next := make([]int64, len(t.Keys))
	last := make([]int64, t.Distinct)
	for k := range last {
		last[k] = none
	}
	for i := len(t.Keys) - 1; i >= 0; i-- {
		next[i], last[t.Keys[i]] = last[t.Keys[i]], int64(i)
	}
	for i, k := range t.Keys {
		size := uint32(1)
		if t.Sizes != nil {
			size = max(1, t.Sizes[i])
		}
		b := binary.LittleEndian.AppendUint32(out.AvailableBuffer(), uint32(i))
		b = binary.LittleEndian.AppendUint64(b, uint64(k))
		b = binary.LittleEndian.AppendUint32(b, size)
		writeBytes(out, binary.LittleEndian.AppendUint64(b, uint64(next[i])))
	}
}

// Create writes a trace to a file, compressed if its name ends in .gz or .zst. A regular file is
// replaced once the new one is whole; devices and pipes are written to as they are.
func Create(path string, t *Trace, format string) (err error) {
	name := path
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return writeTo(path, name, t, format)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".larder-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	err = compress(f, name, func(w io.Writer) error { return Write(w, t, format) })
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// writeTo writes a trace to what is there and is no regular file.
func writeTo(path, name string, t *Trace, format string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	err = compress(f, name, func(w io.Writer) error { return Write(w, t, format) })
	return errors.Join(err, f.Close())
}

// compress calls write with a writer that compresses as the name says.
func compress(w io.Writer, name string, write func(io.Writer) error) error {
	switch filepath.Ext(name) {
	case ".gz":
		z := gzip.NewWriter(w)
		return errors.Join(write(z), z.Close())
	case ".zst":
		z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return err
		}
		return errors.Join(write(z), z.Close())
	}
	return write(w)
}
