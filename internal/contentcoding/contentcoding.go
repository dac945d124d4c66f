// contentcoding.go names the codings, and what is worth to be encoded with them.

// Package contentcoding encodes bodies for HTTP (RFC 9110 section 8.4): it chooses the coding that
// a client reads, makes the encoded form and the ETag that goes with it, and undoes all that.
//
// All functions are safe for concurrent use. Names of codings that come from headers are compared
// without case; those that a program passes are written as the constants are.
package contentcoding

import (
	"errors"
	"strings"
)

// The codings that [Encode] makes.
const (
	Gzip   = "gzip" // RFC 1952
	Brotli = "br"   // RFC 7932
	Zstd   = "zstd" // RFC 8878, with windows of 8 MiB at most (RFC 9659)
)

// Deflate is zlib (RFC 1950). It is read, not made: half of the servers sent it without the zlib
// frame, so no client prefers it.
const Deflate = "deflate"

// Identity is the name of no coding. Functions of this package return "" for it.
const Identity = "identity"

var (
	// ErrCoding is returned for a coding that is not known.
	ErrCoding = errors.New("contentcoding: unknown coding")
	// ErrTooLarge is returned for a body that decodes to more bytes than the limit allows.
	ErrTooLarge = errors.New("contentcoding: decodes to more than the limit")
)

// Worth tells whether an encoded form of after bytes is to be kept where the identity form has
// before bytes. It must save an eighth: a form that saves less costs the cache nearly the weight of
// the identity form once more, and each client the decoding, for a transfer that nobody feels to be
// quicker. And it must save 128 bytes: Content-Encoding, Vary and the longer ETag take some 60 of
// them back.
func Worth(before, after int) bool {
	return before-after >= max(before/8, 128)
}

// Compressible tells whether a body of a media type is likely to get smaller: text, what is text
// under another name, fonts and code that are not compressed by their own format. Parameters and
// case do not matter. Not so text/event-stream, whose events must not wait for an encoder.
func Compressible(contentType string) bool {
	mediaType, _, _ := strings.Cut(contentType, ";")
	mediaType = strings.Trim(mediaType, " \t")
	kind, subtype, ok := strings.Cut(mediaType, "/")
	switch {
	case !ok || subtype == "" || strings.EqualFold(mediaType, "text/event-stream"):
		return false
	case strings.EqualFold(kind, "text"):
		return true
	case hasSuffixFold(subtype, "+json"), hasSuffixFold(subtype, "+xml"):
		return true
	}
	return containsFold(compressible, mediaType)
}

// compressible are types that neither begin with text nor end in +json or +xml. The fonts are those
// without a compression of their own, which WOFF and WOFF2 have.
var compressible = []string{
	"application/json", "application/javascript", "application/xml", "application/wasm",
	"application/x-javascript", "application/ecmascript", "application/x-ndjson",
	"application/yaml", "application/toml", "application/sql", "application/rtf",
	"application/graphql", "application/xml-dtd", "application/json5", "application/jsonl",
	"application/vnd.ms-fontobject", "application/x-font-ttf", "application/x-font-otf",
	"font/ttf", "font/otf", "font/sfnt", "font/collection",
}

func containsFold(list []string, name string) bool {
	for _, known := range list {
		if strings.EqualFold(known, name) {
			return true
		}
	}
	return false
}

func hasSuffixFold(text, suffix string) bool {
	return len(text) >= len(suffix) && strings.EqualFold(text[len(text)-len(suffix):], suffix)
}
