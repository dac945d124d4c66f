// cachestatus.go writes and reads Cache-Status, in which each cache says what it did.

package httpcache

import "net/http"

// cacheStatus is a member of Cache-Status: what one cache did for one request (RFC 9211, section
// 2). What is zero is left out.
type cacheStatus struct {
	name string // of the cache
	hit  bool   // answered without going forward
	// forward is why the request went on towards the origin, one of bypass, method, uri-miss,
	// vary-miss, miss, request, stale and partial, or what another cache wrote; "" after a hit.
	forward   string
	status    int    // that came back, where it is not that of the response; or 0
	hasTTL    bool   // ttl is known
	ttl       int64  // seconds for which the response is still fresh; negative if it is stale
	stored    bool   // the response was stored
	collapsed bool   // another request had asked for it already
	key       string // under which it is stored
	detail    reason // anything else
}

// append appends s as a member of the list. It allocates nothing if buf has room.
func (s cacheStatus) append(buf []byte) []byte {
	buf = appendSFWord(buf, s.name)
	if s.hit {
		buf = append(buf, "; hit"...)
	} else if s.forward != "" {
		buf = appendSFWord(append(buf, "; fwd="...), s.forward)
	}
	if s.status != 0 {
		buf = appendSFInteger(append(buf, "; fwd-status="...), int64(s.status))
	}
	if s.hasTTL {
		buf = appendSFInteger(append(buf, "; ttl="...), s.ttl)
	}
	if s.stored {
		buf = append(buf, "; stored"...)
	}
	if s.collapsed {
		buf = append(buf, "; collapsed"...)
	}
	if s.key != "" {
		buf = appendSFString(append(buf, "; key="...), s.key)
	}
	if s.detail != "" {
		buf = appendSFWord(append(buf, "; detail="...), string(s.detail))
	}
	return buf
}

// String returns s as a member of the list.
func (s cacheStatus) String() string {
	var room [128]byte
	return string(s.append(room[:0]))
}

// addTo puts s at the end of the list in h: the cache next to the client comes last (RFC 9211,
// section 2). The lines that are there already are not changed, since others may share them.
func (s cacheStatus) addTo(h http.Header) {
	old := h["Cache-Status"]
	if len(old) == 0 {
		h["Cache-Status"] = []string{s.String()}
		return
	}
	h["Cache-Status"] = append(old[:len(old):len(old)], s.String())
}

// parseCacheStatus reads the lines of a Cache-Status field, that of the cache next to the origin
// first. Members that name no cache and parameters of a wrong type are left out; ok is false if
// the field is not a List at all.
func parseCacheStatus(lines []string) (all []cacheStatus, ok bool) {
	list, ok := structuredList(lines)
	for _, m := range list {
		if m.kind != sfString && m.kind != sfToken {
			continue
		}
		s := cacheStatus{name: m.text}
		for _, p := range m.params {
			s.set(p.key, p.value)
		}
		all = append(all, s)
	}
	return all, ok
}

// set notes a parameter.
func (s *cacheStatus) set(key string, v sfValue) {
	switch v.kind {
	case sfBoolean:
		s.setFlag(key, v.isTrue())
	case sfInteger:
		s.setNumber(key, v.number)
	case sfToken, sfString:
		s.setText(key, v)
	}
}

func (s *cacheStatus) setFlag(key string, set bool) {
	switch key {
	case "hit":
		s.hit = set
	case "stored":
		s.stored = set
	case "collapsed":
		s.collapsed = set
	}
}

func (s *cacheStatus) setNumber(key string, n int64) {
	switch {
	case key == "ttl":
		s.ttl, s.hasTTL = n, true
	case key == "fwd-status" && 100 <= n && n <= 999:
		s.status = int(n)
	}
}

func (s *cacheStatus) setText(key string, v sfValue) {
	switch {
	case key == "fwd" && v.kind == sfToken:
		s.forward = v.text
	case key == "key" && v.kind == sfString:
		s.key = v.text
	case key == "detail":
		s.detail = reason(v.text)
	}
}
