// errors.go says what an error means: not there, not reached, refused, damaged.

package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/larder-go/larder/store"
	"github.com/redis/rueidis"
)

// call is one call of a method under way.
type call struct {
	s      *Store
	client *client
	caller context.Context // of whoever called
	ctx    context.Context // that, and the time limit
	cancel context.CancelFunc
	began  time.Time
}

func (c *call) end() { c.cancel() }

// do sends a command and waits for its answer.
func (c *call) do(command rueidis.Completed) rueidis.RedisResult {
	if c.client.wires.settled() {
		return c.client.Do(c.ctx, command)
	}
	return apart(c.ctx, rueidis.NewErrorResult, func() rueidis.RedisResult {
		return c.client.Do(c.ctx, command)
	})
}

// doMulti sends commands together and waits for their answers.
func (c *call) doMulti(commands ...rueidis.Completed) []rueidis.RedisResult {
	if c.client.wires.settled() {
		return c.client.DoMulti(c.ctx, commands...)
	}
	n := len(commands)
	failed := func(err error) []rueidis.RedisResult {
		return slices.Repeat([]rueidis.RedisResult{rueidis.NewErrorResult(err)}, n)
	}
	return apart(c.ctx, failed, func() []rueidis.RedisResult {
		return c.client.DoMulti(c.ctx, commands...)
	})
}

// apart runs f on a goroutine of its own, and does not wait for it longer than ctx lasts. A call
// that comes while another connects would wait for that, whatever its own time limit.
func apart[T any](ctx context.Context, failed func(error) T, f func() T) T {
	result := make(chan T, 1)
	go func() { result <- f() }()
	select {
	case r := <-result:
		return r
	case <-ctx.Done():
		return failed(ctx.Err())
	}
}

// fail wraps an error in what it means, and counts it. A nil error stays nil.
func (c *call) fail(what string, err error) error {
	if err == nil {
		return nil
	}
	if ctxErr := c.caller.Err(); ctxErr != nil && isContext(err) {
		return ctxErr
	}
	if c.s.closed.Load() {
		return store.ErrClosed
	}
	if isContext(err) && c.client != nil {
		c.client.wires.cutSilent(c.began)
	}
	err = classify(err)
	if !errors.Is(err, store.ErrNotFound) {
		c.s.count.errors.Add(1)
	}
	return fmt.Errorf("redis: %s: %w", what, err)
}

func isContext(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// unavailable are the first words of answers of a server that cannot serve now.
var unavailable = []string{
	"LOADING", "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN", "BUSY", "MOVED", "ASK",
}

// classify wraps err in the errors of package store.
func classify(err error) error {
	if isOurs(err) {
		return err
	}
	if rueidis.IsRedisNil(err) {
		return store.ErrNotFound
	}
	answer, ok := rueidis.IsRedisErr(err)
	if !ok {
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	word, _, _ := strings.Cut(answer.Error(), " ")
	if word == "WRONGTYPE" {
		return fmt.Errorf("%w: %w: %w", store.ErrNotFound, store.ErrDamaged, err)
	}
	for _, w := range unavailable {
		if word == w {
			return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
		}
	}
	return fmt.Errorf("%w: %w", store.ErrRefused, err)
}

func isOurs(err error) bool {
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrUnavailable) ||
		errors.Is(err, store.ErrRefused) || errors.Is(err, store.ErrTooLarge)
}

// firstError returns why a pipeline or a transaction went wrong: the first error in it that is not
// only that of the transaction as a whole.
func firstError(results []rueidis.RedisResult) error {
	var whole error
	for _, r := range results {
		err := r.Error()
		if err == nil || rueidis.IsRedisNil(err) {
			continue
		}
		if !strings.HasPrefix(err.Error(), "EXECABORT") {
			return err
		}
		whole = err
	}
	return whole
}

// execError is firstError for the results of MULTI, commands and EXEC: it looks into the last.
func execError(results []rueidis.RedisResult) error {
	if err := firstError(results); err != nil {
		return err
	}
	answers, err := results[len(results)-1].ToArray()
	if err != nil {
		return err
	}
	for _, a := range answers {
		if err := a.Error(); err != nil && !rueidis.IsRedisNil(err) {
			return err
		}
	}
	return nil
}
