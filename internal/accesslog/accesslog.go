// accesslog.go reads a line of an access log.

// Package accesslog reads the access logs of HTTP servers: the common and the combined format, with
// or without the virtual host in front, and JSON, an object a line.
//
// It is for lines that anybody's requests wrote. What comes out is a whole request, or an error.
package accesslog

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// MaxTarget is the length of the longest target that is read, in bytes.
const MaxTarget = 4096

// ErrFormat is returned for a line that is in none of the formats.
var ErrFormat = errors.New("accesslog: not a line of an access log")

// Entry is a request and how it was answered.
type Entry struct {
	Time   time.Time // zero if the line does not say
	Scheme string    // "http", "https", or "" if the line does not say
	Host   string    // with its port unless that is 80 or 443, or "" if the line does not say
	Method string    // as GET
	Target string    // path and query; it begins with a slash
	Status int       // 100 to 999
}

// Parse reads a line without its end. The Entry shares its memory. The error wraps ErrFormat.
func Parse(line string) (Entry, error) {
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, "{") {
		return parseJSON(line)
	}
	return parseCommon(line)
}

func malformed(what string) error { return fmt.Errorf("%w: %s", ErrFormat, what) }

// commonTime is how the common format writes times.
const commonTime = "02/Jan/2006:15:04:05 -0700"

// parseCommon reads
//
//	[host] client identity user [time] "METHOD target protocol" status ...
//
// and leaves out what follows, which in the combined format are bytes, referer and agent.
func parseCommon(line string) (e Entry, err error) {
	who, rest, ok := strings.Cut(line, " [")
	if !ok {
		return Entry{}, malformed("no [time]")
	}
	at, rest, ok := strings.Cut(rest, `] "`)
	if !ok {
		return Entry{}, malformed("no request after the time")
	}
	request, rest, ok := strings.Cut(rest, `" `) // one with a quote in it is refused as escaped
	if !ok {
		return Entry{}, malformed("the request does not end")
	}
	if e.Time, err = time.Parse(commonTime, at); err != nil {
		return Entry{}, malformed("the time is none")
	}
	if host, ok := virtualHost(who); ok {
		e.setHost(host)
	}
	if err := e.setRequest(request); err != nil {
		return Entry{}, err
	}
	status, _, _ := strings.Cut(rest, " ")
	if err := e.setStatus(status); err != nil {
		return Entry{}, err
	}
	return e, nil
}

// virtualHost returns the name in front of the client, if there is one: the client is an address or
// a name of the DNS then, and comes second, where an identity would be, which looks like neither.
func virtualHost(who string) (host string, ok bool) {
	host, rest, _ := strings.Cut(who, " ")
	second, _, _ := strings.Cut(rest, " ")
	return host, strings.ContainsAny(second, ".:")
}

// setHost takes what a log calls the host.
func (e *Entry) setHost(host string) {
	host = strings.ToLower(host)
	name, port := host, ""
	if at := strings.LastIndexByte(host, ':'); at >= 0 {
		name, port = host[:at], host[at+1:]
	}
	switch {
	case strings.ContainsAny(host, "/\\@?# \t\"'<>") || strings.ContainsFunc(host, isControl):
		return // no host at all
	case host == "-" || host == "_": // names of nginx for none
		return
	case port == "443":
		e.Scheme, host = "https", name
	case port == "80":
		e.Scheme, host = "http", name
	}
	e.Host = host
}

// setRequest reads "METHOD target protocol".
func (e *Entry) setRequest(request string) error {
	method, rest, ok := strings.Cut(request, " ")
	if !ok {
		return malformed("the request is not METHOD target protocol")
	}
	target, protocol, _ := strings.Cut(rest, " ")
	if protocol != "" && !strings.HasPrefix(protocol, "HTTP/") {
		return malformed("the request is not METHOD target protocol")
	}
	if err := e.setMethod(method); err != nil {
		return err
	}
	return e.setTarget(target)
}

func (e *Entry) setMethod(method string) error {
	if method == "" || strings.ContainsFunc(method, isNoMethod) {
		return malformed("the method is none")
	}
	e.Method = method
	return nil
}

func isNoMethod(r rune) bool { return (r < 'A' || r > 'Z') && r != '-' }

// setTarget takes a path with its query, or the whole address that a client sends to a proxy. A
// server writes with a backslash what no browser would send.
func (e *Entry) setTarget(target string) error {
	scheme, rest, absolute := strings.Cut(target, "://")
	if absolute && (scheme == "http" || scheme == "https") {
		host, path, _ := strings.Cut(rest, "/")
		e.setHost(host)
		e.Scheme, target = scheme, "/"+path
	}
	switch {
	case len(target) > MaxTarget:
		return malformed("the target is too long")
	case !strings.HasPrefix(target, "/"):
		return malformed("the target is no path")
	case strings.ContainsAny(target, `\" `) || strings.ContainsFunc(target, isControl):
		return malformed("the target holds what no target may")
	}
	e.Target = target
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func (e *Entry) setStatus(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 100 || n > 999 {
		return malformed("the status is none")
	}
	e.Status = n
	return nil
}
