// set.go writes and deletes items, and with that voids the leases of their keys.

package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/larder-go/larder/store"
	"github.com/redis/rueidis"
)

// written is an item as it goes to the server.
type written struct {
	key   string
	value string
	life  time.Duration // until the server drops it; 0: never
	gone  bool          // it must not be seen: it has expired, or a tag of it was deleted since
}

// foreverAfter is how long an item may live until it may as well live for ever.
const foreverAfter = 100 * 365 * 24 * time.Hour

// Set implements [store.Store]. The item, and that the lease is void, are one transaction in one
// round trip. An item with tags costs another one before, to their marks.
func (s *Store) Set(ctx context.Context, key string, item store.Item) error {
	c, err := s.beginKey(ctx, key)
	if err != nil {
		return err
	}
	defer c.end()
	w, err := c.write(key, item, time.Time{})
	if err != nil {
		return err
	}
	if w.gone {
		return c.delete(key)
	}
	if err := c.fail("set", c.transact(c.setCommands(w)...)); err != nil {
		return err
	}
	s.count.sets.Add(1)
	s.waits.wake(key)
	return nil
}

// write makes bytes of item. Its tags must not have been deleted since it was created, nor since
// the time since, if that is not zero.
func (c *call) write(key string, item store.Item, since time.Time) (written, error) {
	now := time.Now()
	if item.Created.IsZero() {
		item.Created = now
	}
	w := written{key: key}
	if !item.GoneAfter.IsZero() {
		w.life = item.GoneAfter.Sub(now)
		w.gone = w.life <= 0
		if w.life > foreverAfter {
			w.life = 0
		}
	}
	if w.gone {
		return w, nil
	}
	if err := c.s.checkSize(key, item); err != nil {
		return w, err
	}
	if len(item.Tags) > 0 {
		began := item.Created
		if !since.IsZero() && since.Before(began) {
			began = since
		}
		var err error
		if item.Tags, err = c.markTags(item.Tags, began, w.life); err != nil {
			return w, c.fail("read the marks of tags", err)
		}
		w.gone = item.Tags == nil
	}
	w.value = rueidis.BinaryString(store.AppendItem(nil, key, item))
	return w, nil
}

// checkSize refuses before anything is sent.
func (s *Store) checkSize(key string, item store.Item) error {
	tags := 0
	for _, tag := range item.Tags {
		tags += len(tag)
	}
	if tags > maxTags {
		return fmt.Errorf("redis: set %.60q: %w: %d bytes of tags", key, store.ErrTooLarge, tags)
	}
	size := int64(len(item.Value)) + int64(tags) + int64(len(item.Tags))*(generationSize+5) +
		int64(len(item.Validators.ETag)+len(item.Validators.LastModified)) + 64
	if most := s.most.Load(); size > most {
		return fmt.Errorf("redis: set %.60q: %w: %d bytes, the limit is %d",
			key, store.ErrTooLarge, size, most)
	}
	return nil
}

// setCommands void the lease and set the item.
func (c *call) setCommands(w written) []rueidis.Completed {
	commands := make([]rueidis.Completed, 0, 3)
	commands = append(commands, c.client.B().Del().Key(c.s.keys.lease(w.key)).Build(),
		c.setCommand(c.s.keys.value(w.key), w))
	if c.client.publish {
		commands = append(commands, c.tell(kindValue, w.key))
	}
	return commands
}

func (c *call) setCommand(name string, w written) rueidis.Completed {
	set := c.client.B().Set().Key(name).Value(w.value)
	if w.life > 0 {
		return set.PxMilliseconds(milliseconds(w.life)).Build()
	}
	return set.Build()
}

// milliseconds rounds up, so that nothing lives for 0.
func milliseconds(d time.Duration) int64 {
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}

// transact does the commands as one in one round trip, and returns the first error in them.
func (c *call) transact(commands ...rueidis.Completed) error {
	return execError(c.transactRaw(commands))
}

// transactRaw returns what MULTI, the commands and EXEC were answered.
func (c *call) transactRaw(commands []rueidis.Completed) []rueidis.RedisResult {
	all := make([]rueidis.Completed, 0, len(commands)+2)
	all = append(append(all, c.client.B().Multi().Build()), commands...)
	return c.doMulti(append(all, c.client.B().Exec().Build())...)
}

// Delete implements [store.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	c, err := s.beginKey(ctx, key)
	if err != nil {
		return err
	}
	defer c.end()
	return c.delete(key)
}

// delete removes the item and the lease. One command does both, so nobody sees one of them alone.
func (c *call) delete(key string) error {
	unlink := c.client.B().Unlink().Key(c.s.keys.value(key), c.s.keys.lease(key)).Build()
	var err error
	if c.client.publish {
		err = c.transact(unlink, c.tell(kindValue, key))
	} else {
		err = c.do(unlink).Error()
	}
	if err != nil {
		return c.fail("delete", err)
	}
	c.s.count.deletes.Add(1)
	c.s.waits.wake(key)
	return nil
}

// SetMany implements [store.ManySetter]. Each item is a transaction of its own.
func (s *Store) SetMany(ctx context.Context, items map[string]store.Item) error {
	for key := range items {
		if err := store.CheckKey(key); err != nil {
			return err
		}
	}
	if len(items) == 0 {
		return ctx.Err()
	}
	var wg sync.WaitGroup
	errs := make([]error, 0, len(items))
	var mu sync.Mutex // guards errs
	turns := make(chan struct{}, setAtOnce)
	for key, item := range items {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			if err := s.Set(ctx, key, item); err != nil {
				mu.Lock()
				errs = append(errs, fmt.Errorf("%.60q: %w", key, err))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs[:min(len(errs), 10)]...)
}

// setAtOnce is how many items SetMany has under way. rueidis writes them together.
const setAtOnce = 64

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
