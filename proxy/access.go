// access.go writes a request as a line of the access log.

package proxy

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/larder-go/larder/httpcache"
)

// access is what the log says of a request.
type access struct {
	request *http.Request // as the client sent it; read only
	client  netip.Addr
	began   time.Time
	took    time.Duration
	code    int
	bytes   int64 // of the body
	result  httpcache.Result
}

// format appends a request as a line.
type format func([]byte, *access) []byte

// formatOf returns the format of a name that check accepts.
func formatOf(name string) format {
	switch name {
	case formatCommon:
		return appendCommon
	case formatJSON:
		return appendJSON
	}
	return appendCombined
}

// appendCommon appends the NCSA common format, and behind it the outcome and the seconds:
//
//	192.0.2.1 - - [21/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 512 hit 0.000104
//
// The user is never named: who sends a password may not want to find it here.
func appendCommon(b []byte, a *access) []byte {
	return append(appendEnd(appendNCSA(b, a), a), '\n')
}

// appendCombined appends the same with the fields Referer and User-Agent before the outcome.
func appendCombined(b []byte, a *access) []byte {
	b = appendNCSA(b, a)
	b = appendQuoted(append(b, ' '), a.request.Referer())
	b = appendQuoted(append(b, ' '), a.request.UserAgent())
	return append(appendEnd(b, a), '\n')
}

func appendNCSA(b []byte, a *access) []byte {
	b = appendAddr(b, a.client)
	b = append(b, " - - ["...)
	b = a.began.AppendFormat(b, "02/Jan/2006:15:04:05 -0700")
	b = append(b, "] \""...)
	b = appendEscaped(b, a.request.Method)
	b = appendEscaped(append(b, ' '), a.request.RequestURI)
	b = appendEscaped(append(b, ' '), a.request.Proto)
	b = strconv.AppendInt(append(b, "\" "...), int64(a.code), 10)
	return strconv.AppendInt(append(b, ' '), a.bytes, 10)
}

func appendEnd(b []byte, a *access) []byte {
	b = append(append(b, ' '), a.result.Outcome.String()...)
	return strconv.AppendFloat(append(b, ' '), a.took.Seconds(), 'f', 6, 64)
}

func appendAddr(b []byte, a netip.Addr) []byte {
	if !a.IsValid() {
		return append(b, '-')
	}
	return a.AppendTo(b)
}

// appendQuoted appends text in quotes, - if it is empty.
func appendQuoted(b []byte, text string) []byte {
	if text == "" {
		text = "-"
	}
	return append(appendEscaped(append(b, '"'), text), '"')
}

// appendEscaped appends text so that it can end neither its quotes nor its line, nor tell a
// terminal what to do: what is not printable becomes \xHH.
func appendEscaped(b []byte, text string) []byte {
	const hex = "0123456789abcdef"
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c >= utf8.RuneSelf || c == 0x7f:
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return b
}

// appendJSON appends an object as log/slog writes it.
func appendJSON(b []byte, a *access) []byte {
	out := appending(b)
	record := slog.NewRecord(a.began, slog.LevelInfo, "request", 0)
	record.AddAttrs(
		slog.String("client", string(appendAddr(nil, a.client))),
		slog.String("method", a.request.Method),
		slog.String("host", a.request.Host),
		slog.String("url", a.request.RequestURI),
		slog.String("proto", a.request.Proto),
		slog.Int("status", a.code),
		slog.Int64("bytes", a.bytes),
		slog.Float64("seconds", a.took.Seconds()),
		slog.String("cache", a.result.Outcome.String()),
		slog.String("reason", a.result.Reason),
		slog.String("referer", a.request.Referer()),
		slog.String("user_agent", a.request.UserAgent()),
	)
	_ = slog.NewJSONHandler(&out, nil).Handle(context.Background(), record) // never fails
	return out
}

// appending is a slice to write to.
type appending []byte

func (b *appending) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}

// spareLines are the memory of lines that were written.
var spareLines = sync.Pool{New: func() any { return new([]byte) }}
