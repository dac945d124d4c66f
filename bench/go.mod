module github.com/larder-go/larder/bench

go 1.26.0

require github.com/larder-go/larder v0.0.0

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/larder-go/larder => ../
