// xml.go reads the XML of sitemaps and of their indexes, token by token.

package sitemap

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// parser is in the middle of a document: root > entry > field, as in urlset > url > loc. What is
// nested deeper, as pictures are, and what has another name is passed over.
type parser struct {
	file  File
	list  *[]Entry // of file; that of the root element
	item  string   // the name of the elements in it
	depth int
	entry Entry
	field strings.Builder
}

func readXML(in *meter) (File, error) {
	d := xml.NewDecoder(in)
	d.CharsetReader = func(charset string, _ io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("%w: its encoding is %.40q, not UTF-8", ErrFormat, charset)
	}
	p := parser{}
	for begun := false; !begun || p.depth > 0; begun = begun || p.depth > 0 {
		in.part = 0
		token, err := d.Token()
		if err != nil && in.err == nil {
			err = malformed(err)
		}
		if err == nil {
			err = p.take(token)
		}
		if err != nil {
			return p.file, trouble(err)
		}
	}
	return p.file, nil
}

// malformed returns an error of the decoder itself as one of this package. It may hold any part of
// the file.
func malformed(err error) error {
	if errors.Is(err, ErrFormat) {
		return err
	}
	return fmt.Errorf("%w: %.200s", ErrFormat, strings.TrimPrefix(err.Error(), "XML syntax error "))
}

func (p *parser) take(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return p.begin(t.Name.Local)
	case xml.CharData:
		if p.depth == 3 && p.field.Len() <= MaxURL {
			p.field.Write(t)
		}
	case xml.EndElement:
		p.depth--
		return p.end(t.Name.Local)
	}
	return nil
}

func (p *parser) begin(name string) error {
	p.depth++
	switch p.depth {
	case 1:
		return p.beginRoot(name)
	case 2:
		p.entry = Entry{}
	case 3:
		p.field.Reset()
	case maxDepth:
		return fmt.Errorf("%w: elements are nested too deep", ErrFormat)
	}
	return nil
}

func (p *parser) beginRoot(name string) error {
	switch name {
	case "urlset":
		p.list, p.item = &p.file.Pages, "url"
	case "sitemapindex":
		p.list, p.item = &p.file.Sitemaps, "sitemap"
	default:
		return fmt.Errorf("%w: its root is %.40q", ErrFormat, name)
	}
	return nil
}

// end takes what an element held whose end is in the element that is now open.
func (p *parser) end(name string) error {
	switch {
	case p.depth == 2 && name == "loc":
		p.entry.URL = strings.TrimSpace(p.field.String())
	case p.depth == 2 && name == "lastmod":
		p.entry.Modified = parseDate(strings.TrimSpace(p.field.String()))
	case p.depth == 1 && name == p.item:
		return p.file.add(p.list, p.entry)
	}
	return nil
}
