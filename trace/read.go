// read.go leads from a file to a trace: decompress, detect, read.

package trace

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"os"

	"github.com/klauspost/compress/zstd"
)

// Errors of Read. The text of each says what to do.
var (
	ErrEmpty     = errors.New("the trace is empty")
	ErrUnknown   = errors.New("no trace format that is known")
	ErrTruncated = errors.New("the compressed data ends in the middle")
	ErrDamaged   = errors.New("the compressed data is damaged")
	ErrNoAccess  = errors.New("no access in it")
	ErrKey       = errors.New("no such key")
)

// DefaultLimit is how many accesses are read at most if Options says nothing: they take 512 MiB.
// Each distinct key takes up to 100 bytes more while it is read.
const DefaultLimit = 1 << 27

// Options says how to read a trace. The zero value detects all there is to know.
type Options struct {
	// Format is a name of Formats; "" detects it by the content.
	Format string
	// Key says what the key is, in logs and CSV: the name of a field, or a template of them such as
	// {host}{path}; a number is a column of CSV without header, from 1. The fields of CSV are its
	// columns, those of a log are host, client, user, method, url, path, query, status, referer
	// and agent. Default: {host}{url} of a log, the first known name of CSV.
	Key string
	// SizeColumn is the column of CSV that holds the size, by name or number; default: a known
	// name.
	SizeColumn string
	// Limit is how many accesses are read at most; 0 means DefaultLimit.
	Limit int
	// KeepKeys keeps the keys as they were in the file, for Trace.Name.
	KeepKeys bool
}

// Check returns an error if no trace can be read with such options, whatever it holds.
func (o Options) Check() error {
	if o.Limit < 0 || o.Limit > math.MaxInt32 {
		return fmt.Errorf("limit %d: give 0 to %d", o.Limit, math.MaxInt32)
	}
	if _, ok := formatByName(o.Format); !ok && o.Format != "" {
		return fmt.Errorf("format %q: unknown: one of %s", o.Format, formatNames())
	}
	_, err := parseTemplate(o.Key)
	return err
}

// Open reads the trace in a file.
func Open(path string, o Options) (*Trace, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(f, o)
}

// sampled is how much of the beginning decides which format it is.
const sampled = 64 << 10

// Read reads a trace to its end, or to the limit. The error is one of Options.Check, of r, or one
// of those above, wrapped.
func Read(r io.Reader, o Options) (*Trace, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	plain, compression, err := decompress(r)
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	b := newBuilder(plain, o)
	b.t.Compression = compression
	if err := b.read(); err != nil {
		return nil, err
	}
	return &b.t, nil
}

// decompress returns what r holds, and how it was compressed.
func decompress(r io.Reader) (io.ReadCloser, string, error) {
	in := bufio.NewReaderSize(r, sampled)
	magic, err := in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, "", err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, "", compressed(err, "gzip")
		}
		return z, "gzip", nil
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(in, zstd.WithDecoderMaxWindow(128<<20),
			zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, "", compressed(err, "zstd")
		}
		return z.IOReadCloser(), "zstd", nil
	}
	return io.NopCloser(in), "", nil
}

// compressed says what is wrong with compressed data, if that is what err says.
func compressed(err error, kind string) error {
	var corrupt flate.CorruptInputError
	switch {
	case kind == "":
		return err
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return fmt.Errorf("%s: %w", kind, ErrTruncated)
	case kind == "zstd", errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader),
		errors.As(err, &corrupt):
		return fmt.Errorf("%s: %w: %w", kind, ErrDamaged, err)
	}
	return err
}

// sticky returns the same error again and again: one that comes while the sample is read must not
// be lost.
type sticky struct {
	r   io.Reader
	err error
}

func (s *sticky) Read(p []byte) (n int, err error) {
	if s.err != nil {
		return 0, s.err
	}
	n, s.err = s.r.Read(p)
	return n, s.err
}

// builder makes a trace.
type builder struct {
	t     Trace
	o     Options
	in    *bufio.Reader
	table table
	seed  maphash.Seed
	limit int
}

func newBuilder(r io.Reader, o Options) *builder {
	b := &builder{o: o, in: bufio.NewReaderSize(&sticky{r: r}, 4*sampled), seed: maphash.MakeSeed()}
	if b.limit = o.Limit; b.limit == 0 {
		b.limit = DefaultLimit
	}
	return b
}

// read finds the format and reads in it.
func (b *builder) read() error {
	sample, err := b.in.Peek(sampled)
	switch { // with a sample, an error comes again
	case len(sample) > 0:
	case errors.Is(err, io.EOF):
		return ErrEmpty
	default:
		return b.failed(err)
	}
	f, ok := formatByName(b.o.Format)
	if !ok {
		if f, err = detect(sample, b.o); err != nil {
			return err
		}
	}
	b.t.Format = f.Name
	if b.o.Key+b.o.SizeColumn != "" && !f.named {
		return fmt.Errorf("%w: the format is %s, which has no fields to name", ErrKey, f.Name)
	}
	err = f.read(b)
	if err != nil && !errors.Is(err, errEnough) {
		return b.failed(err)
	}
	b.t.Distinct = int(b.table.n)
	return b.anything()
}

// failed says how far one came.
func (b *builder) failed(err error) error {
	err = compressed(err, b.t.Compression)
	if errors.Is(err, ErrTruncated) || errors.Is(err, ErrDamaged) {
		return fmt.Errorf("%w, after %d accesses", err, len(b.t.Keys))
	}
	return err
}

// anything returns an error if the trace holds no access.
func (b *builder) anything() error {
	switch bad := b.t.Bad; {
	case len(b.t.Keys) > 0:
		return nil
	case bad.Count > 0:
		return fmt.Errorf("%w: read as %s, %d bad lines, the first is %d: %s", ErrNoAccess,
			b.t.Format, bad.Count, bad.First[0].Line, bad.First[0].Reason)
	case b.t.Writes+b.t.Skipped > 0:
		return fmt.Errorf("%w: read as %s, %d writes and %d others", ErrNoAccess, b.t.Format,
			b.t.Writes, b.t.Skipped)
	}
	return fmt.Errorf("%w: read as %s", ErrNoAccess, b.t.Format)
}

// errEnough ends the reading at the limit.
var errEnough = errors.New("enough")

// access adds an access to a key of text.
func (b *builder) access(key []byte) error {
	if len(b.t.Keys) >= b.limit {
		b.t.Cut = true
		return errEnough
	}
	id, fresh := b.table.id(maphash.Bytes(b.seed, key))
	b.t.Keys = append(b.t.Keys, id)
	if fresh && b.o.KeepKeys {
		b.t.names.addText(key)
	}
	return nil
}

// number adds an access to a key that is a number.
func (b *builder) number(key uint64) error {
	if len(b.t.Keys) >= b.limit {
		b.t.Cut = true
		return errEnough
	}
	id, fresh := b.table.id(mix(key))
	b.t.Keys = append(b.t.Keys, id)
	if fresh && b.o.KeepKeys {
		b.t.names.numbers = append(b.t.names.numbers, key)
	}
	return nil
}

// size adds the size of the last access.
func (b *builder) size(n uint64) {
	b.t.Sizes = append(b.t.Sizes, uint32(min(n, math.MaxUint32)))
}
