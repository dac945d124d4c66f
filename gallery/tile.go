// tile.go draws what stands in for a picture that cannot be shown.

package gallery

import (
	"fmt"
	"html"
	"net/http"
	"strings"
	"unicode"
)

// longestLabel is how many characters a tile says at most.
const longestLabel = 100

// label turns an error into words for a tile.
func label(err error) string {
	text := strings.TrimPrefix(err.Error(), "thumb: ")
	text = strings.TrimPrefix(text, "picture is ")
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar { // no XML, or not what it looks like
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > longestLabel {
		text = string(runes[:longestLabel-1]) + "…"
	}
	return text
}

// brief leaves out how a decoder puts it that a picture is damaged; the listing says it.
func brief(label string) string {
	if strings.HasPrefix(label, "damaged: ") {
		return "damaged"
	}
	return label
}

// lineLength is how many characters of a label stand in a line of a tile.
const lineLength = 24

// serveTile answers with a drawing that names the kind of the picture and says what is wrong.
func serveTile(w http.ResponseWriter, kind, label string) {
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "no-store")
	var text strings.Builder
	lines := wrap(brief(label), lineLength)
	for i, line := range lines {
		fmt.Fprintf(&text, `<text x="160" y="%d" font-size="20">%s</text>`,
			190+26*i, html.EscapeString(line))
	}
	fmt.Fprintf(w, tileSVG, html.EscapeString(strings.ToUpper(kind)), text.String())
}

// tileSVG is a grey square, legible on light and dark pages.
const tileSVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 320" width="320" height="320">` +
	`<rect width="320" height="320" fill="#7a7d85"/>` +
	`<g fill="#fff" text-anchor="middle" font-family="system-ui,sans-serif">` +
	`<text x="160" y="140" font-size="36" font-weight="600">%s</text>%s</g></svg>`

// wrap breaks text into at most five lines.
func wrap(text string, length int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) <= length:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	lines = append(lines, line)
	return lines[:min(len(lines), 5)]
}
