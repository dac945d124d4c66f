// select.go picks parts of a page by CSS selectors; only this needs the tree of the page.

package scrape

import (
	"bytes"
	"fmt"

	"github.com/PuerkitoBio/goquery"
	"github.com/andybalholm/cascadia"
)

// Select returns the text of each element of p that selector matches, in the order of the page,
// runs of white space made one space. The error says what is wrong with the selector.
func Select(p *Page, selector string) ([]string, error) {
	return selectEach(p, selector, func(s *goquery.Selection) (string, bool) {
		return s.Text(), true
	})
}

// SelectAttr returns the attribute name of each element of p that selector matches, in the order of
// the page; elements without it are left out.
func SelectAttr(p *Page, selector, name string) ([]string, error) {
	return selectEach(p, selector, func(s *goquery.Selection) (string, bool) {
		return s.Attr(name)
	})
}

func selectEach(
	p *Page, selector string, pick func(*goquery.Selection) (string, bool),
) ([]string, error) {
	matcher, err := cascadia.Compile(selector)
	if err != nil {
		return nil, fmt.Errorf("scrape: selector %q: %w", selector, err)
	}
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(p.UTF8()))
	if err != nil {
		return nil, failed(p.URL, err)
	}
	var found []string
	for _, s := range doc.FindMatcher(matcher).EachIter() {
		if value, ok := pick(s); ok {
			found = append(found, oneLine(value))
		}
	}
	return found, nil
}
