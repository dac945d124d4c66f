// snapshot_test.go compares what a watcher reports with what it has heard.

package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/stats/statstest"
	"github.com/larder-go/larder/watch/postgres"
)

// reports is one of those that TestWatcher runs.
func reports(t *testing.T, db *servers.Database) {
	w, conn := watcher(t, db, "reports"), connect(t, db)
	if _, ok := w.Snapshot().Value(stats.Linked, ""); ok {
		t.Error("nobody watches, and it reports a link")
	}
	heard := events(t, w)
	want(t, heard, linked)
	notify(t, conn, "reports", key("a"))
	notify(t, conn, "reports", cleared)
	want(t, heard, key("a"), cleared)
	got := statstest.Of(t, w)
	statstest.Expect(t, got, statstest.Numbers{"changes_heard": 2, "linked": 1})
	if got.Name != "postgres" || got.Kind != stats.Watch || got.Note != "" {
		t.Errorf("it is %s %q with the note %q", got.Kind, got.Name, got.Note)
	}
	execute(t, conn, "SELECT pg_notify('reports', 'what?')")
	want(t, heard, cleared)
	if got := statstest.Of(t, w); !strings.Contains(got.Note, "1 notification") {
		t.Errorf("it has the note %q", got.Note)
	}
}

func TestSnapshotSaysWhyThereIsNoLink(t *testing.T) {
	w, err := postgres.New(postgres.Options{
		Name: "orders", DSN: "postgres://user:secret@" + servers.FreeAddr(t) + "/none",
		Heartbeat: heartbeat,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	events(t, w)
	for late := time.Now().Add(patience); w.Stats().Err == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("it does not notice that there is no server")
		}
	}
	got := statstest.Of(t, w)
	statstest.Expect(t, got, statstest.Numbers{"linked": 0, "changes_heard": 0})
	if got.Name != "orders" || got.Note == "" || strings.Contains(got.Note, "\n") ||
		strings.Contains(got.Note, "secret") {
		t.Errorf("%q has the note %q", got.Name, got.Note)
	}
}
