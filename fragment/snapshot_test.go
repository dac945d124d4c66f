// snapshot_test.go compares what a cache reports with what it was asked for.

package fragment_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/larder-go/larder/fragment"
	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/stats/statstest"
)

func TestSnapshotHasEachRequestOnce(t *testing.T) {
	c, n := open(t, fragment.Options{MaxBytes: 1 << 20}), 0
	for _, name := range []string{"menu", "menu", "footer"} {
		if _, err := c.Get(t.Context(), fragment.Part{Name: name}, writes("<p>", &n)); err != nil {
			t.Fatal(err)
		}
	}
	broken := func(context.Context, io.Writer) error { return errors.New("no ink") }
	if _, err := c.Get(t.Context(), fragment.Part{Name: "broken"}, broken); err == nil {
		t.Error("no error")
	}
	got, s := statstest.Of(t, c), c.Stats()
	statstest.Expect(t, got, statstest.Numbers{
		"requests hit": 1, "loads ok": 2, "loads error": 1, "entries": 2,
		"used": float64(s.Weight), "limit": 1 << 20, "evictions room": float64(s.Evicted),
	})
	if sum := got.Sum(stats.Requests); sum != 4 || s.Hits+s.Misses != 4 {
		t.Errorf("the requests add up to %v, want those of %+v", sum, s)
	}
	if got.Name != "fragments" || got.Kind != stats.Fragment {
		t.Errorf("it is %s %q", got.Kind, got.Name)
	}
}

// page renders a fragment with another one inside.
func page(t *testing.T, c *fragment.Cache, key string) (written int) {
	t.Helper()
	outer := fragment.Part{Name: "page", Key: fragment.Keys(key)}
	_, err := c.Get(t.Context(), outer, func(ctx context.Context, w io.Writer) error {
		written++
		inner, err := c.Get(ctx, fragment.Part{Name: "menu", Key: fragment.Keys(key)},
			writes("<nav>", &written))
		io.WriteString(w, inner)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return written
}

func TestInspectorKnowsFragmentsAndDeletesThoseAround(t *testing.T) {
	for _, key := range []string{"7", strings.Repeat("long", 100)} {
		c := open(t, fragment.Options{Observe: true})
		if page(t, c, key) != 2 || page(t, c, key) != 0 {
			t.Error("the page is not kept")
		}
		i, menu := c.Inspector(), ""
		for _, k := range i.Top(stats.ByWeight, 10) {
			life, err := i.Find(t.Context(), k.Key)
			if err != nil || life.State != "fresh" {
				t.Errorf("%s is %q, %v", k.Key, life.State, err)
			}
			if len(i.Top(stats.ByWeight, 10)) == 2 && len(life.Tags) == 2 {
				menu = k.Key // the page has its tags and those of the menu
			}
		}
		if err := i.Refresh(t.Context(), menu); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("Refresh: %v", err)
		}
		if err := i.Delete(t.Context(), menu); err != nil {
			t.Error(err)
		}
		if page(t, c, key) != 2 {
			t.Errorf("%s is shown after it was deleted", menu)
		}
		if _, ok := c.Curve(); ok {
			t.Error("it has seen enough for a curve")
		}
	}
}

func TestInspectorSaysThatAHashIsNoFragment(t *testing.T) {
	c := open(t, fragment.Options{})
	if err := c.Inspector().Delete(t.Context(), "#0123"); !errors.Is(err, stats.ErrNoKey) {
		t.Errorf("Delete: %v", err)
	}
}
