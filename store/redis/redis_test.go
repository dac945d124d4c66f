// redis_test.go runs the acceptance suite against a real server, in each way it can be used.

package redis_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/redis"
	"github.com/larder-go/larder/store/storetest"
	"github.com/redis/rueidis"
)

// open opens a store that ends with the test.
func open(t testing.TB, o redis.Options) *redis.Store {
	t.Helper()
	s, err := redis.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// raw is a client that knows nothing of stores.
func raw(t testing.TB, o rueidis.ClientOption) rueidis.Client {
	t.Helper()
	o.DisableCache, o.PipelineMultiplex = true, -1
	c, err := rueidis.NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// at is a client of one server.
func at(t testing.TB, addr string) rueidis.Client {
	t.Helper()
	return raw(t, rueidis.ClientOption{InitAddress: []string{addr}, ForceSingleClient: true})
}

// do sends a command that must not fail.
func do(t testing.TB, c rueidis.Client, words ...string) rueidis.RedisMessage {
	t.Helper()
	m, err := c.Do(context.Background(), c.B().Arbitrary(words...).Build()).ToMessage()
	if err != nil && !rueidis.IsRedisNil(err) {
		t.Fatalf("%q: %v", words, err)
	}
	return m
}

// number is do for an answer that is one.
func number(t testing.TB, c rueidis.Client, words ...string) int64 {
	t.Helper()
	m := do(t, c, words...)
	n, err := m.AsInt64()
	if err != nil {
		t.Fatalf("%q: %v", words, err)
	}
	return n
}

func TestSuite(t *testing.T) {
	server := servers.Redis(t)
	c := at(t, server.Addr)
	storetest.Run(t, func(t *testing.T) store.Store {
		do(t, c, "FLUSHALL")
		return open(t, redis.Options{Addrs: []string{server.Addr}, Timeout: 10 * time.Second})
	})
}

func TestSuiteShared(t *testing.T) {
	server := servers.Redis(t)
	c := at(t, server.Addr)
	for name, mode := range map[string]redis.Invalidation{
		"auto": redis.Auto, "tracking": redis.Tracking, "channel": redis.Channel,
	} {
		t.Run(name, func(t *testing.T) {
			storetest.RunShared(t, func(t *testing.T) (store.Store, store.Store) {
				do(t, c, "FLUSHALL")
				o := redis.Options{
					Addrs: []string{server.Addr}, Invalidation: mode, Timeout: 10 * time.Second,
				}
				return open(t, o), open(t, o)
			})
		})
	}
}

func TestSuiteOnACluster(t *testing.T) {
	nodes := servers.RedisCluster(t, 3)
	o := redis.Options{Addrs: []string{nodes[0].Addr, nodes[1].Addr}, Timeout: 10 * time.Second}
	empty := func(t *testing.T) {
		for _, n := range nodes {
			do(t, at(t, n.Addr), "FLUSHALL")
		}
	}
	storetest.Run(t, func(t *testing.T) store.Store {
		empty(t)
		return open(t, o)
	})
	for name, mode := range map[string]redis.Invalidation{
		"tracking": redis.Auto, "channel": redis.Channel,
	} {
		t.Run(name, func(t *testing.T) {
			storetest.RunShared(t, func(t *testing.T) (store.Store, store.Store) {
				empty(t)
				o := o
				o.Invalidation = mode
				return open(t, o), open(t, o)
			})
		})
	}
}

func TestSuiteSharedOverTLSByAUserOfTheACL(t *testing.T) {
	server, config := servers.RedisTLS(t)
	admin := raw(t, rueidis.ClientOption{
		InitAddress: []string{server.Addr}, TLSConfig: config, ForceSingleClient: true,
	})
	do(t, admin, "ACL", "SETUSER", "larder", "on", ">secret", "~mine:*", "&mine:*",
		"+@read", "+@write", "+@connection", "+@transaction", "+@scripting", "+@pubsub", "+time")
	o := redis.Options{
		Addrs: []string{server.Addr}, TLS: config, Username: "larder", Password: "secret",
		Prefix: "mine:", Timeout: 10 * time.Second,
	}
	for name, mode := range map[string]redis.Invalidation{
		"tracking": redis.Auto, "channel": redis.Channel,
	} {
		t.Run(name, func(t *testing.T) {
			storetest.RunShared(t, func(t *testing.T) (store.Store, store.Store) {
				do(t, admin, "FLUSHALL")
				o := o
				o.Invalidation = mode
				return open(t, o), open(t, o)
			})
		})
	}
	o.Prefix = "theirs:"
	err := open(t, o).Set(context.Background(), "k", store.Item{})
	if !errors.Is(err, store.ErrRefused) {
		t.Errorf("a prefix that the user may not use: %v, want ErrRefused", err)
	}
}
