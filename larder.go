// larder.go is the face of the library.

// Package larder keeps what is slow to get close to whoever needs it.
//
// [Cache] keeps values in memory, by key, within a bound that holds at every moment, and loads what
// is not there:
//
//	users := larder.New(larder.Options[int64, User]{
//		MaxEntries: 100_000,
//		TTL:        time.Minute,
//		Load:       db.User, // func(context.Context, int64) (User, error)
//	})
//	defer users.Close()
//	u, err := users.Get(ctx, 42)
//
// [Memoize] does the same for a function. Who leaves when there is no room is said by package
// [github.com/larder-go/larder/policy]; which policy and which size fit a traffic is told by
// package [github.com/larder-go/larder/sim] and the command larder.
//
// The other parts that can be used today are packages of their own:
//
//   - [github.com/larder-go/larder/store] keeps bytes by key: the interface, a store in memory,
//     views by prefix; [github.com/larder-go/larder/store/compressed] compresses what any store keeps;
//   - [github.com/larder-go/larder/store/disk] is a store in a folder that processes share;
//   - [github.com/larder-go/larder/httpcache] is an HTTP cache for http.Client;
//   - [github.com/larder-go/larder/scrape] fetches pages politely through it.
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
