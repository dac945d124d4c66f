// tags.go reads the names under which responses can be purged together.

package httpcache

import (
	"net/http"
	"slices"
	"strings"
)

// tagsOf returns the surrogate keys of a response with the header h, each once: those of the view
// and those that the response lists, separated by spaces or commas.
func (r rules) tagsOf(h http.Header) []string {
	tags := slices.Clone(r.tags)
	for _, name := range r.tagFields {
		for _, line := range h[http.CanonicalHeaderKey(name)] {
			tags = append(tags, strings.FieldsFunc(line, func(c rune) bool {
				return c == ' ' || c == '\t' || c == ','
			})...)
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}
