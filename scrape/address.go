// address.go reads an address and gives it its one form, by which it is judged, asked for and kept.

package scrape

import (
	"cmp"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// maxURL is the length of the longest address that is fetched, in bytes.
const maxURL = 4096

// Canonical returns the spelling of url under which Fetch asks for it and the cache keeps it: host in
// lower case, no fragment, no dot segments. The error is why Fetch would refuse it unseen; it wraps
// [ErrURL] or [ErrScheme].
func Canonical(url string) (string, error) {
	u, err := parseURL(url)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}

// parseURL returns the canonical form of an address without its fragment, or why it is none.
func parseURL(raw string) (*url.URL, error) {
	if len(raw) > maxURL {
		return nil, failed(raw[:80]+"...", fmt.Errorf("%w: longer than %d bytes", ErrURL, maxURL))
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, failed(fmt.Sprintf("%.200q", raw), fmt.Errorf("%w: malformed", ErrURL))
	}
	if err := checkURL(u); err != nil {
		return nil, failed(u.Redacted(), err)
	}
	if err := canonicalise(u); err != nil {
		return nil, failed(u.Redacted(), err)
	}
	return u, nil
}

func checkURL(u *url.URL) error {
	switch scheme := strings.ToLower(u.Scheme); {
	case scheme == "" && u.Host == "":
		return fmt.Errorf("%w: it must start with http:// or https://", ErrURL)
	case scheme != "http" && scheme != "https":
		return fmt.Errorf("%w, not %s", ErrScheme, scheme)
	case u.Hostname() == "":
		return fmt.Errorf("%w: no host", ErrURL)
	case u.User != nil:
		return fmt.Errorf("%w: it holds a user name; remove it", ErrURL)
	case u.Port() != "" && !isPort(u.Port()):
		return fmt.Errorf("%w: port %s is none of 1 to 65535", ErrURL, u.Port())
	}
	return nil
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

// canonicalise gives the one form to an address that checkURL has seen.
func canonicalise(u *url.URL) error {
	host, err := asciiHost(u)
	if err != nil {
		return err
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(host)
	u.Host = strings.TrimSuffix(strings.TrimSuffix(u.Host, defaultPort(u.Scheme)), ":")
	u.Fragment, u.RawFragment = "", ""
	return removeDots(u)
}

// asciiHost returns host and port with the name as it stands in the DNS: however it was written,
// one host has one robots.txt, one pace and one place in the cache.
func asciiHost(u *url.URL) (string, error) {
	if isASCII(u.Host) {
		return u.Host, nil
	}
	name, err := idna.Lookup.ToASCII(u.Hostname())
	if err != nil || name == "" {
		return "", fmt.Errorf("%w: %q is not a host name", ErrURL, u.Hostname())
	}
	return name + strings.TrimSuffix(":"+u.Port(), ":"), nil
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return ":443"
	}
	return ":80"
}

// removeDots resolves the dot segments of a path, as browsers do. Hosts resolve them too, so with
// them an address would name a page that its robots.txt and the cache know by another path. All
// other percent-encodings stay as they are written.
func removeDots(u *url.URL) error {
	written := u.EscapedPath()
	plain := withoutDots(cmp.Or(written, "/"))
	if plain == written {
		return nil
	}
	path, err := url.PathUnescape(plain)
	if err != nil {
		return fmt.Errorf("%w: malformed", ErrURL)
	}
	u.Path, u.RawPath = path, plain
	return nil
}

// withoutDots is removeDots for an escaped path, which begins with a slash.
func withoutDots(path string) string {
	var kept []string
	segments := strings.Split(path, "/")[1:]
	for i, segment := range segments {
		dots := countDots(segment)
		if dots == 2 {
			kept = kept[:max(0, len(kept)-1)]
		}
		switch {
		case dots == 0:
			kept = append(kept, segment)
		case i == len(segments)-1: // what a dot segment ends is a folder
			kept = append(kept, "")
		}
	}
	return "/" + strings.Join(kept, "/")
}

// countDots returns 1 for the segment of this folder, 2 for that of the folder above, 0 for others.
// A dot may be written as %2e (WHATWG URL, section 4.1).
func countDots(segment string) int {
	switch strings.ReplaceAll(strings.ToLower(segment), "%2e", ".") {
	case ".":
		return 1
	case "..":
		return 2
	}
	return 0
}

// origin returns scheme, host and port of a canonical address.
func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }
