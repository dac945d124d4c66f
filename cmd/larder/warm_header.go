// warm_header.go reads the fields that warm sends, and makes variants of those that are repeated.

package main

import (
	"net/http"
	"slices"
	"strings"

	"github.com/larder-go/larder"
)

// defaultHeader is what is sent unless a flag says otherwise: the codings are those of browsers, so
// that their variant is warm.
func defaultHeader() http.Header {
	return http.Header{
		"User-Agent": {
			"larder/" + larder.Version() + " (+https://github.com/larder-go/larder)",
		},
		"Accept":          {"*/*"},
		"Accept-Encoding": {"gzip, deflate, br, zstd"},
	}
}

// maxVariants is how many requests one page may become.
const maxVariants = 32

// readVariants returns one header for each combination of the values that fields have; what they do
// not name is as otherwise has it.
func readVariants(fields []string, otherwise http.Header) ([]http.Header, error) {
	var names []string
	values := map[string][]string{}
	for _, field := range fields {
		name, value, err := readField(field)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		values[name] = append(values[name], value)
	}
	variants := []http.Header{otherwise}
	for _, name := range names {
		var more []http.Header
		for _, header := range variants {
			for _, value := range values[name] {
				one := header.Clone()
				one.Set(name, value)
				more = append(more, one)
			}
		}
		if variants = more; len(variants) > maxVariants {
			return nil, usagef("warm: --header: more than %d variants of a page", maxVariants)
		}
	}
	return variants, nil
}

// unsendable are the fields that say how to send a request or what of the page: not those that make
// a variant of it.
var unsendable = []string{
	"Connection", "Content-Length", "Host", "If-Match", "If-Modified-Since", "If-None-Match",
	"If-Range", "If-Unmodified-Since", "Keep-Alive", "Proxy-Connection", "Range", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade",
}

func readField(field string) (name, value string, err error) {
	name, value, ok := strings.Cut(field, ":")
	name, value = http.CanonicalHeaderKey(name), strings.Trim(value, " \t")
	switch {
	case !ok || name == "" || strings.ContainsFunc(name, isNoToken):
		return "", "", usagef("warm: --header %q: not a field: write 'Name: value'", field)
	case strings.ContainsFunc(value, isNoValue):
		return "", "", usagef("warm: --header %q: its value holds what no field may", field)
	case slices.Contains(unsendable, name):
		return "", "", usagef("warm: --header %q: pages are asked for whole, and %s is set by the"+
			" request", field, name)
	}
	return name, value, nil
}

// isNoToken is about the characters of names (RFC 9110 section 5.6.2).
func isNoToken(r rune) bool {
	return isNotAlphanumeric(r) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

func isNoValue(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// differing returns the fields of each variant that tell it from the others, as they were given.
func differing(variants []http.Header) [][]string {
	all := make([][]string, len(variants))
	for i, header := range variants {
		for name := range header {
			isSame := func(other http.Header) bool { return other.Get(name) == header.Get(name) }
			if !allOf(variants, isSame) {
				all[i] = append(all[i], name+": "+header.Get(name))
			}
		}
		slices.Sort(all[i])
	}
	return all
}

func allOf[T any](list []T, is func(T) bool) bool {
	return !slices.ContainsFunc(list, func(v T) bool { return !is(v) })
}
