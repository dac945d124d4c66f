// table.go prints what was measured, for people and for programs.

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// table is what a measurement found: strings, ints and float64s below a head.
type table struct {
	title string
	head  []string
	rows  [][]any
}

func newTable(title string, head ...string) *table { return &table{title: title, head: head} }

func (t *table) add(cells ...any) { t.rows = append(t.rows, cells) }

// report is all tables of one run.
type report struct {
	caches []contestant
	tables []*table
}

func (r report) print(w io.Writer, asJSON bool) error {
	var out bytes.Buffer
	write := writeMarkdown
	if asJSON {
		write = writeJSON
	}
	for _, t := range append([]*table{versions(r.caches)}, r.tables...) {
		if err := write(&out, t); err != nil {
			return err
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

func writeMarkdown(w *bytes.Buffer, t *table) error {
	fmt.Fprintf(w, "%s\n\n", t.title)
	writeRow(w, t.head)
	w.WriteString(strings.Repeat("|---", len(t.head)) + "|\n")
	for _, row := range t.rows {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = shown(c)
		}
		writeRow(w, cells)
	}
	w.WriteByte('\n')
	return nil
}

func writeRow(w *bytes.Buffer, cells []string) {
	w.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

// shown writes a number with no more digits than another run would confirm.
func shown(cell any) string {
	x, ok := cell.(float64)
	switch {
	case !ok:
		return fmt.Sprint(cell)
	case x >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}

// writeJSON writes an object for each row, its fields in the order of the head.
func writeJSON(w *bytes.Buffer, t *table) error {
	for _, row := range t.rows {
		if err := writeField(w, "{", "table", t.title); err != nil {
			return err
		}
		for i, c := range row {
			if err := writeField(w, ",", t.head[i], c); err != nil {
				return err
			}
		}
		w.WriteString("}\n")
	}
	return nil
}

func writeField(w *bytes.Buffer, before, name string, value any) error {
	n, err := json.Marshal(name)
	if err != nil {
		return err
	}
	v, err := json.Marshal(value)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s%s:%s", before, n, v)
	return nil
}

// versions says what was compared, and on what.
func versions(caches []contestant) *table {
	t := newTable(fmt.Sprintf("%s, %s/%s, %d processors", runtime.Version(), runtime.GOOS,
		runtime.GOARCH, runtime.GOMAXPROCS(0)), "cache", "version")
	found := map[string]string{}
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, d := range b.Deps {
			found[d.Path] = d.Version
			if d.Replace != nil {
				found[d.Path] = "this checkout"
			}
		}
	}
	for _, c := range caches {
		t.add(c.name, found[c.module])
	}
	return t
}
