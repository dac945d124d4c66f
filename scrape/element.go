// element.go sorts the elements of HTML by what they mean for headings.

package scrape

// element is a kind of element.
type element int

const (
	inline    element = iota // everything that is not below: no mark in the text
	heading1                 // the levels follow each other
	heading2                 //
	heading3                 //
	heading4                 //
	heading5                 //
	heading6                 //
	title                    // text without tags
	script                   // has its own rules for where it ends
	rawText                  // holds text that nobody reads as such
	plainText                // the rest of the page is its text
	template                 // holds what is not part of the page
	foreign                  // svg or math, in which a title is another thing
	block                    // begins and ends a line
	lineBreak                // ends a line, holds nothing
)

// maxName is the length of the longest name that elementOf knows.
const maxName = len("blockquote")

// elementOf returns the kind of an element by its name, in whatever case.
func elementOf(name []byte) element {
	if len(name) > maxName {
		return inline
	}
	var lower [maxName]byte
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		lower[i] = c
	}
	switch string(lower[:len(name)]) {
	case "h1":
		return heading1
	case "h2":
		return heading2
	case "h3":
		return heading3
	case "h4":
		return heading4
	case "h5":
		return heading5
	case "h6":
		return heading6
	case "title":
		return title
	case "script":
		return script
	case "style", "textarea", "iframe", "noscript", "noembed", "noframes", "xmp":
		return rawText
	case "plaintext":
		return plainText
	case "template":
		return template
	case "svg", "math":
		return foreign
	case "br", "hr":
		return lineBreak
	case "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog",
		"dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header",
		"hgroup", "html", "li", "main", "menu", "nav", "ol", "p", "pre", "search", "section",
		"summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul":
		return block
	}
	return inline
}
