// larder.go is the face of the library.

// Package larder keeps what is slow to get close to whoever needs it.
//
// [Cache] keeps values in memory, by key, within a bound that holds at every moment, and loads what
// is not there, once for all who ask:
//
//	users := larder.New(larder.Options[int64, User]{
//		Name:       "users",
//		MaxEntries: 100_000,
//		TTL:        time.Minute,      // fresh for
//		Stale:      10 * time.Minute, // then served while a refresh runs
//		Load:       db.User,          // func(context.Context, int64) (User, error)
//		Store:      shared,           // a second level that processes share, such as a Redis
//	})
//	defer users.Close()
//	u, err := users.Get(ctx, 42)
//
// [Memoize] does the same for a function. How a value ages is said by [Options]; docs/freshness.md
// has it in a table, docs/shared.md says what many nodes promise each other.
//
// The other packages:
//
//   - [github.com/larder-go/larder/policy]: who leaves when there is no room;
//     [github.com/larder-go/larder/sim]: which policy and which size fit a traffic;
//   - [github.com/larder-go/larder/store]: bytes by key: the interface of the second level, a store
//     in memory, Guard, Ring, Tiered and Prefix around others; store/disk is a folder that
//     processes share, store/redis and store/memcached are servers, store/compressed makes large
//     values small;
//   - [github.com/larder-go/larder/codec]: values as bytes; codec/msgpack is faster than JSON;
//   - [github.com/larder-go/larder/watch/postgres]: hears what changes in a database;
//   - [github.com/larder-go/larder/httpcache]: an HTTP cache for clients, handlers and origins;
//     proxy serves it, fragment keeps parts of pages, browsercache lets browsers keep the rest;
//   - [github.com/larder-go/larder/scrape]: fetches pages politely through it;
//   - [github.com/larder-go/larder/prefetch]: what is asked for next, loaded before;
//   - [github.com/larder-go/larder/stats]: the numbers that all of them report; dash shows them on a
//     page, metrics/prom and metrics/otel hand them on.
//
// This package links the standard library alone.
package larder

import "runtime/debug"

// Version returns the version of the module that the program was built with, or "devel" where the
// build does not know it.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	const path = "github.com/larder-go/larder"
	if info.Main.Path == path && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	for _, dep := range info.Deps {
		if dep.Path == path {
			return dep.Version
		}
	}
	return "devel"
}
