// inspect.go answers questions about single results.

package sqlcache

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/shadow"
	"github.com/larder-go/larder/stats"
)

// Curve implements [stats.Curver], if Options.Observe is set. It is of the memory of results: a
// request is a look at it, and sizes are in bytes.
func (c *Cache) Curve() (stats.Curve, bool) { return c.results.Curve() }

// Inspector implements [stats.Inspectable]. A key is the beginning of a statement behind the number
// of its result, which stands for its arguments and all else that the result depends on, as Top and
// Slowest return it. The number alone will do. Without Options.Observe there are numbers alone.
//
// A result can be deleted, but not refreshed: its arguments are not known any more.
func (c *Cache) Inspector() stats.Inspector { return inspector{c.results.Inspector(), c} }

// inspector is a cache as somebody sees it who knows results by their statements.
type inspector struct {
	stats.Inspector // of the results
	cache           *Cache
}

const (
	numberDigits = 16  // of a key, in hexadecimal
	mostText     = 100 // characters of a statement that are remembered
)

// remember notes what a result is of.
func (r *result) remember(statement string) {
	r.text = shorten(statement)
	r.weight += int64(len(r.text))
}

// shorten returns the beginning of a statement, in one line and memory of its own.
func shorten(statement string) string {
	statement = strings.ToValidUTF8(statement[:min(len(statement), 4*mostText)], "")
	line := strings.Join(strings.Fields(statement), " ")
	return strings.Clone(fmt.Sprintf("%.*s", mostText, line))
}

// nameOf returns how people know a result.
func nameOf(number, text string) string {
	return strings.TrimSuffix(number[:numberDigits]+" "+text, " ")
}

// account notes what a load has cost.
func (c *counters) account(l load, cost shadow.Load, err error) {
	if c.ledger == nil {
		return
	}
	if err != nil {
		cost.Err = err.Error()
	}
	cost.Key = nameOf(l.key.String(), shorten(l.call.text))
	c.ledger.Charge(binary.BigEndian.Uint32(l.key[:]), cost)
	c.ledger.Rank(cost)
}

// Top implements stats.Inspector.
func (i inspector) Top(by stats.Order, n int) (all []stats.Key) {
	if ledger := i.cache.counters.ledger; by == stats.ByLost && ledger != nil {
		for _, a := range ledger.Dearest() {
			if len(all) < n {
				all = append(all, stats.Key{Key: a.Key, Loads: a.Loads, Lost: a.Lost})
			}
		}
		return all
	}
	all = i.Inspector.Top(by, n)
	at := map[string]int{}
	for k := range all {
		at[all[k].Key] = k
	}
	for key, r := range i.cache.results.All() {
		if k, ok := at[key.String()]; ok {
			all[k].Key = nameOf(key.String(), r.text)
		}
	}
	return all
}

// Slowest implements stats.Inspector.
func (i inspector) Slowest() (all []stats.Load) {
	if ledger := i.cache.counters.ledger; ledger != nil {
		for _, l := range ledger.Slowest() {
			all = append(all, loadOf(l))
		}
	}
	return all
}

func loadOf(l shadow.Load) stats.Load {
	return stats.Load{Key: l.Key, Took: l.Took, At: l.At, Err: l.Err}
}

// Find implements stats.Inspector.
func (i inspector) Find(ctx context.Context, text string) (life stats.Life, err error) {
	key, r, err := i.look(text)
	if err != nil {
		return life, err
	}
	life = stats.Life{Key: text, State: "absent"}
	if r != nil {
		if life, err = i.Inspector.Find(ctx, key.String()); err != nil {
			return life, err
		}
		life.Key = nameOf(key.String(), r.text)
	}
	if known := i.addLoads(&life, key); r == nil && !known {
		return life, fmt.Errorf("%w: nothing is known of %.100s", stats.ErrNoKey, text)
	}
	life.Why = life.Sentences()
	return life, nil
}

// look returns the result in memory that a text names, or else a key that begins as the text says.
func (i inspector) look(text string) (key larder.Key, r *result, err error) {
	number, _, _ := strings.Cut(text, " ")
	head, err := hex.DecodeString(number)
	if err != nil || len(head) < numberDigits/2 || len(head) > len(key) {
		return key, nil, fmt.Errorf("%w: %.100q does not begin with the number of a result",
			stats.ErrNoKey, text)
	}
	for key, r := range i.cache.results.All() {
		if string(key[:len(head)]) == string(head) {
			return key, r, nil
		}
	}
	copy(key[:], head)
	return key, nil, nil
}

// addLoads adds what is remembered of the loads of a key, and tells whether there is something.
func (i inspector) addLoads(life *stats.Life, key larder.Key) bool {
	ledger := i.cache.counters.ledger
	if ledger == nil {
		return false
	}
	a, ok := ledger.Account(binary.BigEndian.Uint32(key[:]))
	if !ok || !strings.HasPrefix(a.Key, key.String()[:numberDigits]) {
		return false
	}
	last := loadOf(a.Last)
	life.Loads, life.LastLoad, life.Took = a.Loads, &last, last.Took
	return true
}

// Refresh implements stats.Inspector.
func (inspector) Refresh(context.Context, string) error {
	return fmt.Errorf("sqlcache: only who knows its arguments can ask: %w", errors.ErrUnsupported)
}

// Delete implements stats.Inspector.
func (i inspector) Delete(ctx context.Context, text string) error {
	key, r, err := i.look(text)
	if err != nil || r == nil {
		return err
	}
	return i.cache.results.Delete(ctx, key)
}
