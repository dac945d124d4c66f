// model_test.go is what the fuzz tests compare with.

package browsercache_test

import (
	"io"
	"log"
	"regexp"
	"strings"
)

// tags matches a list of ETags from its begin, as far as it is one.
var tags = regexp.MustCompile("^[ \t,]*((?:W/)?\"[\x21\x23-\x7e\u0080-\u00ff]*\")[ \t]*(,|$)")

var oneTag = regexp.MustCompile("^(W/)?\"[\x21\x23-\x7e\u0080-\u00ff]*\"$")

// latin makes a rune of each byte, since regexp knows no bytes.
func latin(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteRune(rune(c))
	}
	return b.String()
}

func isTag(tag string) bool { return oneTag.MatchString(latin(tag)) }

// lists tells whether a list has a tag, weakly.
func lists(list, tag string) bool {
	list, tag = latin(list), latin(tag)
	for {
		m := tags.FindStringSubmatch(list)
		if m == nil {
			return false
		}
		if strings.TrimPrefix(m[1], "W/") == tag {
			return true
		}
		list = list[len(m[0]):]
	}
}

func newLog(w io.Writer) *log.Logger { return log.New(w, "", 0) }
