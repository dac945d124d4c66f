// csv.go reads tables with a header: comma, semicolon or tab separated.

package trace

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// keyColumns are the names that a column of keys may have, the best first. They are compared in
// lower case, with underscores for spaces and hyphens.
var keyColumns = []string{"key", "cache_key", "obj_id", "object_id", "id", "object", "url", "uri",
	"path", "request", "block", "lbn", "lba", "page", "name"}

// sizeColumns are the names that a column of sizes may have.
var sizeColumns = []string{"size", "obj_size", "object_size", "bytes", "body_bytes_sent",
	"value_size", "length", "content_length", "weight"}

// separators are tried in this order.
const separators = "\t,;"

func columnName(cell []byte) string {
	name := strings.ToLower(strings.TrimSpace(string(cell)))
	return strings.NewReplacer(" ", "_", "-", "_").Replace(name)
}

// isCSV says whether a sample is a table: it has a header that we know, or one that the options
// name, or all lines have the same number of separators.
func isCSV(sample []byte, o Options) bool {
	for line := range firstLines(sample) { // the first
		separator, ok := separatorOf(line)
		if !ok {
			return false
		}
		header := columnsOf(splitCSV(nil, bytes.Clone(line), separator))
		return o.Key+o.SizeColumn != "" || header.first(keyColumns) >= 0 ||
			regular(sample, separator)
	}
	return false
}

func separatorOf(line []byte) (byte, bool) {
	for _, c := range []byte(separators) {
		if bytes.IndexByte(line, c) >= 0 {
			return c, true
		}
	}
	return 0, false
}

// regular says whether all lines, two at least, have the same number of separators.
func regular(sample []byte, separator byte) bool {
	n, lines := 0, 0
	for line := range firstLines(sample) {
		count := len(splitCSV(nil, bytes.Clone(line), separator))
		if lines > 0 && count != n {
			return false
		}
		n = count
		lines++
	}
	return lines > 1
}

// splitCSV appends the cells of a line to cells. A cell may be quoted, with quotes doubled inside;
// it ends with its line.
// Quotes are removed in place: the line is not what it was.
func splitCSV(cells [][]byte, line []byte, separator byte) [][]byte {
	for {
		if len(line) > 0 && line[0] == '"' {
			cell, rest, more := quoted(line, separator)
			cells = append(cells, cell)
			if !more {
				return cells
			}
			line = rest
			continue
		}
		end := bytes.IndexByte(line, separator)
		if end < 0 {
			return append(cells, line)
		}
		cells = append(cells, line[:end])
		line = line[end+1:]
	}
}

// quoted cuts a cell in quotes off a line, and says whether there are more. It unquotes in place.
func quoted(line []byte, separator byte) (cell, rest []byte, more bool) {
	cell = line[:0]
	at := 1
	for ; at < len(line); at++ {
		if line[at] == '"' {
			if at++; at == len(line) || line[at] != '"' {
				break
			}
		}
		cell = append(cell, line[at])
	}
	end := bytes.IndexByte(line[min(at, len(line)):], separator)
	if end < 0 {
		return cell, nil, false
	}
	return cell, line[at+end+1:], true
}

// columns are the names in a header.
type columns []string

func columnsOf(header [][]byte) columns {
	var c columns
	for _, cell := range header {
		c = append(c, columnName(cell))
	}
	return c
}

// find returns the number of a column: by its number from 1, or by its name. A number is never a
// name: without a header, the first line may hold that very number.
func (c columns) find(field string) (int, bool) {
	if n, err := strconv.Atoi(field); err == nil {
		return n - 1, 1 <= n && n <= len(c)
	}
	i := slices.Index(c, columnName([]byte(field)))
	return i, i >= 0
}

// named tells whether field is the name of a column.
func (c columns) named(field string) bool {
	_, err := strconv.Atoi(field)
	return err != nil && slices.Contains(c, columnName([]byte(field)))
}

// first returns the number of the column with the first of names that there is, -1 if none is.
func (c columns) first(names []string) int {
	for _, name := range names {
		if i := slices.Index(c, name); i >= 0 {
			return i
		}
	}
	return -1
}

// csvTable is what is read of each line of CSV.
type csvTable struct {
	separator byte
	key       bound
	size      int  // a column, -1 if there is none
	header    bool // the first line names the columns
}

func (o Options) csv(first []byte) (csvTable, error) {
	t := csvTable{separator: ',', size: -1}
	if c, ok := separatorOf(first); ok {
		t.separator = c
	}
	names := columnsOf(splitCSV(nil, first, t.separator))
	t.header = names.first(keyColumns) >= 0 || names.first(sizeColumns) >= 0
	known := strings.Join(names, ", ")
	key, err := parseTemplate(o.Key)
	if err != nil {
		return t, err
	}
	if o.Key == "" {
		i := names.first(keyColumns)
		if i < 0 {
			return t, fmt.Errorf("%w: CSV without a column called %s or the like: name the key, "+
				"or the format text", ErrKey, strings.Join(keyColumns[:7], ", "))
		}
		key = template{parts: []part{{field: names[i]}}}
	}
	if t.key, err = key.bind(names.find, known); err != nil {
		return t, err
	}
	return t, t.findSize(o.SizeColumn, names, known, key)
}

func (t *csvTable) findSize(column string, names columns, known string, key template) error {
	t.header = t.header || slices.ContainsFunc(key.parts, func(p part) bool {
		return names.named(p.field)
	})
	if column == "" {
		t.size = names.first(sizeColumns)
		return nil
	}
	i, ok := names.find(column)
	if !ok {
		return fmt.Errorf("%w: size column %q: one of %s", ErrKey, column, known)
	}
	t.size = i
	return nil
}

// readCSV reads a table, each line an access.
func readCSV(b *builder) error {
	var t csvTable
	var cells [][]byte
	var key []byte
	first := true
	return b.each(func(line []byte) (bad string, err error) {
		if first {
			first = false
			if t, err = b.o.csv(bytes.Clone(line)); err != nil || t.header {
				return "", err
			}
		}
		cells = splitCSV(cells[:0], line, t.separator)
		var ok bool
		if key, ok = t.key.fill(key[:0], cells); !ok {
			return "no key", nil
		}
		return b.sizedAccess(key, cells, t.size)
	})
}

// sizedAccess adds an access whose size is in a cell, -1 if in none.
func (b *builder) sizedAccess(key []byte, cells [][]byte, column int) (bad string, err error) {
	if column < 0 {
		return "", b.access(key)
	}
	if column >= len(cells) {
		return "no size", nil
	}
	n, err := strconv.ParseUint(string(bytes.TrimSpace(cells[column])), 10, 64)
	if err != nil {
		return "the size is not a number", nil
	}
	if err := b.access(key); err != nil {
		return "", err
	}
	b.size(n)
	return "", nil
}
