// writes.go finds out which tables a statement changes behind those that it names.

package postgres

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"

	"github.com/larder-go/larder/sqlcache"
)

// maxHits bounds how many tables are looked at that a statement may write.
const maxHits = 300

// hit is a table that is written, and how.
type hit struct {
	Table int64 `json:"table"`
	Use   use   `json:"use"`
}

// links are the ways by which a write of one table reaches others.
type links struct {
	Heirs      [][2]int64 // parent, child
	References [][5]any   // table, who refers to it, deletes and cascades, updates
}

// takeWrites notes what is written behind the tables of a question.
func (s *survey) takeWrites(ctx context.Context, q sqlcache.Querier, ask question, a answer) error {
	var hits []hit
	for _, r := range a.Relations {
		for _, u := range ask.Relations[r.I-1].uses {
			hits = append(hits, hit{r.ID, u})
		}
	}
	if len(hits) == 0 {
		return nil
	}
	var l links
	if err := askJSON(ctx, q, &l, linksSQL); err != nil {
		return err
	}
	hits = l.reach(hits)
	if len(hits) > maxHits {
		s.refuse("writes to hundreds of tables")
		s.all = true
		return nil
	}
	return s.takeHits(ctx, q, hits, l.family(hits))
}

// takeHits notes the names of tables that are written, and what is called when they are.
func (s *survey) takeHits(ctx context.Context, q sqlcache.Querier, hits []hit, family []int64) error {
	ask, err := json.Marshal(struct {
		Hits   []hit    `json:"hits"`
		Family []int64  `json:"family"`
		Pure   []string `json:"pure"`
	}{hits, family, append([]string{}, s.pure...)})
	if err != nil {
		return fmt.Errorf("postgres: ask the catalog: %w", err)
	}
	var a struct{ Hidden, Written []string }
	err = askJSON(ctx, q, &a, writesSQL, driver.NamedValue{Ordinal: 1, Value: string(ask)})
	if err != nil {
		return err
	}
	for _, t := range a.Written {
		s.writes[t] = true
	}
	for _, what := range a.Hidden {
		s.refuse("%s", what)
		s.all = true
		s.changes(sqlcache.SessionChanged)
	}
	return nil
}

// askJSON reads the one JSON that a statement returns.
func askJSON(
	ctx context.Context, q sqlcache.Querier, to any, statement string, args ...driver.NamedValue,
) error {
	got, err := askText(ctx, q, statement, args...)
	if err != nil {
		return fmt.Errorf("postgres: ask the catalog: %w", err)
	}
	if err := json.Unmarshal([]byte(got), to); err != nil {
		return fmt.Errorf("postgres: read the catalog: %w", err)
	}
	return nil
}

// reach returns all writes that follow from some, with these; a few more than maxHits at most.
func (l links) reach(hits []hit) []hit {
	seen := map[hit]bool{}
	for i := 0; i < len(hits) && len(hits) <= maxHits; i++ {
		h := hits[i]
		if seen[h] {
			continue
		}
		seen[h] = true
		for _, next := range l.next(h) {
			if !seen[next] {
				hits = append(hits, next)
			}
		}
	}
	return hits
}

// next returns what follows from a write at once: the same to those that inherit from the table,
// another to those that refer to it. An update moves rows among partitions.
func (l links) next(h hit) (all []hit) {
	for _, heir := range l.Heirs {
		if heir[0] == h.Table {
			all = append(all, hit{heir[1], h.Use})
			if h.Use == updates {
				all = append(all, hit{heir[1], inserts}, hit{heir[1], deletes})
			}
		}
	}
	for _, r := range l.References {
		if number(r[0]) != h.Table {
			continue
		}
		deleted, cascades, updated := r[2] == true, r[3] == true, r[4] == true
		switch {
		case h.Use == truncates2:
			all = append(all, hit{number(r[1]), truncates2})
		case h.Use == deletes && cascades:
			all = append(all, hit{number(r[1]), deletes})
		case h.Use == deletes && deleted, h.Use == updates && updated:
			all = append(all, hit{number(r[1]), updates})
		}
	}
	return all
}

// family returns the tables of some writes, and all that these inherit from.
func (l links) family(hits []hit) (tables []int64) {
	seen := map[int64]bool{}
	add := func(table int64) {
		if !seen[table] {
			seen[table] = true
			tables = append(tables, table)
		}
	}
	for _, h := range hits {
		add(h.Table)
	}
	for i := 0; i < len(tables); i++ {
		for _, heir := range l.Heirs {
			if heir[1] == tables[i] {
				add(heir[0])
			}
		}
	}
	return tables
}

// number returns a number of JSON.
func number(v any) int64 {
	f, _ := v.(float64)
	return int64(f)
}
