// log.go reads the access logs of nginx and Apache: common, combined, with or without the virtual
// host in front.

package trace

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// The fields of a log, in the order of logFields.
const (
	fieldHost    = iota // the virtual host, if the log begins with it, or that of the request
	fieldClient         // who asked
	fieldUser           // as whom
	fieldMethod         // GET
	fieldURL            // path and query
	fieldPath           // up to the question mark
	fieldQuery          // from the question mark on, empty if there is none
	fieldStatus         // 200
	fieldReferer        // of the combined format
	fieldAgent          // of the combined format
	fieldCount
)

// errLogSize refuses a column where the bytes of a line have their place.
var errLogSize = fmt.Errorf("%w: the size in a log is its bytes; a size column is for CSV", ErrKey)

const logFields = "host, client, user, method, url, path, query, status, referer, agent"

// defaultLogKey is what an HTTP cache takes: the host, if the log knows it, path and query.
const defaultLogKey = "{host}{url}"

// logLine is a line of a log. The fields point into it.
type logLine struct {
	fields [fieldCount][]byte
	bytes  uint64
	known  bool   // bytes is the size of the whole answer
	rest   []byte // what follows the bytes
}

func isLog(line []byte) bool {
	var l logLine
	return l.parse(line) == ""
}

// parse reads a line, or says what is wrong with it:
//
//	[vhost] client ident user [time] "METHOD target protocol" status bytes ["referer" "agent"]
func (l *logLine) parse(line []byte) (bad string) {
	*l = logLine{}
	who, rest, ok := bytes.Cut(line, []byte(" ["))
	if !ok {
		return "no [time]"
	}
	if bad := l.parseWho(who); bad != "" {
		return bad
	}
	_, rest, ok = bytes.Cut(rest, []byte(`] "`))
	if !ok {
		return "no request after [time]"
	}
	request, rest, ok := cutQuoted(rest)
	if !ok {
		return "the request does not end"
	}
	if bad := l.parseRequest(request); bad != "" {
		return bad
	}
	return l.parseAnswer(rest)
}

func (l *logLine) parseWho(who []byte) (bad string) {
	first, rest, _ := bytes.Cut(who, []byte(" "))
	second, rest, _ := bytes.Cut(rest, []byte(" "))
	if bytes.ContainsAny(second, ".:") { // two names in front: an identity looks like neither
		l.fields[fieldHost] = first
		first = second
		_, rest, _ = bytes.Cut(rest, []byte(" "))
	}
	if len(first) == 0 || len(rest) == 0 {
		return "no client, identity and user"
	}
	l.fields[fieldClient], l.fields[fieldUser] = first, rest
	return ""
}

func (l *logLine) parseRequest(request []byte) (bad string) {
	method, rest, ok := bytes.Cut(request, []byte(" "))
	if !ok || !isMethod(method) {
		return "the request is not METHOD target protocol"
	}
	target := rest
	if at := bytes.LastIndex(rest, []byte(" HTTP/")); at >= 0 {
		target = rest[:at]
	}
	if host, path, ok := absolute(target); ok {
		l.fields[fieldHost], target = host, path
	}
	if len(target) == 0 {
		return "the request has no target"
	}
	l.fields[fieldMethod], l.fields[fieldURL] = method, target
	l.fields[fieldPath] = target
	if at := bytes.IndexByte(target, '?'); at >= 0 {
		l.fields[fieldPath], l.fields[fieldQuery] = target[:at], target[at:]
	}
	return ""
}

// isMethod says whether a word is letters in upper case, as all methods of HTTP are.
func isMethod(word []byte) bool {
	for _, c := range word {
		if (c < 'A' || c > 'Z') && c != '-' {
			return false
		}
	}
	return len(word) > 0
}

// absolute splits http://host/path, which proxies log.
func absolute(target []byte) (host, path []byte, ok bool) {
	scheme, rest, ok := bytes.Cut(target, []byte("://"))
	if !ok || string(scheme) != "http" && string(scheme) != "https" {
		return nil, nil, false
	}
	if at := bytes.IndexByte(rest, '/'); at >= 0 {
		return rest[:at], rest[at:], true
	}
	return rest, []byte("/"), true
}

