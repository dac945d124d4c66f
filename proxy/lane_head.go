// lane_head.go reads the simplest of requests.

package proxy

import (
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// parseHead returns the request that b is, or nil if it is anything but one whole GET or HEAD of
// HTTP/1.1 without a body, on a connection that is to stay, written as RFC 9112 has it to the
// letter. What is nil here is for net/http to judge.
func parseHead(b []byte) *http.Request {
	head, rest, ok := strings.Cut(string(b), "\r\n\r\n")
	if !ok || rest != "" {
		return nil
	}
	line, fields, _ := strings.Cut(head, "\r\n")
	r := parseRequestLine(line)
	if r == nil || !parseFields(r, fields) || r.Host == "" {
		return nil
	}
	return r
}

// parseRequestLine reads "GET /path HTTP/1.1".
func parseRequestLine(line string) *http.Request {
	method, rest, _ := strings.Cut(line, " ")
	target, proto, _ := strings.Cut(rest, " ")
	if method != http.MethodGet && method != http.MethodHead || proto != "HTTP/1.1" ||
		target == "" || target[0] != '/' || !isVisible(target) {
		return nil
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil
	}
	return &http.Request{
		Method: method, URL: u, RequestURI: target,
		Proto: proto, ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody,
	}
}

// isVisible reports whether s has no white space, control characters or bytes beyond ASCII.
func isVisible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// parseFields reads the fields of a head into r, and reports whether all of them are plain.
func parseFields(r *http.Request, fields string) bool {
	n := strings.Count(fields, "\r\n") + 1
	r.Header = make(http.Header, n)
	room := make([]string, 0, n)
	for fields != "" {
		var line string
		line, fields, _ = strings.Cut(fields, "\r\n")
		name, value, ok := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		if !ok || !isPlainName(name) || !isPlainValue(value) {
			return false
		}
		name = textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case name == "Host":
			if r.Host != "" {
				return false
			}
			r.Host = value
		case !staysSimple(name, value):
			return false
		case r.Header[name] != nil:
			r.Header[name] = append(r.Header[name], value)
		default:
			room = append(room, value)
			r.Header[name] = room[len(room)-1 : len(room) : len(room)]
		}
	}
	return true
}

// staysSimple reports whether a field leaves the request without a body and the connection open.
func staysSimple(name, value string) bool {
	switch name {
	case "Content-Length", "Transfer-Encoding", "Trailer", "Te", "Upgrade", "Expect",
		"Proxy-Connection", "Keep-Alive", "Http2-Settings":
		return false
	case "Connection":
		return strings.EqualFold(value, "keep-alive")
	}
	return true
}

// isPlainName reports whether s is a name of letters, digits and hyphens, as names are.
func isPlainName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return s != ""
}

// isPlainValue reports whether s is visible ASCII, spaces and tabs.
func isPlainValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return true
}
