// etag.go gives the encoded forms of a representation ETags of their own.

package contentcoding

import "strings"

// VariantETag returns the ETag of the form of a representation in a coding, where etag is that of
// its identity form. A strong ETag means the same bytes, so that an encoded form must have another
// one (RFC 9110 section 8.8.3.3): "abc" becomes "abc-gzip", inside the quotes. A weak one means the
// same content and holds for every form. Without a coding, or if it is no ETag, etag comes back as
// it is.
//
// Apache and Caddy do it in this way, though Apache does not know again in If-None-Match what it
// made. nginx and HAProxy make the ETag weak instead, which is found again by itself; but then no
// range of the form can be asked for, since If-Range wants a strong one.
func VariantETag(etag, coding string) string {
	if coding == "" || coding == Identity || !isStrong(etag) {
		return etag
	}
	return etag[:len(etag)-1] + "-" + coding + `"`
}

// OriginETag is the inverse of VariantETag: the ETag of the identity form, and the coding of the
// form that etag names, "" for the identity form itself.
//
// A cache that holds the representation does better to compare VariantETag of what it holds with
// If-None-Match: an origin may have ETags of its own that end in -gzip. One that has to ask the
// origin sends what OriginETag returns, which the origin knows, and takes its 304 as one for the
// form that the client has. That is right for an origin of the first kind, too, as it names the
// same state of the representation with and without the ending.
func OriginETag(etag string) (plain, coding string) {
	if !isStrong(etag) {
		return etag, ""
	}
	inside := etag[:len(etag)-1]
	for _, coding := range made {
		if stem, ok := strings.CutSuffix(inside, coding); ok && len(stem) > 1 &&
			stem[len(stem)-1] == '-' {
			return stem[:len(stem)-1] + `"`, coding
		}
	}
	return etag, ""
}

// made are the codings that Encode makes.
var made = []string{Gzip, Brotli, Zstd}

func isStrong(etag string) bool {
	return len(etag) >= 2 && etag[0] == '"' && etag[len(etag)-1] == '"'
}
