// snapshot_test.go compares what a cache reports with what it was asked.

package sqlcache_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/sqlcache"
	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/stats/statstest"
	"github.com/larder-go/larder/store"
)

// manners is a driver of which each statement behaves in its own way.
func manners() *scripted {
	return &scripted{answer: func(text string, _ []driver.NamedValue) (driver.Rows, error) {
		one := [][][]driver.Value{{row(int64(1), "x")}}
		switch _, what, _ := strings.Cut(text, "SELECT "); what {
		case "broken":
			return nil, errors.New("broken")
		case "broken later":
			return &sets{rows: one, err: errors.New("broken later")}, nil
		case "large":
			return &sets{rows: [][][]driver.Value{{row(strings.Repeat("x", 5000), "y")}}}, nil
		case "slow":
			time.Sleep(time.Second)
		}
		return &sets{rows: one}, nil
	}}
}

// wantStats compares a snapshot with what Stats says; it is of a cache at rest.
func wantStats(t *testing.T, got stats.Snapshot, n sqlcache.Stats) {
	t.Helper()
	want := statstest.Numbers{
		"requests hit": float64(n.Hits), "requests coalesced": float64(n.Coalesced),
		"requests miss": float64(n.Misses), "requests failed": float64(n.Failed),
		"refused": float64(n.TooLarge), "changes_heard": float64(n.Heard),
		"entries": float64(n.Results), "used": float64(n.Bytes),
	}
	passed := float64(n.Unasked)
	for reason, count := range n.NotKept {
		want["not_kept "+reason] = float64(count)
		passed += float64(count)
	}
	want["requests bypass"] = passed
	statstest.Expect(t, got, want)
	if got.Sum(stats.NotKept)+float64(n.Unasked) != passed {
		t.Errorf("%v results not kept, want those of %+v", got.Sum(stats.NotKept), n)
	}
	if sum := got.Sum(stats.Loads); sum != float64(got.Durations.Count) {
		t.Errorf("%v loads, of which %d were timed", sum, got.Durations.Count)
	}
}

func TestSnapshotHasEachQueryOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache, db := openScripted(t, manners(), sqlcache.Options{MaxResult: 4000, Name: "shop"})
		for range 2 { // the first of two is a miss, the second a hit
			all(db.Query("SELECT 1"))
			all(db.Query("SELECT large")) // that is never kept
		}
		all(db.QueryContext(sqlcache.Uncached(t.Context()), "SELECT 1"))
		all(db.Query("/* larder: nonsense */ SELECT 1"))
		inTransaction(t, db, "SELECT 1")
		all(db.Query("SELECT broken"))
		all(db.Query("SELECT broken later"))
		var crowd sync.WaitGroup
		for range 3 {
			crowd.Go(func() { all(db.Query("SELECT slow")) })
		}
		synctest.Wait()
		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		all(db.QueryContext(short, "SELECT slow"))
		crowd.Wait()
		got := statstest.Of(t, cache)
		statstest.Expect(t, got, statstest.Numbers{
			"requests hit": 1, "requests coalesced": 2, "requests miss": 1 + 2 + 1,
			"requests bypass": 1 + 2, "requests failed": 2 + 1,
			"loads ok": 4, "loads absent": 0, "loads error": 2, "refused": 2, "entries": 2,
			"not_kept is within a transaction": 1,
		})
		wantStats(t, got, cache.Stats())
		if _, ok := got.Value(stats.Linked, ""); ok || got.Name != "shop" || got.Kind != stats.SQL {
			t.Errorf("%s %q, linked: %v", got.Kind, got.Name, ok)
		}
	})
}

func inTransaction(t *testing.T, db *sql.DB, text string) {
	t.Helper()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	all(tx.Query(text))
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// shy is a driver that wants each statement to be prepared, and to be asked again on a connection
// that it has not broken.
type shy struct {
	*scripted
	broken int // connections to come
}

func (s *shy) Connect(ctx context.Context) (driver.Conn, error) {
	return &shyConn{&scriptedConn{s.scripted}, s}, nil
}

type shyConn struct {
	*scriptedConn
	of *shy
}

func (c *shyConn) QueryContext(
	context.Context, string, []driver.NamedValue,
) (driver.Rows, error) {
	if c.of.broken > 0 {
		c.of.broken--
		return nil, driver.ErrBadConn
	}
	return nil, driver.ErrSkip
}

func TestSnapshotHasAQueryOnceThatTheDriverIsAskedTwice(t *testing.T) {
	cache := sqlcache.New(sqlcache.Options{Dialect: plainDialect{}, All: true, MaxStatements: -1})
	defer cache.Close()
	db := sql.OpenDB(cache.Connector(&shy{manners(), 1}))
	defer db.Close()
	all(db.Query("SELECT 1"))
	all(db.Query("SELECT 1"))
	all(db.QueryContext(sqlcache.Uncached(t.Context()), "SELECT 1"))
	all(db.Query("/* larder: nonsense */ SELECT 1"))
	got := statstest.Of(t, cache)
	statstest.Expect(t, got, statstest.Numbers{
		"requests hit": 1, "requests miss": 1, "requests bypass": 2, "requests failed": 0,
		"loads ok": 1, "loads error": 1,
	})
	wantStats(t, got, cache.Stats())
}

func TestSnapshotHasItsReasonsSortedAndBounded(t *testing.T) {
	long := strings.Repeat("é", 500)
	for _, n := range []int{3, 1000} {
		cache := sqlcache.New(sqlcache.Options{Dialect: talkative{}, All: true})
		defer cache.Close()
		db := sql.OpenDB(cache.Connector(manners()))
		defer db.Close()
		for i := range n {
			all(db.Query(fmt.Sprintf("NO %04d \xff%s", i, long)))
		}
		before := ""
		for _, s := range statstest.Of(t, cache).Samples {
			if s.Metric != stats.NotKept.Name {
				continue
			}
			if s.Label <= before || len(s.Label) > 300 || !strings.Contains(s.Label, " ") {
				t.Errorf("%q after %q", s.Label, before)
			}
			before = s.Label
		}
		got := cache.Snapshot()
		if sum := got.Sum(stats.NotKept); sum != float64(n) || len(got.Samples) > 300 {
			t.Errorf("%v results of %d not kept, in %d samples", sum, n, len(got.Samples))
		}
		wantStats(t, got, cache.Stats())
	}
}

// talkative has a reason of its own for each statement.
type talkative struct{ plainDialect }

func (talkative) Effect(
	_ context.Context, _ sqlcache.Querier, text string, _ []driver.NamedValue,
) (sqlcache.Effect, error) {
	return sqlcache.Effect{Reason: "is " + text}, nil
}

func TestSnapshotSaysWhetherChangesAreHeard(t *testing.T) {
	w := &watcher{}
	cache := sqlcache.New(sqlcache.Options{Dialect: plainDialect{}, Watch: w})
	defer cache.Close()
	for _, e := range []struct {
		kind   store.EventKind
		linked float64
		heard  float64
	}{{store.Lost, 0, 0}, {store.Linked, 1, 1}, {store.TagDeleted, 1, 2}, {store.Lost, 0, 2}} {
		w.hear(store.Event{Kind: e.kind, Tag: "t"})
		statstest.Expect(t, statstest.Of(t, cache), statstest.Numbers{
			"linked": e.linked, "changes_heard": e.heard,
		})
	}
}

// watcher tells what it is told to.
type watcher struct{ hear func(store.Event) }

func (w *watcher) Watch(hear func(store.Event)) (stop func()) {
	w.hear = hear
	return func() {}
}
