// example_test.go shows how a trace is read.

package trace_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/larder-go/larder/trace"
)

func ExampleRead_accessLog() {
	const lines = `10.0.0.1 - - [10/Oct/2026:13:55:36 +0000] "GET /a?x=1 HTTP/1.1" 200 1500
10.0.0.1 - - [10/Oct/2026:13:55:37 +0000] "GET /a?x=2 HTTP/1.1" 200 1500
10.0.0.1 - - [10/Oct/2026:13:55:38 +0000] "POST /a HTTP/1.1" 200 10
nobody knows what this line is
10.0.0.1 - - [10/Oct/2026:13:55:39 +0000] "GET /b HTTP/1.1" 200 300
`
	t, err := trace.Read(strings.NewReader(lines), trace.Options{Key: "{path}", KeepKeys: true})
	if err != nil {
		log.Fatal(err)
	}
	for i, key := range t.Keys {
		fmt.Println(t.Name(key), t.Sizes[i])
	}
	fmt.Println(t.Format, t.Distinct, t.Writes, t.Bad)
	// Output:
	// /a 1500
	// /a 1500
	// /b 300
	// log 2 1 {1 [{4 no [time]}]}
}
