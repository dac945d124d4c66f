// titles.go is the command titles: the headings of pages.

package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/larder-go/larder/scrape"
)

func titlesCommand(g *globals) *cobra.Command {
	t := titles{pages: newPages(g, "titles")}
	cmd := &cobra.Command{
		Use:     "titles [FLAGS] URL... | -",
		Short:   "print the headings of pages",
		Example: "  larder titles https://go.dev/blog/\n  larder titles --json - < urls.txt",
		Long: "Prints the text of h1, h2 and h3 of each page, a heading a line, in the order of the\n" +
			"URLs. " + pagesHelp + "\n\n" + pagesExits,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.run(cmd.Context(), cmd.OutOrStdout(), args)
		},
	}
	t.bind(cmd.Flags())
	cmd.Flags().BoolVar(&t.count, "count", false,
		"print each heading once, after the number of pages that have it, most frequent first")
	return cmd
}

type titles struct {
	*pages
	count bool
}

// pageTitles is what titles prints of a page in JSON.
type pageTitles struct {
	URL      string         `json:"url"`
	Final    string         `json:"final"`
	Title    string         `json:"title"`
	Headings []scrape.Title `json:"headings"`
	Outcome  string         `json:"outcome"`
	Requests int            `json:"requests"`
}

func (t *titles) run(ctx context.Context, w io.Writer, urls []string) error {
	if err := t.check(urls); err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 64<<10)
	counted := map[string]int{}
	err := work(ctx, t.pages, urls, readTitles, func(p *scrape.Page, found pageTitles) error {
		if t.count {
			countTitles(counted, found.Headings)
			return nil
		}
		return t.print(out, p, found)
	})
	if t.count {
		if err := t.printCounts(out, counted); err != nil {
			return err
		}
	}
	return cmp.Or(out.Flush(), err)
}

func readTitles(p *scrape.Page) (pageTitles, error) {
	title, headings := scrape.Titles(p)
	return pageTitles{Title: title, Headings: headings}, nil
}

func (t *titles) print(out *bufio.Writer, p *scrape.Page, found pageTitles) error {
	if t.asJSON {
		found.URL, found.Final = p.URL, p.Final
		found.Outcome, found.Requests = p.Outcome.String(), p.Requests
		if found.Headings == nil {
			found.Headings = []scrape.Title{}
		}
		if err := writeJSON(out, found); err != nil {
			return err
		}
	} else {
		for _, heading := range found.Headings {
			out.WriteString(heading.Text)
			out.WriteByte('\n')
		}
	}
	return out.Flush()
}

// countTitles adds the headings of one page, each once.
func countTitles(counted map[string]int, headings []scrape.Title) {
	seen := map[string]bool{}
	for _, heading := range headings {
		if !seen[heading.Text] {
			counted[heading.Text]++
			seen[heading.Text] = true
		}
	}
}

// titleCount is what titles --count prints of a heading in JSON.
type titleCount struct {
	Text  string `json:"text"`
	Pages int    `json:"pages"`
}

func (t *titles) printCounts(w io.Writer, counted map[string]int) error {
	all := make([]titleCount, 0, len(counted))
	for text, n := range counted {
		all = append(all, titleCount{text, n})
	}
	slices.SortFunc(all, func(a, b titleCount) int {
		return cmp.Or(cmp.Compare(b.Pages, a.Pages), cmp.Compare(a.Text, b.Text))
	})
	for _, c := range all {
		var err error
		if t.asJSON {
			err = writeJSON(w, c)
		} else {
			_, err = fmt.Fprintf(w, "%7d  %s\n", c.Pages, c.Text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
