// top_keys.go turns what a terminal sends into keys.

package main

import "strings"

// press is a key that means something.
type press int

const (
	noPress press = iota
	pressUp
	pressDown
	pressPageUp
	pressPageDown
	pressFirst
	pressLast
	pressOpen
	pressBack
	pressSort
	pressHelp
	pressEnd
)

// presses are what terminals send for keys. Arrows begin with ESC [, in application mode with
// ESC O.
var presses = map[string]press{
	"\x1b[A": pressUp, "\x1bOA": pressUp, "k": pressUp,
	"\x1b[B": pressDown, "\x1bOB": pressDown, "j": pressDown,
	"\x1b[C": pressOpen, "\x1bOC": pressOpen, "\r": pressOpen, "\n": pressOpen,
	"\x1b[D": pressBack, "\x1bOD": pressBack, "\x1b": pressBack, "\x7f": pressBack, "\b": pressBack,
	"\x1b[5~": pressPageUp, "b": pressPageUp,
	"\x1b[6~": pressPageDown, " ": pressPageDown,
	"\x1b[H": pressFirst, "\x1bOH": pressFirst, "\x1b[1~": pressFirst, "g": pressFirst,
	"\x1b[F": pressLast, "\x1bOF": pressLast, "\x1b[4~": pressLast, "G": pressLast,
	"s": pressSort, "?": pressHelp, "h": pressHelp, "q": pressEnd, "\x03": pressEnd, "\x04": pressEnd,
}

// nextPress takes a key off what was read. more says that text may be the beginning of a longer one:
// a lone ESC is a key only if nothing follows.
func nextPress(text string) (p press, rest string, more bool) {
	if !strings.HasPrefix(text, "\x1b") {
		return presses[text[:1]], text[1:], false
	}
	if len(text) == 1 || text == "\x1b[" || text == "\x1bO" {
		return presses["\x1b"], "", true
	}
	end := sequenceEnd(text)
	if end == 0 {
		return noPress, "", true
	}
	return presses[text[:end]], text[end:], false
}

// sequenceEnd returns where the escape sequence ends that text begins with, 0 if it does not yet
// (ECMA-48, section 5.4).
func sequenceEnd(text string) int {
	switch text[1] {
	case 'O':
		return 3
	case '[':
		for i := 2; i < len(text); i++ {
			if '@' <= text[i] && text[i] <= '~' {
				return i + 1
			}
		}
		return 0
	}
	return 1 // ESC, and then another key
}
