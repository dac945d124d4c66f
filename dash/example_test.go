// example_test.go shows how a program shows its caches.

package dash_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/dash"
	"github.com/larder-go/larder/stats"
)

// A program serves the page beside its other pages for developers, on a port of this machine.
func Example() {
	users := larder.New(larder.Options[int, string]{
		Name: "users", MaxEntries: 1000, Observe: true,
		Load: func(context.Context, int) (string, error) { return "Ada", nil },
	})
	defer users.Close()

	page := dash.New(stats.NewSet(users), dash.Options{Version: "shop 1.0"})
	defer page.Close()
	mux := http.NewServeMux()
	mux.Handle("/debug/cache/", page)
	// go http.ListenAndServe("localhost:6060", mux)

	for range 4 {
		if _, err := users.Get(context.Background(), 1); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(ratioOf(mux, "users"))
	// Output: 0.75
}

// ratioOf asks the page as any other program may.
func ratioOf(program http.Handler, cache string) float64 {
	s := httptest.NewServer(program)
	defer s.Close()
	answer, err := http.Get(s.URL + "/debug/cache/?format=json&cache=" + cache)
	if err != nil {
		fmt.Println(err)
		return 0
	}
	defer answer.Body.Close()
	var d dash.Detail
	if err := json.NewDecoder(answer.Body).Decode(&d); err != nil {
		fmt.Println(err)
		return 0
	}
	return *d.Part.HitRatio
}
