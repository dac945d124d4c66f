// seen.go remembers which pictures somebody has looked at lately.

package gallery

import (
	"sync"
	"time"
)

// lately is how long a picture that was listed counts as seen.
const lately = time.Minute

// seen is a set of pictures that forgets. The zero value is empty.
type seen struct {
	mu sync.Mutex // guards at
	at map[*picture]time.Time
}

// note adds p.
func (s *seen) note(p *picture) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at == nil {
		s.at = map[*picture]time.Time{}
	}
	s.at[p] = time.Now()
}

// lately returns what was added lately, and forgets the rest.
func (s *seen) lately() (all []*picture) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p, at := range s.at {
		if time.Since(at) > lately {
			delete(s.at, p)
		} else {
			all = append(all, p)
		}
	}
	return all
}
