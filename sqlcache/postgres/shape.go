// shape.go estimates from the words of a statement how deep its tree is.

package postgres

// shape is what the tokens so far say of the tree. The estimate is too high for most statements,
// and never too low: each node is begun by a keyword, a sign or a parenthesis.
type shape struct {
	levels []level
	sum    int       // of all levels but the last
	before [2]string // the last two tokens
	rows   bool      // something like (a, b) = (
	writes bool      // UPDATE or MERGE within parentheses
	nested bool      // rows and writes within parentheses
}

// level counts what may be nested between two parentheses.
type level struct {
	sets  int // until the parenthesis ends: UNION is nested to the left
	items int // until the next comma: CASE and JOIN
	signs int // until the next comma, AND or OR, of which a row makes one node
}

func (l level) depth() int { return l.sets + l.items + l.signs + 2 }

// depth is an estimate of how deep the tree is here.
func (s *shape) depth() int { return s.sum + s.last().depth() }

func (s *shape) last() *level { return &s.levels[len(s.levels)-1] }

// add counts a token.
func (s *shape) add(t token) {
	s.noteRows(t)
	s.before = [2]string{s.before[1], t.text}
	switch t.text {
	case "(", "[":
		s.sum += s.last().depth()
		s.levels = append(s.levels, level{})
	case ")", "]":
		if n := len(s.levels) - 1; n > 0 {
			s.levels = s.levels[:n]
			s.sum -= s.last().depth()
		}
	case ";":
		*s.last() = level{}
	case ",":
		s.last().items, s.last().signs = 0, 0
	case "and", "or":
		s.last().signs = 0
	case "union", "intersect", "except":
		s.last().sets++
	case "case", "join", "between": // an AND does not end them
		s.last().items++
	case ".":
	default:
		if t.keyword || isSign(t.text) {
			s.last().signs++
		}
	}
}

// noteRows notes assignments to rows, and where they are.
func (s *shape) noteRows(t token) {
	inside := len(s.levels) > 1
	s.writes = s.writes || inside && (t.text == "update" || t.text == "merge")
	if s.before == [2]string{")", "="} && (t.text == "(" || t.text == "row") {
		s.rows = true
	}
	s.nested = s.nested || s.rows && s.writes
}

// isSign reports whether a token that is no keyword is an operator.
func isSign(text string) bool {
	c := text[0]
	letter := c >= 'a' && c <= 'z' || c == '_' || c >= 0x80
	return !letter && c != '"' && c != '\'' && c != '$' && (c < '0' || c > '9')
}
