// constant_test.go leaves constants out.

package postgres_test

import (
	"testing"

	"github.com/larder-go/larder/sqlcache/postgres"
)

func TestShapeLeavesConstantsOut(t *testing.T) {
	d := postgres.New(postgres.Options{})
	for text, want := range map[string]string{
		"":                                   "",
		"SELECT 1":                           "SELECT 0",
		"SELECT n FROM t1 WHERE id=42":       "SELECT n FROM t1 WHERE id=0",
		"SELECT 1.5e10, .5, 0x1F, 1_000, -3": "SELECT 0, .0, 0, 0, -0",
		"SELECT 'it''s', 'a' || 'b'":         "SELECT '', '' || ''",
		`SELECT "a 1""2" FROM x`:             `SELECT "a 1""2" FROM x`,
		"SELECT $1, a$2, date '2020-01-01'":  "SELECT $1, a$2, date ''",
		"SELECT '2020' FROM birthday9":       "SELECT '' FROM birthday9",
		"SELECT -- 1\n 2":                    "SELECT -- 1\n 2",
		"SELECT /* 1 */ 2":                   "SELECT /* 1 */ 2",
		`SELECT E'a\'b', 1`:                  `SELECT E'a\'b', 1`,
		"SELECT E'a', 1":                     "SELECT E'a', 1",
		"SELECT U&'a', 1":                    "SELECT U&'a', 1",
		`SELECT U&"a", 1`:                    `SELECT U&"a", 1`,
		"SELECT $$1$$":                       "SELECT $$1$$",
		"SELECT $a$1$a$":                     "SELECT $a$1$a$",
		"SELECT 'Now', 1":                    "SELECT 'Now', 1",
		"SELECT 'open, 1":                    "SELECT 'open, 1",
		"SELECT now(), 1":                    "SELECT now(), 1",
	} {
		if got := d.Shape(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
