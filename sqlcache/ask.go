// ask.go is how a caller says that a result is to be kept: by context, or by a comment.

package sqlcache

import (
	"context"
	"strings"
	"time"

	"github.com/larder-go/larder"
)

// wish is what somebody wants of a result.
type wish struct {
	said bool          // anything at all
	keep bool          // to be kept, and served if it is
	ttl  time.Duration // 0: as long as Options.TTL says
	bad  string        // why a comment makes no sense
}

type wishKey struct{}

// noContext is for memory that waits for nothing.
var noContext = context.Background()

// Cached returns a context whose queries may be answered from the cache, and are kept for ttl. 0
// means Options.TTL. It says more than a comment in the statement.
func Cached(ctx context.Context, ttl time.Duration) context.Context {
	return context.WithValue(ctx, wishKey{}, wish{said: true, keep: ttl >= 0, ttl: ttl})
}

// Uncached returns a context whose queries go to the database, whatever Options or a comment say.
func Uncached(ctx context.Context) context.Context {
	return context.WithValue(ctx, wishKey{}, wish{said: true})
}

// wishOf returns what is wanted of a statement: what ctx says, else its comment, else the options.
func (c *Cache) wishOf(ctx context.Context, statement string) wish {
	w, _ := ctx.Value(wishKey{}).(wish)
	if !w.said {
		w = parseComment(statement)
	}
	if !w.said {
		w.keep = c.o.All
	}
	if w.ttl == 0 {
		w.ttl = c.o.TTL
	}
	return w
}

// commentHead begins a comment for the cache.
const commentHead = "/* larder:"

// parseComment reads the comment that a statement begins with:
//
//	/* larder: cached */ SELECT ...
//	/* larder: ttl=30s */ SELECT ...
//	/* larder: off */ SELECT ...
//
// A comment anywhere else says nothing: whoever smuggles text into a statement does not get to say
// what is kept.
func parseComment(statement string) wish {
	rest, ok := strings.CutPrefix(strings.TrimLeft(statement, " \t\r\n"), commentHead)
	if !ok {
		return wish{}
	}
	text, _, ok := strings.Cut(rest, "*/")
	if !ok {
		return wish{said: true, bad: "its comment does not end"}
	}
	switch text = strings.TrimSpace(text); text {
	case "cached":
		return wish{said: true, keep: true}
	case "off":
		return wish{said: true}
	case "ttl=forever":
		return wish{said: true, keep: true, ttl: larder.Forever}
	}
	if d, err := time.ParseDuration(strings.TrimPrefix(text, "ttl=")); err == nil && d > 0 {
		return wish{said: true, keep: true, ttl: d}
	}
	return wish{said: true, bad: "its comment says neither cached, ttl=30s nor off"}
}
