// example_test.go shows how the package is used.

package browsercache_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing/fstest"
	"time"

	"github.com/larder-go/larder/browsercache"
)

// Permissions are written as they are read.
func ExamplePublic() {
	fmt.Println(browsercache.Public(time.Minute).SharedFor(time.Hour).StaleIfError(24 * time.Hour))
	fmt.Println(browsercache.Private(5 * time.Minute))
	fmt.Println(browsercache.Immutable())
	// Output:
	// public, max-age=60, stale-if-error=86400, s-maxage=3600
	// private, max-age=300
	// public, max-age=31536000, immutable
}

// A page that the browser has is not sent again.
func ExampleValidate() {
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "<p>Tea")
	})
	h := browsercache.Validate(
		browsercache.With(browsercache.NoCache(), page), browsercache.ValidateOptions{})

	r := httptest.NewRequest("GET", "/", nil)
	for range 2 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("Cache-Control"), w.Body.Len(), "bytes")
		r.Header.Set("If-None-Match", w.Header().Get("ETag"))
	}
	// Output:
	// 200 no-cache 6 bytes
	// 304 no-cache 0 bytes
}

// Where the version is known beforehand, the page need not even be made.
func ExampleAnswered() {
	changed := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	h := func(w http.ResponseWriter, r *http.Request) {
		if browsercache.Answered(w, r, browsercache.Version{Modified: changed}) {
			return
		}
		fmt.Println("the page is made")
	}
	r := httptest.NewRequest("GET", "/", nil)
	for range 2 {
		w := httptest.NewRecorder()
		h(w, r)
		fmt.Println(w.Code)
		r.Header.Set("If-Modified-Since", w.Header().Get("Last-Modified"))
	}
	// Output:
	// the page is made
	// 200
	// 304
}

// An asset has the name of its content, and may be kept for ever.
func ExampleAssets() {
	files := fstest.MapFS{"app.css": {Data: []byte("p { color: green }")}} // or an embed.FS
	assets, err := browsercache.NewAssets(files, browsercache.AssetOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	path := assets.Path("app.css")
	w := httptest.NewRecorder()
	assets.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	fmt.Println(path)
	fmt.Println(w.Header().Get("Cache-Control"))
	// Output:
	// /assets/app.25722f6db3f9f965.css
	// public, max-age=31536000, immutable
}
