// groups.go reads to which groups a response belongs, and which groups one invalidates.

package httpcache

import (
	"net/http"
	"net/url"
	"slices"
)

// Bounds on groups. RFC 9875, sections 2 and 3, asks for 32 of 32 characters at least.
const (
	maxGroups = 128
	maxGroup  = 256 // bytes
)

// groupsOf returns the groups of a response with the header h, sorted, each once (RFC 9875,
// section 2). They are groups of its origin: see groupTag.
func groupsOf(h http.Header) []string { return groupNames(h["Cache-Groups"]) }

// groupsInvalidatedBy returns the groups whose responses are outdated by one to a request of
// method with the header h (RFC 9875, section 3). A safe method invalidates none.
func groupsInvalidatedBy(method string, h http.Header) []string {
	if safe(method) {
		return nil
	}
	return groupNames(h["Cache-Group-Invalidation"])
}

// groupNames reads a List of Strings, whose parameters do not matter. A field with anything else
// in it is ignored as a whole; of too long a one the first groups count, and of its groups those
// that are not too long.
func groupNames(lines []string) []string {
	if len(lines) == 0 {
		return nil
	}
	list, _ := structuredList(lines)
	var names []string
	for _, m := range list {
		if m.kind != sfString {
			return nil
		}
		if len(m.text) <= maxGroup && len(names) < maxGroups {
			names = append(names, m.text)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// groupTag is the tag of a group of the origin of u: those of two origins have nothing to do with
// each other (RFC 9875, section 2.1).
func groupTag(u *url.URL, group string) string {
	return "group " + u.Scheme + "://" + hostOf(u.Scheme, u.Host) + " " + group
}
