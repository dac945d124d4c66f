// identity_test.go lists what makes connections differ.

package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"
)

func TestIdentityIsThatOfTheFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "test.db")
	b := open(t, file, "CREATE TABLE t (a)")
	id := b.identity()
	if id == "" {
		t.Fatal("a file has no identity")
	}
	if got := open(t, file).identity(); got != id {
		t.Errorf("another connection is %q, not %q", got, id)
	}
	link := filepath.Join(dir, "link.db")
	if err := os.Symlink(file, link); err != nil {
		t.Skip(err)
	}
	if got := open(t, "file:"+link+"?mode=rw").identity(); got != id {
		t.Errorf("by a link it is %q, not %q", got, id)
	}
	if got := open(t, filepath.Join(dir, "b.db"), "CREATE TABLE t (a)").identity(); got == id {
		t.Error("another file is the same")
	}
	b.Close()
	if err := os.Rename(filepath.Join(dir, "b.db"), file); err != nil {
		t.Fatal(err)
	}
	if got := open(t, file).identity(); got == id || got == "" {
		t.Errorf("another file of that name is %q", got)
	}
}

func TestIdentityTellsSettings(t *testing.T) {
	b := fresh(t)
	seen := map[string]string{b.identity(): "as opened"}
	for _, pragma := range []string{
		"foreign_keys", "recursive_triggers", "case_sensitive_like", "reverse_unordered_selects",
		"full_column_names", "count_changes",
	} {
		b.exec("PRAGMA " + pragma + " = ON")
		id := b.identity()
		if before, ok := seen[id]; ok || id == "" {
			t.Errorf("%s: %q, as after %s", pragma, id, before)
		}
		seen[id] = pragma
	}
	before := b.identity()
	b.exec("PRAGMA cache_size = 100", "PRAGMA case_sensitive_like")
	if b.identity() != before {
		t.Error("the identity tells what changes no result")
	}
}

func TestIdentityIsEmptyWhereOthersSeeOtherRows(t *testing.T) {
	for _, source := range []string{":memory:", "", "file:x?mode=memory&cache=shared"} {
		if id := open(t, source, "CREATE TABLE t (a)").identity(); id != "" {
			t.Errorf("%q has identity %q", source, id)
		}
	}
	for _, setting := range []struct{ on, off string }{
		{"CREATE TEMP TABLE t (a)", "DROP TABLE t"},
		{"CREATE TEMP VIEW v AS SELECT 1", "DROP VIEW v"},
		{"ATTACH ':memory:' AS other", "DETACH other"},
		{"PRAGMA read_uncommitted = ON", "PRAGMA read_uncommitted = OFF"},
		{"PRAGMA writable_schema = ON", "PRAGMA writable_schema = OFF"},
	} {
		b := fresh(t)
		before := b.identity()
		b.exec(setting.on)
		if id := b.identity(); id != "" {
			t.Errorf("%s: %q", setting.on, id)
		}
		b.exec(setting.off)
		if id := b.identity(); id != before || id == "" {
			t.Errorf("%s: %q, not %q", setting.off, id, before)
		}
	}
}

func BenchmarkIdentity(b *testing.B) {
	c := fresh(b)
	for b.Loop() {
		c.identity()
	}
}
