// load.go reads the file of a configuration.

package proxy

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// maxFile is the largest file of a configuration that is read, in bytes.
const maxFile = 4 << 20

// Load reads and checks the configuration in a file. What is wrong with it is a [Mistakes]; files
// that it names are not looked at: see [Check].
func Load(path string) (Config, error) {
	text, err := readFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("proxy: read configuration: %w", err)
	}
	return parse(path, text)
}

func readFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s: larger than 4 MiB", path)
	}
	return string(text), err
}

// parse reads a configuration from text, which path is the name of.
func parse(path, text string) (Config, error) {
	c := Default()
	c.source = source{file: path, lines: linesOf(text)}
	meta, err := toml.Decode(text, &c)
	if err != nil {
		return Config{}, Mistakes{c.misread(err)}
	}
	if unknown := c.unknown(meta.Undecoded()); len(unknown) > 0 {
		return Config{}, unknown
	}
	if wrong := c.check(); len(wrong) > 0 {
		return Config{}, wrong
	}
	return c, nil
}

// misread says where the file is no TOML, or has a value of another kind.
func (c *Config) misread(err error) Mistake {
	m := Mistake{File: c.source.file}
	var at toml.ParseError
	if errors.As(err, &at) {
		m.Line, m.Key, m.What = at.Position.Line, at.LastKey, at.Message
		if m.What != "" {
			return m
		}
	}
	parts := typeError.FindStringSubmatch(err.Error())
	if parts == nil {
		m.What = strings.TrimPrefix(err.Error(), "toml: ")
		return m
	}
	m.Line, _ = strconv.Atoi(parts[1])
	m.Key, m.What = parts[2], parts[3]
	if _, kind, ok := strings.Cut(m.What, "destination has type "); ok {
		m.What = "another kind of value is wanted: " + cmp.Or(kinds[kind], kind)
	}
	return m
}

// typeError is what the TOML package says of a value that does not fit.
var typeError = regexp.MustCompile(`^toml: line (\d+) \(last key "(.*?)"\): (.*)$`)

// kinds are examples of values by what Go calls their types.
var kinds = map[string]string{
	"slice": `a list like ["a", "b"]`, "string": `text like "a"`, "boolean": "true or false",
	"integer": "a number", "struct": "a table",
}

// unknown is a mistake for each key of the file that means nothing.
func (c *Config) unknown(keys []toml.Key) (wrong Mistakes) {
	for _, key := range keys {
		table, name := key[:len(key)-1], key[len(key)-1]
		known := keysOf(reflect.TypeFor[Config](), table)
		if known == nil {
			continue // the table is unknown, and was said to be
		}
		wrong = append(wrong, Mistake{
			File: c.source.file, Line: c.source.lines.ofUnknown(key), Key: name,
			What: "no such key" + within(table) + ": there are " + strings.Join(known, ", "),
		})
	}
	return wrong.sorted()
}

func within(table toml.Key) string {
	if len(table) == 0 {
		return ""
	}
	return " in " + table.String()
}

// keysOf returns the keys of a table of t, or nil where there is no such table.
func keysOf(t reflect.Type, table []string) (keys []string) {
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for f := range t.Fields() {
		tag := f.Tag.Get("toml")
		if len(table) > 0 && tag == table[0] {
			return keysOf(f.Type, table[1:])
		}
		if tag != "" {
			keys = append(keys, tag)
		}
	}
	if len(table) > 0 {
		return nil
	}
	return keys
}
