// record_test.go records, and reads what was recorded.

package dash_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/larder-go/larder/dash"
	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/trace"
)

// recorded returns what a request for a recording is answered with.
func recorded(t *testing.T, part *rich, query string) *httptest.ResponseRecorder {
	t.Helper()
	var w *httptest.ResponseRecorder
	synctest.Test(t, func(t *testing.T) {
		h := dash.New(stats.NewSet(part), dash.Options{})
		w = do(h, from("GET", "/debug/cache?cache=users&"+query))
	})
	return w
}

func TestARecordingIsATraceThatTheSimulatorReads(t *testing.T) {
	part := users()
	part.keys.stream = []stats.Access{{Key: 1 << 60}, {Key: 7, Weight: 300, Hit: true},
		{Key: 1 << 60, Weight: 50, Hit: true}, {Key: 7}, {Key: 9}}
	w := recorded(t, part, "record=10s")
	name := w.Header().Get("Content-Disposition")
	if w.Code != 200 || !strings.HasPrefix(name, `attachment; filename=users-`) {
		t.Fatalf("%d, %q: %s", w.Code, name, w.Body)
	}
	got, err := trace.Read(w.Body, trace.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := []uint32{0, 1, 0, 1, 2}; !slices.Equal(got.Keys, want) || got.Distinct != 3 {
		t.Errorf("keys: %v of %d, want %v of 3", got.Keys, got.Distinct, want)
	}
	if want := []uint32{50, 300, 50, 300, 1}; !slices.Equal(got.Sizes, want) {
		t.Errorf("sizes: %v, want %v: a miss has the weight that its key had later", got.Sizes, want)
	}
}

func TestARecordingIsBounded(t *testing.T) {
	part := users()
	for i := range 100 {
		part.keys.stream = append(part.keys.stream, stats.Access{Key: uint64(i)})
	}
	z, err := gzip.NewReader(bytes.NewReader(recorded(t, part, "record=1s&most=10").Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || len(b) != 240 {
		t.Errorf("%d bytes, %v; want ten records of 24", len(b), err)
	}
}

func TestARecordingOfNothingSaysSo(t *testing.T) {
	w := recorded(t, users(), "record=10s")
	if w.Code != 404 || !strings.Contains(w.Body.String(), "nobody asked for anything in 10s") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestOneRecordsAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		part := users()
		part.keys.stream = []stats.Access{{Key: 1}}
		h := dash.New(stats.NewSet(part), dash.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan int)
		go func() {
			w := do(h, from("GET", "/?cache=users&record=5m").WithContext(ctx))
			done <- w.Body.Len()
		}()
		synctest.Wait()
		if w := do(h, from("GET", "/?cache=users&record=1s")); w.Code != 409 {
			t.Errorf("a second one: %d %s, want 409", w.Code, w.Body)
		}
		cancel() // the client is gone
		<-done
		if w := do(h, from("GET", "/?cache=users&record=1s")); w.Code != 200 {
			t.Errorf("after the first one: %d %s, want 200", w.Code, w.Body)
		}
	})
}

func TestFileNamesAreHarmless(t *testing.T) {
	for name, want := range map[string]string{
		"users": "users", "../../etc/passwd": "etc-passwd", "ключи": "cache", "a b\"c\r\n": "a-b-c",
		strings.Repeat("x", 300): strings.Repeat("x", 60),
	} {
		part := users()
		part.shot.Name = name
		part.keys.stream = []stats.Access{{Key: 1}}
		synctest.Test(t, func(t *testing.T) {
			h := dash.New(stats.NewSet(part), dash.Options{})
			r := from("GET", "/")
			q := r.URL.Query()
			q.Set("cache", name)
			q.Set("record", "1s")
			r.URL.RawQuery = q.Encode()
			got := do(h, r).Header().Get("Content-Disposition")
			if !strings.HasPrefix(got, fmt.Sprintf("attachment; filename=%s-2", want)) {
				t.Errorf("%q: %s, want %s", name, got, want)
			}
		})
	}
}
