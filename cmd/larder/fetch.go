// fetch.go is the command fetch: pages, as they are or the parts of them that a selector names.

package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/larder-go/larder/scrape"
)

func fetchCommand(g *globals) *cobra.Command {
	f := fetch{pages: newPages(g, "fetch")}
	cmd := &cobra.Command{
		Use:   "fetch [FLAGS] URL... | -",
		Short: "fetch pages politely, through the cache",
		Example: "  larder fetch https://go.dev/ > go.html\n" +
			"  larder fetch --output pages/ - < urls.txt",
		Long: "Writes the pages to stdout, one after the other, or each to a file of its own in the\n" +
			"folder --output. " + pagesHelp + "\n" +
			"With --json it says what was fetched instead of writing it to stdout.\n\n" + pagesExits,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), args)
		},
	}
	f.bind(cmd.Flags())
	cmd.Flags().StringVarP(&f.output, "output", "o", "",
		"`FOLDER` to write each page to, in a file named after its URL")
	cmd.Flags().StringVar(&f.selector, "select", "",
		"write the text of the elements that a CSS `SELECTOR` names, one a line")
	cmd.Flags().StringVar(&f.attr, "attr", "",
		"with --select: write this `ATTRIBUTE` instead of the text")
	return cmd
}

type fetch struct {
	*pages
	output, selector, attr string
}

// pageFile is what fetch --json prints of a page.
type pageFile struct {
	URL      string   `json:"url"`
	Final    string   `json:"final"`
	Status   int      `json:"status"`
	Type     string   `json:"type"`
	Bytes    int      `json:"bytes"`
	File     string   `json:"file,omitempty"`
	Selected []string `json:"selected,omitempty"`
	Outcome  string   `json:"outcome"`
	Requests int      `json:"requests"`
}

// part is what is made of a page.
type part struct {
	body     []byte
	size     int
	selected []string
}

func (f *fetch) run(ctx context.Context, w io.Writer, urls []string) error {
	if err := f.check(urls); err != nil {
		return err
	}
	if f.attr != "" && f.selector == "" {
		return usagef("fetch: --attr %s: of which elements? give --select", f.attr)
	}
	if err := f.prepare(); err != nil {
		return err
	}
	return work(ctx, f.pages, urls, f.take, func(p *scrape.Page, made part) error {
		return f.put(w, p, made)
	})
}

// prepare finds out what cannot work before anything is fetched.
func (f *fetch) prepare() error {
	if f.selector != "" {
		if _, err := scrape.Select(&scrape.Page{}, f.selector); err != nil {
			return usagef("fetch: --select %q: not a CSS selector: %s", f.selector, f.explain(err))
		}
	}
	if f.output == "" {
		return nil
	}
	if err := os.MkdirAll(f.output, 0o777); err != nil {
		return fmt.Errorf("fetch: --output: %w", err)
	}
	return nil
}

func (f *fetch) take(p *scrape.Page) (part, error) {
	if f.selector == "" {
		return part{body: p.Body, size: len(p.Body)}, nil
	}
	read := func() ([]string, error) { return scrape.Select(p, f.selector) }
	if f.attr != "" {
		read = func() ([]string, error) { return scrape.SelectAttr(p, f.selector, f.attr) }
	}
	selected, err := read()
	if err != nil {
		return part{}, err
	}
	var lines bytes.Buffer
	for _, text := range selected {
		lines.WriteString(strings.Join(strings.Fields(text), " ") + "\n")
	}
	return part{lines.Bytes(), len(p.Body), selected}, nil
}

func (f *fetch) put(w io.Writer, p *scrape.Page, made part) error {
	about := pageFile{
		URL: p.URL, Final: p.Final, Status: p.Status, Type: p.Header.Get("Content-Type"),
		Bytes: made.size, Selected: made.selected, Outcome: p.Outcome.String(), Requests: p.Requests,
	}
	if f.output != "" {
		about.File = filepath.Join(f.output, fileName(p.URL))
		if err := writeWhole(about.File, made.body); err != nil {
			return err
		}
	}
	if f.asJSON {
		return writeJSON(w, about)
	}
	if f.output != "" {
		return nil
	}
	_, err := w.Write(made.body)
	return err
}

// fileName is the name of the file for the page at address: readable, and different for different
// addresses.
func fileName(address string) string {
	text, ext := address, ".html"
	if u, err := url.Parse(address); err == nil {
		text, ext = strings.TrimSuffix(u.Host+u.Path, "/"), cmp.Or(extension(u.Path), ext)
	}
	stem := strings.Map(safeRune, strings.TrimSuffix(text, ext))
	stem = strings.TrimLeft(stem[:min(len(stem), 120)], ".-")
	sum := sha256.Sum256([]byte(address))
	return cmp.Or(stem, "page") + "-" + hex.EncodeToString(sum[:4]) + ext
}

// extension returns that of the last segment of a path, or "" if it looks like none.
func extension(of string) string {
	ext := path.Ext(of)
	if len(ext) < 2 || len(ext) > 8 || strings.ContainsFunc(ext[1:], isNotAlphanumeric) {
		return ""
	}
	return ext
}

// safeRune returns r if it may stand in the name of a file everywhere, else an underscore.
func safeRune(r rune) rune {
	if r == '.' || r == '-' || !isNotAlphanumeric(r) {
		return r
	}
	return '_'
}

func isNotAlphanumeric(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
}

// writeWhole writes a file aside and renames it, so that nobody sees a part of it.
func writeWhole(path string, body []byte) error {
	temp := fmt.Sprintf("%s.%d.new", path, os.Getpid())
	err := os.WriteFile(temp, body, 0o666)
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		os.Remove(temp)
	}
	return err
}
