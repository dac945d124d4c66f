// human.go writes sizes, times and untrusted text for people.

package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// formatSize writes n bytes with a binary unit: 64MiB, 1.5KiB, 12B.
func formatSize(n int64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return strconv.FormatInt(n, 10) + "B"
	}
	f, i := float64(n)/1024, 0
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	text := strconv.FormatFloat(f, 'f', 1, 64)
	if f >= 100 {
		text = strconv.FormatFloat(f, 'f', 0, 64)
	}
	return strings.TrimSuffix(text, ".0") + units[i:i+1] + "iB"
}

// formatDuration writes d as the flags read it: 15m, 1h30m, forever.
func formatDuration(d time.Duration) string {
	if d == time.Duration(forever) {
		return "forever"
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = text[:len(text)-2]
	}
	if strings.HasSuffix(text, "h0m") {
		text = text[:len(text)-2]
	}
	return text
}

// formatAge writes d with its largest unit alone: 3s, 12m, 5h, 3d.
func formatAge(d time.Duration) string {
	switch {
	case d < time.Second:
		return "0s"
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + "s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	}
	return strconv.Itoa(int(d/(24*time.Hour))) + "d"
}

// formatCount writes n things: "1 entry", "3 entries".
func formatCount(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// printable escapes what could steer a terminal or break a line: keys and errors hold what a
// command line, a server or a damaged file said.
func printable(text string) string {
	if utf8.ValidString(text) && strings.IndexFunc(text, isControl) < 0 {
		return text
	}
	quoted := strconv.Quote(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

func isControl(r rune) bool { return r != ' ' && !unicode.IsGraphic(r) }

// commandLine writes argv on one line, quoted where a shell would need it, and cut after limit
// bytes.
func commandLine(argv []string, limit int) string {
	words := make([]string, len(argv))
	for i, arg := range argv {
		words[i] = shellWord(arg)
	}
	line := printable(strings.Join(words, " "))
	if len(line) <= limit {
		return line
	}
	for limit > 0 && !utf8.RuneStart(line[limit]) {
		limit--
	}
	return line[:limit] + "…"
}

func shellWord(arg string) string {
	if arg != "" && !strings.ContainsFunc(arg, isShellSpecial) {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}

func isShellSpecial(r rune) bool {
	return r <= ' ' || strings.ContainsRune("\"'`$\\|&;<>()*?[]{}!#~", r)
}
