// accept.go reads Accept-Encoding (RFC 9110 section 12.5.3).

package contentcoding

import (
	"slices"
	"strconv"
	"strings"
)

const (
	// maxOffered is how many codings can be offered: twice as many as are registered and in use.
	maxOffered = 8
	// maxAccept and maxMembers bound the field, in bytes and in codings. Browsers send under 40
	// bytes and 5 codings.
	maxAccept  = 1 << 10
	maxMembers = 32
)

// Choose returns which of the offered codings to send to a client with these lines of
// Accept-Encoding, or "" for the identity form. It is the one of the highest q value, and of
// several the first that is offered. Identity is chosen where the client prefers it or accepts
// nothing that is offered; where there is no such field, since then nobody said what the client
// reads; and where the field is too long to be meant. It is chosen even if the client refuses it:
// a cache has nothing better (RFC 9110 section 12.5.3 asks for the same).
//
// At most 8 codings may be offered; more panic. It does not allocate.
func Choose(acceptEncoding, offered []string) string {
	var room [maxOffered]int
	if ranked := rank(room[:0], acceptEncoding, offered); len(ranked) > 0 {
		return offered[ranked[0]]
	}
	return ""
}

// Normal returns Accept-Encoding in a form that is the same for all clients that Choose treats
// alike, whichever of the offered codings there will be: "gzip, br" and
// "BR;q=0.9,gzip;q=0.8,compress" are both "br, gzip" if offered is br and gzip. It is a valid value
// of the field, for a variant's selector as for a request to the origin: "identity" if nothing else
// is accepted.
//
// Q values are written only where a client prefers another order than that of offered.
func Normal(acceptEncoding, offered []string) string {
	var room [maxOffered]int
	ranked := rank(room[:0], acceptEncoding, offered)
	if len(ranked) == 0 {
		return Identity
	}
	out := make([]byte, 0, 64)
	q := 10
	for i, at := range ranked {
		switch {
		case i == 0:
			out = append(out, offered[at]...)
			continue
		case at < ranked[i-1]: // against the order of offered
			q--
		}
		out = append(append(out, ", "...), offered[at]...)
		if q < 10 {
			out = strconv.AppendInt(append(out, ";q=0."...), int64(q), 10)
		}
	}
	return string(out)
}

// rank appends to dst the indices of the offered codings that a client accepts at least as gladly
// as identity, in the order in which it likes them.
func rank(dst []int, lines, offered []string) []int {
	w, ok := weigh(lines, offered)
	if !ok {
		return dst
	}
	for i := range offered {
		q := w.of[i]
		if q == unsaid {
			q = w.others
		}
		if w.of[i] = q; q > 0 && q >= w.identity {
			dst = append(dst, i)
		}
	}
	slices.SortStableFunc(dst, func(a, b int) int { return int(w.of[b]) - int(w.of[a]) })
	return dst
}

// unsaid is the weight of a coding that the field does not name.
const unsaid = -1

// weights are what a field says of the codings, in thousandths.
type weights struct {
	of               [maxOffered]int16 // by index in offered
	identity, others int16
}

// weigh reads the field. It returns false where it is longer than anybody means.
func weigh(lines, offered []string) (w weights, ok bool) {
	if len(offered) > maxOffered {
		panic("contentcoding: more than 8 codings offered")
	}
	for i := range w.of {
		w.of[i] = unsaid
	}
	w.identity, w.others = unsaid, unsaid
	size, members := 0, 0
	for _, line := range lines {
		size += len(line)
		for more := true; more; members++ {
			if size > maxAccept || members >= maxMembers {
				return w, false
			}
			var member string
			member, line, more = strings.Cut(line, ",")
			w.add(member, offered)
		}
	}
	return w, true
}

// add notes one member of the list. Of a coding that is named twice the first counts.
func (w *weights) add(member string, offered []string) {
	name, params, _ := strings.Cut(member, ";")
	name = strings.Trim(name, " \t")
	if len(name) > 2 && strings.EqualFold(name[:2], "x-") {
		name = name[2:] // x-gzip is gzip (RFC 9110 section 8.4.1.3)
	}
	if at := w.find(name, offered); at != nil && *at == unsaid {
		*at = quality(params)
	}
}

// find returns the weight of a coding, or nil if it does not matter.
func (w *weights) find(name string, offered []string) *int16 {
	switch {
	case name == "*":
		return &w.others
	case strings.EqualFold(name, Identity):
		return &w.identity
	}
	for i, coding := range offered {
		if strings.EqualFold(name, coding) {
			return &w.of[i]
		}
	}
	return nil
}

// quality returns the weight in parameters: 1000 if there is none, 0 if it is malformed, since what
// a client has not clearly accepted is not sent.
func quality(params string) int16 {
	for params != "" {
		var param string
		param, params, _ = strings.Cut(params, ";")
		name, value, _ := strings.Cut(param, "=")
		if strings.EqualFold(strings.Trim(name, " \t"), "q") {
			return qvalue(strings.Trim(value, " \t"))
		}
	}
	return 1000
}

// qvalue reads 0, 1 or a number of up to three digits between, in thousandths.
func qvalue(text string) int16 {
	if len(text) == 0 || len(text) > 5 || len(text) > 1 && text[1] != '.' || text[0]|1 != '1' {
		return 0
	}
	q, digit := int16(text[0]-'0')*1000, int16(100)
	for _, c := range []byte(text[min(2, len(text)):]) {
		if c < '0' || c > '9' {
			return 0
		}
		q, digit = q+int16(c-'0')*digit, digit/10
	}
	if q > 1000 {
		return 0
	}
	return q
}
