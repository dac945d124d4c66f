// list.go goes over all keys of the store: to name them, or to remove them.

package redis

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"strings"

	"github.com/larder-go/larder/store"
	"github.com/redis/rueidis"
)

// List implements [store.Lister]. It scans the whole database of every server: it is meant for
// people, not for every request. Each item is read to see its times and tags.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		seen := map[string]bool{} // a SCAN may name a key twice
		for names, err := range s.scan(ctx, s.keys.pattern(kindValue, prefix)) {
			if err != nil {
				yield(store.Info{}, err)
				return
			}
			keys := s.listedKeys(names, prefix, seen)
			if !s.yieldInfos(ctx, keys, yield) {
				return
			}
		}
	}
}

// listedKeys returns the keys of the names that were not seen before.
func (s *Store) listedKeys(names []string, prefix string, seen map[string]bool) (keys []string) {
	for _, name := range names {
		kind, key, ok := s.keys.parse(name)
		if !ok || kind != kindValue || !strings.HasPrefix(key, prefix) || seen[key] ||
			store.CheckKey(key) != nil {
			continue
		}
		seen[key] = true
		keys = append(keys, key)
	}
	return keys
}

// listBatch is how many items are held in memory at a time.
const listBatch = 16

func (s *Store) yieldInfos(
	ctx context.Context, keys []string, yield func(store.Info, error) bool,
) bool {
	for len(keys) > 0 {
		n := min(len(keys), listBatch)
		items, err := s.GetMany(ctx, keys[:n])
		if err != nil {
			yield(store.Info{}, err)
			return false
		}
		for key, item := range items {
			if !yield(store.NewInfo(key, item, int64(len(item.Value))), nil) {
				return false
			}
		}
		keys = keys[n:]
	}
	return true
}

// Clear implements [store.Clearer]. It removes the items and the leases behind the prefix of the
// store, from every server, and touches nothing else. An item that is set meanwhile may stay. So do
// the marks of tags: loads may be under way that began before their tag was deleted.
func (s *Store) Clear(ctx context.Context) error {
	_, err := s.DeletePrefix(ctx, "")
	return err
}

// DeletePrefix implements [store.PrefixDeleter]. It scans the whole database of every server.
func (s *Store) DeletePrefix(ctx context.Context, prefix string) (n int, err error) {
	for _, kind := range []byte{kindLease, kindValue} {
		for names, err := range s.scan(ctx, s.keys.pattern(kind, prefix)) {
			if err == nil {
				err = s.unlink(ctx, names)
			}
			if err != nil {
				return n, err
			}
			if kind == kindValue {
				n += len(names)
			}
		}
	}
	c, err := s.begin(ctx)
	if err != nil {
		return n, err
	}
	defer c.end()
	s.waits.wakeAll()
	if c.client.publish {
		err = c.fail("tell what is gone", c.do(c.tell(kindAll, "")).Error())
	}
	return n, err
}

// unlink removes names, in one round trip to each server.
func (s *Store) unlink(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	c, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer c.end()
	if !c.client.cluster {
		err := c.do(c.client.B().Unlink().Key(names...).Build()).Error()
		return c.fail("clear", err)
	}
	commands := make([]rueidis.Completed, len(names))
	for i, name := range names {
		commands[i] = c.client.B().Unlink().Key(name).Build()
	}
	return c.fail("clear", firstError(c.doMulti(commands...)))
}

// scan yields the names that match, from every server that owns keys.
func (s *Store) scan(ctx context.Context, pattern string) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		nodes, err := s.owners(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, node := range nodes {
			for cursor, first := uint64(0), true; first || cursor != 0; first = false {
				var names []string
				names, cursor, err = s.scanStep(ctx, node, pattern, cursor)
				if !yield(names, err) || err != nil {
					return
				}
			}
		}
	}
}

func (s *Store) scanStep(
	ctx context.Context, node rueidis.Client, pattern string, cursor uint64,
) ([]string, uint64, error) {
	c, err := s.begin(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer c.end()
	entry, err := node.Do(c.ctx,
		node.B().Scan().Cursor(cursor).Match(pattern).Count(batch).Build()).AsScanEntry()
	return entry.Elements, entry.Cursor, c.fail("scan", err)
}

// owners returns the servers that own keys: one, or the masters of the Cluster.
func (s *Store) owners(ctx context.Context) ([]rueidis.Client, error) {
	c, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer c.end()
	nodes, err := masters(c.ctx, c.client)
	return nodes, c.fail("find the masters", err)
}

// errNodeUnknown says that the Cluster has just changed.
var errNodeUnknown = errors.New("a master of the cluster is not known yet")

// masters returns the servers that own keys.
func masters(ctx context.Context, cl *client) ([]rueidis.Client, error) {
	if !cl.cluster {
		return []rueidis.Client{cl.Client}, nil
	}
	// As the only one of several commands it goes to a master; alone it could go to a replica that
	// is down.
	slots, err := cl.DoMulti(ctx, cl.B().ClusterSlots().Build())[0].ToArray()
	if err != nil {
		return nil, err
	}
	known := cl.Nodes()
	named := map[string]bool{}
	var all []rueidis.Client
	for _, slot := range slots {
		addr := masterOf(slot)
		if addr == "" || named[addr] {
			continue
		}
		node, ok := known[addr]
		if !ok {
			return nil, fmt.Errorf("%w: %s", errNodeUnknown, addr)
		}
		named[addr] = true
		all = append(all, node)
	}
	return all, nil
}

// masterOf reads the address of the master in one row of CLUSTER SLOTS: first slot, last slot,
// master, replicas. A server that does not know its own address is left out.
func masterOf(row rueidis.RedisMessage) string {
	fields, err := row.ToArray()
	if err != nil || len(fields) < 3 {
		return ""
	}
	master, err := fields[2].ToArray()
	if err != nil || len(master) < 2 {
		return ""
	}
	host, _ := master[0].ToString()
	port, _ := master[1].AsInt64()
	return net.JoinHostPort(host, decimal(port))
}
