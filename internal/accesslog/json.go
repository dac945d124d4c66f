// json.go reads the lines of servers that log in JSON, by whichever names they give to things.

package accesslog

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// The names of each field in the order in which they are believed, in lower case: those of Caddy,
// Traefik, Envoy, and of the usual templates for nginx and Apache.
var (
	namesOfTime = []string{
		"time", "timestamp", "@timestamp", "ts", "time_iso8601", "time_local", "starttime",
		"start_time", "startutc", "date", "msec",
	}
	namesOfScheme = []string{"scheme", "request_scheme", "requestscheme"}
	namesOfHost   = []string{
		"host", "http_host", "requesthost", "authority", ":authority", "vhost", "server_name",
	}
	namesOfMethod = []string{"method", "request_method", "requestmethod"}
	namesOfTarget = []string{
		"request_uri", "uri", "url", "requestpath", "path", "x-envoy-origin-path",
	}
	namesOfQuery  = []string{"query_string", "args", "query"}
	namesOfStatus = []string{
		"status", "status_code", "downstreamstatus", "response_code", "code",
	}
)

// object is an object of JSON whose names are in lower case.
type object map[string]json.RawMessage

func parseJSON(line string) (e Entry, err error) {
	var o object
	if o, err = readObject([]byte(line)); err != nil {
		return Entry{}, malformed("damaged JSON")
	}
	request := o.text([]string{"request"})
	if inner, err := readObject(o["request"]); err == nil { // as Caddy has it
		for name, value := range inner {
			o[name] = value
		}
	}
	e.Time = o.time()
	e.setHost(o.text(namesOfHost))
	if scheme := o.text(namesOfScheme); scheme == "http" || scheme == "https" {
		e.Scheme = scheme
	}
	if target := o.text(namesOfTarget); target != "" {
		if err = e.setTarget(o.withQuery(target)); err == nil {
			err = e.setMethod(o.text(namesOfMethod))
		}
	} else {
		err = e.setRequest(request)
	}
	if err == nil {
		err = e.setStatus(o.text(namesOfStatus))
	}
	if err != nil {
		return Entry{}, err
	}
	return e, nil
}

func readObject(text []byte) (object, error) {
	var read object
	if err := json.Unmarshal(text, &read); err != nil {
		return nil, err
	}
	o := make(object, len(read))
	for name, value := range read {
		o[strings.ToLower(name)] = value
	}
	return o, nil
}

// text returns the first of the fields that is there, a number as it is written.
func (o object) text(names []string) string {
	for _, name := range names {
		value, ok := o[name]
		if !ok || len(value) == 0 {
			continue
		}
		var text string
		if value[0] == '"' && json.Unmarshal(value, &text) == nil && text != "" {
			return text
		}
		if value[0] == '-' || '0' <= value[0] && value[0] <= '9' {
			return string(value)
		}
	}
	return ""
}

// withQuery adds the query to a path from which the server has cut it.
func (o object) withQuery(target string) string {
	query := strings.TrimPrefix(o.text(namesOfQuery), "?")
	if query == "" || query == "-" || strings.Contains(target, "?") {
		return target
	}
	return target + "?" + query
}

// time returns when the request was, or a zero time.
func (o object) time() time.Time {
	text := o.text(namesOfTime)
	for _, layout := range []string{time.RFC3339Nano, commonTime, time.DateTime} {
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || !(n > 0 && n < 1e16):
		return time.Time{}
	case n > 1e14: // microseconds: as seconds it would be millions of years from now
		n /= 1e6
	case n > 1e11: // milliseconds
		n /= 1e3
	}
	seconds, part := math.Modf(n)
	return time.Unix(int64(seconds), int64(part*1e9)).UTC()
}
