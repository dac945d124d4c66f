// watch_other.go is for systems where nobody here knows which file systems are remote.

//go:build !linux

package gallery

// tellsNothing tells whether nobody tells of changes in the folder at path: better not to rely on it.
func tellsNothing(string) bool { return true }
