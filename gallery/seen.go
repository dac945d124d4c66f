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
	mu     sync.Mutex // guards the fields below
	at     map[*picture]time.Time
	pruned time.Time // when what is too old was forgotten last
}

// note adds p.
func (s *seen) note(p *picture) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at == nil {
		s.at = map[*picture]time.Time{}
	}
	now := time.Now()
	if now.Sub(s.pruned) > lately { // nobody may ever ask for the others
		s.pruneLocked(now)
	}
	s.at[p] = now
}

// lately returns what was added lately.
func (s *seen) lately() (all []*picture) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pruneLocked(time.Now())
	for p := range s.at {
		all = append(all, p)
	}
	return all
}

// pruneLocked forgets what was added before lately.
func (s *seen) pruneLocked(now time.Time) {
	for p, at := range s.at {
		if now.Sub(at) > lately {
			delete(s.at, p)
		}
	}
	s.pruned = now
}
