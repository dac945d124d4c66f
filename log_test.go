// log_test.go reads the events that a cache writes.

package larder_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/larder-go/larder"
)

// logger writes events into a buffer, without what changes.
func logger(level slog.Leveler) (*slog.Logger, *bytes.Buffer) {
	var b bytes.Buffer
	return slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "took" {
				return slog.Attr{}
			}
			return a
		},
	})), &b
}

func TestEventsAreWrittenWithTheirKeys(t *testing.T) {
	log, written := logger(slog.LevelDebug)
	c := larder.New(larder.Options[string, string]{
		Name: "shop", Log: log, Observe: true,
		Load: func(_ context.Context, key string) (string, error) {
			if key == "ill" {
				return "", errors.New("out of order")
			}
			return "secret", nil
		},
	})
	c.Get(ctx, "a")
	c.Get(ctx, "a")
	c.Get(ctx, "ill")
	c.Delete(ctx, "a")
	c.Lookup("a")
	c.Close()
	want := strings.TrimLeft(`
level=DEBUG msg=miss cache=shop key=a reason=new
level=DEBUG msg=load cache=shop key=a
level=DEBUG msg=miss cache=shop key=ill reason=new
level=DEBUG msg=load cache=shop key=ill error="out of order"
level=DEBUG msg=left cache=shop key=a cause=deleted
level=DEBUG msg=miss cache=shop key=a reason=deleted
`, "\n")
	if got := written.String(); got != want {
		t.Errorf("written:\n%swant:\n%s", got, want)
	}
}

func TestALevelThatIsOffWritesAndCostsNothing(t *testing.T) {
	log, written := logger(slog.LevelInfo)
	c := larder.New(larder.Options[int, int]{Log: log})
	defer c.Close()
	c.Set(ctx, 1, 1)
	n := testing.AllocsPerRun(100, func() { c.Lookup(1); c.Lookup(2); c.Set(ctx, 1, 2) })
	if n != 0 || written.Len() != 0 {
		t.Errorf("%v allocations, and written: %s", n, written)
	}
}
