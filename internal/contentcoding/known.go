// known.go tells the codings that everybody uses from those that few do.

package contentcoding

import "strings"

// Usual are the codings that clients of today accept and origins of today send.
var Usual = []string{Brotli, Zstd, Gzip, Deflate}

// Known reports whether lines of Accept-Encoding speak of nothing but usual codings, so that Normal
// of them, with Usual offered, leaves nothing out that an origin might look at. It does not where
// identity is weighed, nor where there are no lines or more than Choose reads.
func Known(lines []string) bool {
	size, members := 0, 0
	for _, line := range lines {
		if size += len(line); size > maxAccept {
			return false
		}
		for member := range strings.SplitSeq(line, ",") {
			name, _, weighed := strings.Cut(member, ";")
			name = strings.ToLower(strings.Trim(name, " \t"))
			if members++; !isUsual(name) || name == Identity && weighed {
				return false
			}
		}
	}
	return members > 0 && members <= maxMembers
}

func isUsual(name string) bool {
	switch name {
	case "", Brotli, Zstd, Gzip, Deflate, Identity:
		return true
	}
	return false
}
