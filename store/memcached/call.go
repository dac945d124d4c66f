// call.go lets callers leave before the client does, and says what its errors mean.

package memcached

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/larder-go/larder/store"
)

// tries says whether an operation may be tried again on another connection.
type tries int

const (
	once  tries = 1 // what is done twice would end otherwise
	again tries = 2
)

// call runs an operation of the client, which knows no contexts: in a goroutine that is left behind
// when ctx ends first, and then ends by Timeout. f must not touch what belongs to the caller.
func call[T any](ctx context.Context, s *Store, n tries, f func() (T, error)) (T, error) {
	if ctx.Done() == nil {
		return attempt(s, n, f)
	}
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		v, err := attempt(s, n, f)
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// attempt tries again where a connection had been closed by the server while it was idle, as after
// a restart: all idle ones are likely to be dead then.
func attempt[T any](s *Store, n tries, f func() (T, error)) (T, error) {
	v, err := f()
	if n > once && hungUp(err) {
		_ = s.client.Close() // the idle connections alone: the client goes on
		s.retried.Add(1)
		v, err = f()
	}
	if s.closed.Load() {
		_ = s.client.Close() // Close did not know this connection
	}
	return v, err
}

func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE)
}

// wrap says in the words of package store what an error of the client means. The client has no
// types for what a server answers, only its line in the text.
func wrap(what, key string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, memcache.ErrCacheMiss):
		return store.ErrNotFound
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	kind := store.ErrUnavailable
	switch text := err.Error(); {
	case errors.Is(err, memcache.ErrMalformedKey):
		kind = store.ErrInvalidKey
	case strings.Contains(text, "SERVER_ERROR object too large"):
		kind = store.ErrTooLarge
	case strings.Contains(text, "SERVER_ERROR"), strings.Contains(text, "CLIENT_ERROR"),
		strings.Contains(text, "client error"):
		kind = store.ErrRefused
	}
	return fmt.Errorf("memcached: %s %.60q: %w: %w", what, key, kind, err)
}