func (l *logLine) parseAnswer(rest []byte) (bad string) {
	rest = bytes.TrimPrefix(rest, []byte(" "))
	status, rest, _ := bytes.Cut(rest, []byte(" "))
	if len(status) != 3 || !isNumber(status) {
		return "no status after the request"
	}
	size, rest, _ := bytes.Cut(rest, []byte(" "))
	n, err := strconv.ParseUint(string(size), 10, 64)
	if err != nil && string(size) != "-" {
		return "no bytes after the status"
	}
	l.fields[fieldStatus], l.bytes = status, n
	l.known = string(status) == "200" && string(l.fields[fieldMethod]) == "GET"
	l.rest = rest
	return ""
}

// parseRest reads the fields that few keys need.
func (l *logLine) parseRest() {
	if _, after, ok := bytes.Cut(l.rest, []byte(`"`)); ok {
		l.fields[fieldReferer], l.rest, _ = cutQuoted(after)
	}
	if _, after, ok := bytes.Cut(l.rest, []byte(`"`)); ok {
		l.fields[fieldAgent], l.rest, _ = cutQuoted(after)
	}
}

// cutQuoted returns what is before the closing quote and what is after it. A backslash escapes.
func cutQuoted(text []byte) (inside, rest []byte, ok bool) {
	for at := 0; ; at++ {
		next := bytes.IndexByte(text[at:], '"')
		if next < 0 {
			return text, nil, false
		}
		at += next
		if before := text[:at]; (at-len(bytes.TrimRight(before, `\`)))%2 == 0 {
			return before, text[at+1:], true
		}
	}
}

// logReader is what readLog keeps between lines.
type logReader struct {
	*builder
	key   bound
	all   bool // methods too that change something
	more  bool // the key needs what parseRest reads
	line  logLine
	buf   []byte
	sizes []uint32 // the last size that was known of each key
}

// readLog reads the requests of a log that a cache could answer: GET and HEAD, or all if the
// method is part of the key.
func readLog(b *builder) error {
	text := b.o.Key
	if text == "" {
		text = defaultLogKey
	}
	t, err := parseTemplate(text)
	if err != nil {
		return err
	}
	names := columns(strings.Split(logFields, ", "))
	r := logReader{builder: b, all: t.has("method"), more: t.has("referer") || t.has("agent")}
	if r.key, err = t.bind(names.find, logFields); err != nil {
		return err
	}
	if b.o.SizeColumn != "" {
		return errLogSize
	}
	return b.each(r.request)
}

func (r *logReader) request(line []byte) (bad string, err error) {
	if bad := r.line.parse(line); bad != "" {
		return bad, nil
	}
	if !r.all && !r.reads() {
		return "", nil
	}
	if r.more {
		r.line.parseRest()
	}
	var ok bool
	if r.buf, ok = r.key.fill(r.buf[:0], r.line.fields[:]); !ok {
		return "the key is empty", nil
	}
	if err := r.access(r.buf); err != nil {
		return "", err
	}
	r.size(r.sizeOf(r.t.Keys[len(r.t.Keys)-1]))
	return "", nil
}

// reads counts the requests that do not read, and says whether this one does.
func (r *logReader) reads() bool {
	switch string(r.line.fields[fieldMethod]) {
	case "GET", "HEAD":
		return true
	case "POST", "PUT", "PATCH", "DELETE":
		r.t.Writes++
	default:
		r.t.Skipped++
	}
	return false
}

// sizeOf returns the size of a key: that of the last whole answer, since a 304, a 206 or a HEAD
// says nothing of it.
func (r *logReader) sizeOf(key uint32) uint64 {
	for len(r.sizes) <= int(key) {
		r.sizes = append(r.sizes, 0)
	}
	if r.line.known || r.sizes[key] == 0 {
		r.sizes[key] = uint32(min(r.line.bytes, 1<<32-1))
	}
	return uint64(r.sizes[key])
}
