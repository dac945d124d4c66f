// catalog.go knows which table a page belongs to.

package sqlite

import (
	"context"
	"slices"

	"github.com/larder-go/larder/sqlcache"
)

// catalog names the tables of the main database by the pages of theirs and of their indexes.
type catalog struct {
	tables map[int64]string
	cookie int64 // of the schema, which changes with it
}

// readCatalog reads it. The cookie is read last: a program with the same cookie was made for this
// very schema, since cookies only grow.
func readCatalog(ctx context.Context, q sqlcache.Querier) (c catalog, err error) {
	rows, err := q.Query(ctx,
		"SELECT rootpage, tbl_name FROM main.sqlite_master WHERE rootpage > 0")
	if err != nil {
		return c, err
	}
	c.tables = make(map[int64]string, len(rows))
	for _, row := range rows {
		root, err := integer(row[0])
		if err != nil {
			return c, err
		}
		c.tables[root] = "main." + lower(text(row[1]))
	}
	c.cookie, err = number(ctx, q, "PRAGMA main.schema_version")
	return c, err
}

// number asks for a single number.
func number(ctx context.Context, q sqlcache.Querier, statement string) (int64, error) {
	rows, err := q.Query(ctx, statement)
	if err != nil {
		return 0, err
	}
	if len(rows) != 1 || len(rows[0]) != 1 {
		return 0, errNoNumber
	}
	return integer(rows[0][0])
}

// names returns the tables of pages of the main database, each once and in order. Those of the
// temporary one are left out, since nothing is kept that depends on them. known says that all were
// found: the table of tables has no name here, nor has what is attached.
func (c catalog) names(pages []page) (names []string, known bool) {
	known = true
	for _, p := range pages {
		name, ok := c.tables[p.root]
		switch {
		case p.database == tempDatabase:
		case p.database == mainDatabase && ok:
			names = append(names, name)
		default:
			known = false
		}
	}
	slices.Sort(names)
	return slices.Compact(names), known
}
