// purge.go makes what is kept leave before its time.

package httpcache

// Purge says what is to leave: give exactly one of URL, Prefix, Tag and All.
type Purge struct {
	// URL is the URL of a response, as clients ask for it: http://example.com/a?b=c. All its variants
	// leave.
	URL string
	// Prefix is the beginning of such URLs, at least scheme and host.
	Prefix string
	// Tag is a surrogate key.
	Tag string
	// All is everything.
	All bool
	// Soft lets it stay, stale: it is served while the origin is asked behind, or when the origin is
	// down, as far as its header permits to serve it stale.
	Soft bool
}
