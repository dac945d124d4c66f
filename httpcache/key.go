// key.go names the keys of the store under which the responses of a URL are found.

package httpcache

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/larder-go/larder/store"
)

// A key is the URL itself, so that a prefix of a URL is a prefix of its keys. What is added to it
// follows a "#", which no URL without a fragment contains.
const (
	maxURLKey   = store.MaxKey - 64 - maxRest // leaves room for a variant or body behind it
	maxRest     = 1024                        // bytes of what is not the URL
	hashedStart = 1024                        // bytes of a longer URL that stand before its hash
)

// keyOf returns the key of u as requested by req: its scheme and host in lower case, no default
// port, no user, no fragment, and "/" for an empty path (RFC 9110, section 4.2.3). A Host of the
// caller's own that differs from the URL's is part of the key.
func keyOf(req *http.Request, u *url.URL) string {
	scheme := strings.ToLower(u.Scheme)
	host := hostOf(scheme, u.Host)
	key := scheme + "://" + host + u.RequestURI()
	if req.Host != "" && req.Host != u.Host {
		if own := hostOf(scheme, req.Host); own != host {
			key += "#host=" + own
		}
	}
	return shortKey(key)
}

// shortKey returns key, or a digest of it where that is too long for a store.
func shortKey(key string) string {
	if len(key) <= maxURLKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return key[:hashedStart] + "#sha256=" + hex.EncodeToString(sum[:])
}

// shortRest returns what follows the URL in a key, or a digest of it where that is too long.
func shortRest(rest string) string {
	if len(rest) <= maxRest {
		return rest
	}
	sum := sha256.Sum256([]byte(rest))
	return "#rest=" + hex.EncodeToString(sum[:])
}

// hostOf returns host in lower case without the default port of scheme.
func hostOf(scheme, host string) string {
	host = lower(host)
	switch scheme {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	return strings.TrimSuffix(host, ":")
}

// lower returns s with ASCII letters in lower case: hosts have no others, and one that looks like an
// ASCII letter in another case is none.
func lower(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			return strings.Map(func(c rune) rune {
				if 'A' <= c && c <= 'Z' {
					c += 'a' - 'A'
				}
				return c
			}, s)
		}
	}
	return s
}

// variantKey is where a variant of key lies that is not the primary one. A URL has at most 65,536
// of them besides: those whose selectors begin with the same two bytes replace each other. The
// generation is drawn anew with each primary response, so whoever deletes that one is rid of its
// variants.
func variantKey(key string, generation uint64, sel selector) string {
	return key + "#vary=" + strconv.FormatUint(generation, 16) + "." + hex.EncodeToString(sel[:2])
}

// bodyMark is in the keys of bodies, and in no other.
const bodyMark = "#body="

// bodyKey is where a body lies that is too large for its envelope.
func bodyKey(key string, id uint64) string {
	return key + bodyMark + strconv.FormatUint(id, 16)
}
