// browsercache.go says what the package is for.

// Package browsercache lets browsers keep what they got.
//
// A browser asks for nothing twice if it was told that it need not. There are three ways to say so:
//
//   - For how long: [Public], [Private], [Immutable], [NoCache] and [NoStore] write a Cache-Control
//     that cannot contradict itself, and [With] puts it on what a handler answers with success.
//   - Which version it has: [Validate] gives each page an ETag and answers 304 instead of sending
//     it again; [Answered] does so before a page is made, where its version is known.
//   - By another name: [Assets] serves files under names that change with their content, so that
//     they may be kept for ever.
//
// A site puts them together like this:
//
//	assets, err := browsercache.NewAssets(files, browsercache.AssetOptions{})
//	page := template.Must(template.New("").Funcs(assets.Funcs()).Parse(
//		`<link rel="stylesheet" href="{{ asset "app.css" }}">`))
//	mux.Handle("/assets/", assets)
//	mux.Handle("/", browsercache.Validate(
//		browsercache.With(browsercache.NoCache(), pages), browsercache.ValidateOptions{}))
//
// All of it is for the caches of browsers. What is between them and the origin is the affair of
// package httpcache. This package links the standard library alone.
package browsercache
