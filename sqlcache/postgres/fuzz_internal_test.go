// fuzz_internal_test.go gives any text to the part that asks nobody.

package postgres

import (
	"strings"
	"testing"
	"time"
)

func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"SELECT * FROM a WHERE b = $1", "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
		"SELECT 'now'::date; COMMIT", "INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING",
		"SELECT a INTO b FROM c FOR UPDATE", "UPDATE t SET (a, b) = (SELECT 1, 2)",
		"COPY t FROM PROGRAM 'x'", "SELECT (a).b[1].c, x.* FROM f(1) AS (a int)",
		"EXPLAIN (ANALYZE) EXECUTE x", "select case when 1 between not 2 and 3 then 4 end",
		"SELECT" + strings.Repeat("(select ", 40) + "1" + strings.Repeat(")", 40),
		"MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE", "SET LOCAL a.b = 1",
		"SELECT xmlelement(name a), JSON_OBJECT('a': 1)", "TABLE ONLY a", "\\", "'", "$$",
	} {
		f.Add(s)
	}
	d := New(Options{})
	f.Fuzz(func(t *testing.T, statement string) {
		begun := time.Now()
		read, err := d.read(statement)
		if took := time.Since(begun); took > 20*time.Second {
			t.Errorf("%.300q took %v", statement, took)
		}
		if err != nil {
			return
		}
		e := read.effect()
		if e.Cacheable && (e.WritesAll || len(e.Writes) > 0 || e.Session != 0 || e.Transaction != 0) {
			t.Errorf("%q: %+v", statement, e)
		}
		for n, uses := range read.relations {
			for _, u := range uses {
				if u != reads && e.Cacheable && !read.plain {
					t.Errorf("%q writes %v and is cacheable", statement, n)
				}
			}
		}
	})
}
