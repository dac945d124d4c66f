// charset.go finds the encoding of a page the way browsers do.

package scrape

import (
	"bytes"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
)

const byteOrderMark = "\ufeff"

// toUTF8 returns body as UTF-8: body itself where it is that already. It follows the WHATWG order
// of evidence. One guess is better than theirs: what is valid UTF-8 as a whole is not taken for
// windows-1252 because its first kilobyte is plain ASCII.
func toUTF8(body []byte, contentType string) []byte {
	if isUTF8(contentType) && !isUTF16(body) {
		return validUTF8(body)
	}
	enc, name, certain := charset.DetermineEncoding(body, contentType)
	switch {
	case name == "utf-8":
		return validUTF8(body)
	case name == "windows-1252" && !certain && utf8.Valid(body):
		return validUTF8(body)
	}
	text, err := enc.NewDecoder().Bytes(body)
	if err != nil {
		text = body
	}
	return validUTF8(text)
}

// validUTF8 returns text without a byte order mark, its invalid bytes replaced.
func validUTF8(text []byte) []byte {
	text = bytes.TrimPrefix(text, []byte(byteOrderMark))
	if utf8.Valid(text) {
		return text
	}
	return bytes.ToValidUTF8(text, []byte(string(utf8.RuneError)))
}

// isUTF8 reports whether a Content-Type says so.
func isUTF8(contentType string) bool {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	label := strings.ToLower(strings.TrimSpace(params["charset"]))
	return label == "utf-8" || label == "utf8"
}

// isUTF16 reports whether body starts with a byte order mark that outdoes a Content-Type.
func isUTF16(body []byte) bool {
	return bytes.HasPrefix(body, []byte{0xfe, 0xff}) || bytes.HasPrefix(body, []byte{0xff, 0xfe})
}
