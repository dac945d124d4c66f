// detect.go lists the formats, and finds out which one a file is in.

package trace

import (
	"bytes"
	"fmt"
	"strings"
)

// Format is a format that traces are read in.
type Format struct {
	Name  string
	About string // in a few words
}

// format is how a format is recognized and read. Recognizers get whole lines of text, or the first
// bytes of what is no text.
type format struct {
	Format
	binary bool
	named  bool // has fields that Options.Key names
	fits   func(sample []byte, o Options) bool
	read   func(*builder) error
}

// formats lists the formats in the order in which they are tried. The last of each kind fits much.
func formats() []format {
	return []format{
		{Format{"monitor", "redis-cli MONITOR: the keys of commands that read"},
			false, false, someLines(isMonitor), readMonitor},
		{Format{"log", "access log of nginx or Apache, common or combined"},
			false, true, someLines(isLog), readLog},
		{Format{"csv", "comma, semicolon or tab separated, with a header"},
			false, true, isCSV, readCSV},
		{Format{"arc", "ARC: start, count, ignored, number of the request"},
			false, false, mostLines(isARC), readARC},
		{Format{"lirs", "LIRS: one block number a line, * ends"},
			false, false, mostLines(isLIRS), readLIRS},
		{Format{"text", "one key a line"}, false, false, isText, readText},
		{Format{"oracleGeneral", "libCacheSim's records of 24 bytes"},
			true, false, anySample(isOracle), readOracle},
		{Format{"u64", "little-endian uint64, one key each"},
			true, false, anySample(isU64), readU64},
		{Format{"u32", "little-endian uint32, one key each"},
			true, false, anySample(isU32), readU32},
	}
}

// Formats lists the formats that Read knows, those of text first.
func Formats() []Format {
	var all []Format
	for _, f := range formats() {
		all = append(all, f.Format)
	}
	return all
}

func formatByName(name string) (format, bool) {
	for _, f := range formats() {
		if strings.EqualFold(f.Name, name) {
			return f, true
		}
	}
	return format{}, false
}

func formatNames() string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// detect finds the format of a file by its beginning.
func detect(sample []byte, o Options) (format, error) {
	binary := !looksLikeText(sample)
	whole := sample
	if cut := bytes.LastIndexByte(sample, '\n'); !binary && len(sample) == sampled && cut >= 0 {
		whole = sample[:cut]
	}
	whole = bytes.TrimPrefix(whole, []byte("\ufeff"))
	for _, f := range formats() {
		if f.binary == binary && f.fits(whole, o) {
			return f, nil
		}
	}
	if kind := foreign(sample); kind != "" {
		return format{}, fmt.Errorf("%w: it is %s", ErrUnknown, kind)
	}
	return format{}, fmt.Errorf("%w: binary; if it holds integers, name the format u32 or u64",
		ErrUnknown)
}

// foreign names what some binary files are that are given in place of a trace.
func foreign(sample []byte) string {
	for _, f := range []struct{ magic, name string }{
		{"BZh", "compressed with bzip2: decompress it first"},
		{"\xfd7zXZ\x00", "compressed with xz: decompress it first"},
		{"PK\x03\x04", "a zip archive: unpack it first"},
		{"7z\xbc\xaf", "a 7z archive: unpack it first"},
		{"\x7fELF", "a program"},
		{"\x89PNG", "a picture"},
		{"\xff\xd8\xff", "a picture"},
		{"%PDF", "a PDF"},
		{"SQLite format 3", "an SQLite database"},
	} {
		if bytes.HasPrefix(sample, []byte(f.magic)) {
			return f.name
		}
	}
	return ""
}

// looksLikeText says whether a sample is text in any encoding that has ASCII in it.
func looksLikeText(sample []byte) bool {
	controls := 0
	for _, c := range sample {
		switch {
		case c == 0:
			return false
		case c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\x1b':
			controls++
		}
	}
	return controls*20 <= len(sample) && foreign(sample) == ""
}

func isText([]byte, Options) bool { return true }

func anySample(fits func([]byte) bool) func([]byte, Options) bool {
	return func(sample []byte, _ Options) bool { return fits(sample) }
}

// mostLines makes a recognizer of one for lines: nine in ten of the first lines must fit.
func mostLines(fits func(line []byte) bool) func([]byte, Options) bool {
	return func(sample []byte, _ Options) bool {
		good, all := countLines(sample, fits)
		return all > 0 && 10*good >= 9*all
	}
}

// someLines makes a recognizer of one that nothing else fits: one line in four is enough.
func someLines(fits func(line []byte) bool) func([]byte, Options) bool {
	return func(sample []byte, _ Options) bool {
		good, all := countLines(sample, fits)
		return all > 0 && 4*good >= all
	}
}

func countLines(sample []byte, fits func(line []byte) bool) (good, all int) {
	for line := range firstLines(sample) {
		all++
		if fits(line) {
			good++
		}
	}
	return good, all
}

// firstLines yields the lines of a sample that are not empty, up to a hundred.
func firstLines(sample []byte) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		n := 0
		for line := range bytes.Lines(sample) {
			if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
				continue
			}
			if n++; n > 100 || !yield(line) {
				return
			}
		}
	}
}

func isNumber(text []byte) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(text) > 0
}

func isLIRS(line []byte) bool {
	line = bytes.TrimSpace(line)
	return isNumber(line) || string(line) == "*"
}

func isARC(line []byte) bool {
	fields := bytes.Fields(line)
	if len(fields) != 4 {
		return false
	}
	for _, f := range fields {
		if !isNumber(f) {
			return false
		}
	}
	return true
}
