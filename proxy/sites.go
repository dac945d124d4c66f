// sites.go finds the site that a request is for.

package proxy

import (
	"net/http"
	"slices"
	"strings"
)

// site is a Site that can answer.
type site struct {
	host, path string
	origin     *origin
	believing  http.Handler // of what clients say that are trusted proxies
	doubting   http.Handler // of all others
}

// sites are the sites by host, those of a host with the longest path first.
type sites struct {
	exact  map[string][]*site
	below  map[string][]*site // by the name that *. stands before
	others []*site            // of no host in particular
}

func (t *sites) add(s *site) {
	switch name, wild := strings.CutPrefix(s.host, "*."); {
	case s.host == "":
		t.others = withSite(t.others, s)
	case wild:
		t.below[name] = withSite(t.below[name], s)
	default:
		t.exact[s.host] = withSite(t.exact[s.host], s)
	}
}

func withSite(all []*site, s *site) []*site {
	all = append(all, s)
	slices.SortStableFunc(all, func(a, b *site) int { return len(b.path) - len(a.path) })
	return all
}

// find returns the site of a name and a path. An exact name goes before *.name, a longer one of
// those before a shorter one, and any before sites without a host; among the paths of one host the
// longest wins. known reports whether the name has a site at all.
func (t *sites) find(name, path string) (s *site, known bool) {
	if list, ok := t.exact[name]; ok {
		if s = longest(list, path); s != nil {
			return s, true
		}
		known = true
	}
	for rest := name; len(t.below) > 0; {
		var ok bool
		if _, rest, ok = strings.Cut(rest, "."); !ok {
			break
		}
		if list, ok := t.below[rest]; ok {
			if s = longest(list, path); s != nil {
				return s, true
			}
			known = true
		}
	}
	return longest(t.others, path), known || len(t.others) > 0
}

// longest returns the first site of a list that path lies in.
func longest(list []*site, path string) *site {
	for _, s := range list {
		if liesIn(path, s.path) {
			return s
		}
	}
	return nil
}

// liesIn reports whether path is prefix or below it: /api/x is below /api, /apis is not.
func liesIn(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(prefix, "/"))
}

// hasDots reports whether path has a segment . or .., which would let one site reach into another.
func hasDots(path string) bool {
	if !strings.Contains(path, "/.") {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// hostsOf returns the names of a site as they are looked up; one that is "" for none.
func hostsOf(s *Site) []string {
	if len(s.Host) == 0 {
		return []string{""}
	}
	names := make([]string, len(s.Host))
	for i, host := range s.Host {
		names[i] = siteName(host)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// pathOf returns the path of a site without a slash at its end, but for "/".
func pathOf(s *Site) string {
	if path := strings.TrimRight(s.Path, "/"); path != "" {
		return path
	}
	return "/"
}
