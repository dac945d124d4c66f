// links_test.go shows pictures by URL, from a server that counts.

package gallery_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/gallery"
	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/scrape"
	"github.com/larder-go/larder/store"
)

// shop serves product pictures and counts what it answers.
type shop struct {
	mu       sync.Mutex // guards the fields below
	pictures map[string][]byte
	whole    int // answers with a body
	same     int // 304
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.pictures[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	tag := `"` + string(rune('a'+len(b)%26)) + `"`
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		s.same++
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.whole++
	_, _ = w.Write(b)
}

// through is a client that does not leave the process.
type through struct{ h http.Handler }

func (t through) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	t.h.ServeHTTP(w, r)
	return w.Result(), nil
}

// ask returns what a gallery answers, without a network.
func ask(t *testing.T, g *gallery.Gallery, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/"+path, nil))
	return w
}

func TestPicturesByURLAreFetchedOnceAndMadeAgainOnlyIfTheyChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shop{pictures: map[string][]byte{"/1.jpg": jpegOf(t, photo(400, 300, 1))}}
		kept := store.NewMemory(store.MemoryOptions{})
		client := &http.Client{Transport: &httpcache.Transport{
			Base: through{s}, Store: kept, TTL: time.Minute,
		}}
		urls := []string{"https://shop.example/1.jpg", "https://shop.example/gone.jpg"}
		g, err := gallery.URLs(urls, client, gallery.Options{Store: kept, Fresh: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		thumb := "thumb/" + idOf(urls[0]) + "?size=320"
		look := func(when string, made int64, whole, same int) {
			t.Helper()
			if w := ask(t, g, thumb); w.Header().Get("Content-Type") != "image/jpeg" {
				t.Errorf("%s: %s", when, w.Header().Get("Content-Type"))
			}
			if got := g.Stats().Made; got != made || s.whole != whole || s.same != same {
				t.Errorf("%s: %d made, %d whole answers, %d not modified; want %d, %d, %d",
					when, got, s.whole, s.same, made, whole, same)
			}
		}
		look("first", 1, 1, 0)
		look("again", 1, 1, 0)
		time.Sleep(2 * time.Minute)
		look("when it is no more fresh", 1, 1, 1)
		s.pictures["/1.jpg"] = jpegOf(t, photo(500, 300, 2))
		time.Sleep(2 * time.Minute)
		look("when it has changed", 2, 2, 1)
		w := ask(t, g, "thumb/"+idOf(urls[1])+"?size=320")
		if !strings.Contains(w.Body.String(), "404") {
			t.Errorf("what is not there: %s", w.Body)
		}
	})
}

func TestOnlyListedAddressesAreAskedFor(t *testing.T) {
	s := &shop{pictures: map[string][]byte{"/1.jpg": nil, "/2.jpg": nil}}
	server := httptest.NewServer(s)
	defer server.Close()
	g, err := gallery.URLs([]string{server.URL + "/1.jpg"}, http.DefaultClient, gallery.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if w := ask(t, g, "original/"+idOf(server.URL+"/2.jpg")); w.Code != http.StatusNotFound || s.whole != 0 {
		t.Errorf("%d, %d answers", w.Code, s.whole)
	}
}

func TestAPublicTransportReachesNoPrivatePicture(t *testing.T) {
	s := &shop{pictures: map[string][]byte{"/1.jpg": jpegOf(t, photo(40, 30, 1))}}
	server := httptest.NewServer(s)
	defer server.Close()
	client := &http.Client{Transport: scrape.PublicTransport()}
	g, err := gallery.URLs([]string{server.URL + "/1.jpg"}, client, gallery.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	w := ask(t, g, "thumb/"+idOf(server.URL+"/1.jpg")+"?size=320")
	if !inWords(w.Body.String(), "not a public address") || s.whole != 0 {
		t.Errorf("%d answers: %s", s.whole, w.Body)
	}
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for _, bad := range []string{"", "ftp://x/1.jpg", "1.jpg", "http://", "http://[/1.jpg"} {
		if _, err := gallery.URLs([]string{bad}, http.DefaultClient, gallery.Options{}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
