// host.go reads the Host of a request.

package proxy

import (
	"net/netip"
	"strconv"
	"strings"
)

// isHost reports whether text is a name or an address, maybe with a port, and nothing else (RFC
// 3986, section 3.2.2). Names have letters, digits, dashes, dots and, as they exist, underscores.
func isHost(text string) bool {
	name, port, ok := splitHost(text)
	if !ok || !isPort(port) {
		return false
	}
	if inner, bracketed := strings.CutPrefix(name, "["); bracketed {
		a, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && a.Is6() && a.Zone() == ""
	}
	return isName(name)
}

// splitHost splits a host from its port, which is "" if there is none. It fails on what is
// neither, such as brackets that do not match.
func splitHost(text string) (name, port string, ok bool) {
	end := strings.LastIndexByte(text, ':')
	if strings.HasPrefix(text, "[") {
		closing := strings.IndexByte(text, ']')
		if closing < 0 || closing+1 < len(text) && text[closing+1] != ':' {
			return "", "", false
		}
		if end < closing {
			end = -1
		}
	}
	if end < 0 {
		return text, "", true
	}
	return text[:end], text[end+1:], true
}

func isPort(text string) bool {
	if text == "" {
		return true
	}
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

func isName(text string) bool {
	if text == "" || len(text) > 253 || text[0] == '.' || strings.Contains(text, "..") {
		return false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '.', c == '_':
		default:
			return false
		}
	}
	return true
}

// isSiteHost reports whether text can be the host of a site: a name without port, or *. and a name.
func isSiteHost(text string) bool {
	name, _ := strings.CutPrefix(text, "*.")
	inner, bracketed := strings.CutPrefix(name, "[")
	return isName(name) || bracketed && isHost(name) && strings.HasSuffix(inner, "]")
}

// siteName returns the name of a host that isHost accepts, as sites are called: in lower case,
// without port and without the dot at the end. It allocates only where something is to be changed.
func siteName(host string) string {
	name, _, _ := splitHost(host)
	return strings.ToLower(strings.TrimSuffix(name, "."))
}
