// security_raw_test.go attacks the shared cache from beside and below: bytes on the wire, races,
// stores of strangers, and more of everything than is good.

package httpcache_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/store"
)

// forged are values by which a handler that does not look would write fields of its client's.
var forged = []string{
	"a\r\nSet-Cookie: evil=1", "a\nSet-Cookie: evil=1", "a\rSet-Cookie: evil=1",
	"a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "\r\n", "a\r\n b",
}

// What a handler lets slip into its header splits no answer, be it new or kept. (A NUL goes out as
// net/http lets it, and clients refuse it; one of an origin over the network never gets here.)
func TestFieldsOfTheOriginSplitNoAnswer(t *testing.T) {
	for _, name := range []string{
		"X", "Surrogate-Key", "Cache-Status", "Etag", "Location", "Vary", "Age",
	} {
		for _, value := range forged {
			f := serveRaw(t, openCache(t, httpcache.Options{Store: memoryStore(t)}).Middleware(
				http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Cache-Control", "max-age=60")
					w.Header()[name] = []string{value}
					w.Header()["X Y\r\nEvil"] = []string{"z"}
					io.WriteString(w, "hello")
				}), httpcache.View{}))
			for range 2 {
				a := f.get("/a") // which checks each line of the header
				if a.status != 200 || a.header["Set-Cookie"] != nil || a.header["Evil"] != nil ||
					a.body != "hello" {
					t.Errorf("%s %q: %v %v", name, value, a, a.header)
				}
			}
		}
	}
}

// A key, and what is told of it, has no byte by which a log or a terminal could be misled.
func TestErrorsNameKeysWithoutControlBytes(t *testing.T) {
	var told []string
	p := newStoredPrey(t, mirror(), httpcache.Origin{}, httpcache.Options{
		Store: brokenStore{}, OnError: func(err error) { told = append(told, err.Error()) },
	})
	for _, target := range []string{
		"/%0a%1b[31m", "/a?\u009b31m", "/a\u2028b", "/\xff\x9b2J", "/\u202etxt.exe",
	} {
		w := p.ask("GET "+target, "Host: EXAMPLE.com")
		told = append(told, fmt.Sprint(w.Header()["Cache-Status"]))
	}
	for _, text := range told {
		for _, c := range text {
			if c < ' ' || c > '~' {
				t.Errorf("%q holds %U", text, c)
				break
			}
		}
	}
}

// hookedStore calls before and after what it does.
type hookedStore struct {
	store.Store
	got, setting func(key string)
}

func (s *hookedStore) Get(ctx context.Context, key string) (store.Item, error) {
	item, err := s.Store.Get(ctx, key)
	if s.got != nil {
		s.got(key)
	}
	return item, err
}

func (s *hookedStore) Set(ctx context.Context, key string, item store.Item) error {
	if s.setting != nil {
		s.setting(key)
	}
	return s.Store.Set(ctx, key, item)
}

// purging returns a function of a key that purges /a of the prey the first time it is called.
func purging(t *testing.T, p **prey) func(string) {
	var once sync.Once
	return func(string) {
		once.Do(func() {
			purge := httpcache.Purge{URL: "http://example.com/a"}
			if _, err := (*p).cache.Purge(context.Background(), purge); err != nil {
				t.Error(err)
			}
		})
	}
}

// counting answers with how often it was asked.
func counting(lines ...string) func(*http.Request) *http.Response {
	var n atomic.Int64
	return func(*http.Request) *http.Response {
		return answer(200, fmt.Sprint(n.Add(1)), append(lines, "Cache-Control: max-age=60")...)
	}
}

// A purge may come between any two steps of a load or of a look into the store.
func TestPurgesRaceWithLoadsAndLooks(t *testing.T) {
	t.Run("while a load is stored", func(t *testing.T) {
		s := &hookedStore{Store: memoryStore(t)}
		p := newStoredPrey(t, counting(), httpcache.Origin{}, httpcache.Options{Store: s})
		s.setting = purging(t, &p)
		p.ask("GET /a")
		if body := p.ask("GET /a").Body.String(); body != "2" {
			t.Errorf("after the purge /a is %s", body)
		}
	})
	t.Run("while the store is read", func(t *testing.T) {
		s := &hookedStore{Store: memoryStore(t)}
		other := newStoredPrey(t, counting(), httpcache.Origin{}, httpcache.Options{Store: s})
		other.ask("GET /a")
		p := newStoredPrey(t, counting("X: new"), httpcache.Origin{}, httpcache.Options{Store: s})
		s.got = purging(t, &p)
		p.ask("GET /a")
		if w := p.ask("GET /a"); w.Header().Get("X") != "new" {
			t.Error("after the purge /a is what was read before")
		}
	})
	t.Run("while a 304 is stored", func(t *testing.T) {
		s := &hookedStore{Store: memoryStore(t)}
		var n atomic.Int64
		p := newStoredPrey(t, func(r *http.Request) *http.Response {
			if n.Add(1) == 2 {
				return answer(304, "", `Etag: "a"`, "Cache-Control: max-age=60")
			}
			return answer(200, fmt.Sprint(n.Load()), `Etag: "a"`, "Cache-Control: max-age=60")
		}, httpcache.Origin{}, httpcache.Options{Store: s})
		p.ask("GET /a")
		s.setting = purging(t, &p)
		p.ask("GET /a", "Cache-Control: no-cache")
		if body := p.ask("GET /a").Body.String(); body != "3" {
			t.Errorf("after the purge /a is %s", body)
		}
	})
}

// swap lets the store give out each item under the key of the other.
func swap(t *testing.T, s store.Store, a, b string) {
	t.Helper()
	ctx := context.Background()
	one, errA := s.Get(ctx, a)
	two, errB := s.Get(ctx, b)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	s.Set(ctx, a, two)
	s.Set(ctx, b, one)
}

// A store that mixes its keys up breaks its promise; it is noticed all the same.
func TestItemsUnderAnotherKeyAreNotServed(t *testing.T) {
	large := strings.Repeat("x", 300<<10)
	for name, body := range map[string]string{"small": "x", "large": large} {
		t.Run(name, func(t *testing.T) {
			s := memoryStore(t)
			reply := func(r *http.Request) *http.Response {
				return answer(200, r.URL.Path+body, "Cache-Control: max-age=60")
			}
			first := newStoredPrey(t, reply, httpcache.Origin{}, httpcache.Options{Store: s})
			first.ask("GET /a")
			first.ask("GET /b")
			swap(t, s, "http://example.com/a", "http://example.com/b")
			second := newStoredPrey(t, reply, httpcache.Origin{}, httpcache.Options{Store: s})
			if got := second.ask("GET /a").Body.String(); got != "/a"+body {
				t.Errorf("/a is the answer to %.2s", got)
			}
		})
	}
}

// Whatever is done to the bytes of a header in the store, nobody gets anything but the truth.
func TestDamagedItemsAreLoadedAgain(t *testing.T) {
	ctx, key := context.Background(), "http://example.com/a"
	s := memoryStore(t)
	reply := always(200, "hello", "Cache-Control: max-age=60")
	newStoredPrey(t, reply, httpcache.Origin{}, httpcache.Options{Store: s}).ask("GET /a")
	item, err := s.Get(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(item.Value) - len("hello") {
		bad := item
		bad.Value = bytes.Clone(item.Value)
		bad.Value[i] ^= 0x41
		s.Set(ctx, key, bad)
		p := newStoredPrey(t, reply, httpcache.Origin{}, httpcache.Options{Store: s})
		if w := p.ask("GET /a"); w.Code != 200 || w.Body.String() != "hello" || p.asked() != 1 {
			t.Errorf("byte %d: %d %q, asked %d times", i, w.Code, w.Body, p.asked())
		}
	}
}

// oneItem is a store that says the same to every question.
type oneItem struct {
	brokenStore
	item store.Item
}

func (s oneItem) Get(context.Context, string) (store.Item, error) { return s.item, nil }

func TestHugeItemsOfAStoreCostLittle(t *testing.T) {
	huge := append([]byte("LHC\x02\xff\xff\xff\x7f"), make([]byte, 4<<20)...)
	p := newStoredPrey(t, mirror(), httpcache.Origin{}, httpcache.Options{
		Store: oneItem{item: store.Item{Value: huge}},
	})
	before := heap()
	for range 20 {
		p.ask("GET /a")
	}
	if grown := heap() - before; grown > 4<<20 {
		t.Errorf("%d bytes are in use after", grown)
	}
}

// heap is how many bytes are in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// bounded checks that what is asked for in a loop stays within a few times the bound of memory.
func bounded(t *testing.T, p *prey, n int, ask func(i int)) {
	t.Helper()
	ask(0)
	before := heap()
	for i := range n {
		ask(i)
	}
	if grown := heap() - before; grown > 3*bound {
		t.Errorf("%d bytes more are in use, with a bound of %d", grown, bound)
	}
	if w := p.cache.Stats().Weight; w > bound {
		t.Errorf("weight %d, bound %d", w, bound)
	}
}

const bound = 2 << 20

func TestMemoryIsBounded(t *testing.T) {
	kilobyte := strings.Repeat("x", 1<<10)
	page := func(t *testing.T, lines ...string) *prey {
		lines = append(lines, "Cache-Control: max-age=60")
		reply := func(*http.Request) *http.Response { return answer(200, kilobyte, lines...) }
		p := newStoredPrey(t, reply, httpcache.Origin{}, httpcache.Options{Memory: bound})
		return p
	}
	forgets := func(p *prey) { p.mu.Lock(); p.got = nil; p.mu.Unlock() }
	t.Run("variants of one URL", func(t *testing.T) {
		p := page(t, "Vary: User-Agent")
		bounded(t, p, 4000, func(i int) {
			p.ask("GET /a", fmt.Sprint("User-Agent: ", i))
			forgets(p)
		})
	})
	t.Run("query strings", func(t *testing.T) {
		p := page(t)
		bounded(t, p, 4000, func(i int) { p.ask(fmt.Sprint("GET /a?", i)); forgets(p) })
	})
	t.Run("long query strings that are not kept", func(t *testing.T) {
		p := page(t, "Set-Cookie: a")
		long := strings.Repeat("q", 7<<10)
		bounded(t, p, 4000, func(i int) { p.ask(fmt.Sprint("GET /a?", i, long)); forgets(p) })
	})
	t.Run("tags", func(t *testing.T) {
		tags := make([]string, 20_000)
		for i := range tags {
			tags[i] = fmt.Sprintf("k%d", i)
		}
		p := page(t, "Surrogate-Key: "+strings.Join(tags, " "))
		bounded(t, p, 10, func(i int) { p.ask(fmt.Sprint("GET /a?", i)); forgets(p) })
	})
	t.Run("tags of their own", func(t *testing.T) {
		n := 0
		reply := func(*http.Request) *http.Response {
			var b strings.Builder
			for range 1000 {
				n++
				fmt.Fprintf(&b, "k%d ", n)
			}
			return answer(200, "x", "Cache-Control: max-age=60", "Surrogate-Key: "+b.String())
		}
		p := newStoredPrey(t, reply, httpcache.Origin{}, httpcache.Options{Memory: bound})
		bounded(t, p, 300, func(i int) { p.ask(fmt.Sprint("GET /a?", i)); forgets(p) })
	})
}

// A Vary that is longer than any honest one costs its origin hits, not the cache its time.
func TestLongVaryCostsLittle(t *testing.T) {
	names := make([]string, 50_000)
	for i := range names {
		names[i] = fmt.Sprintf("x-%d", i)
	}
	p := newPrey(t, mirror("Vary: "+strings.Join(names, ", ")), httpcache.Origin{})
	p.ask("GET /a")
	began := time.Now()
	const n = 20
	for range n {
		p.ask("GET /a")
	}
	if each := time.Since(began) / n; each > 100*time.Millisecond {
		t.Errorf("a request takes %v", each)
	}
}

// A client that changes something makes one URL leave, and nobody look at all the others.
func TestUnsafeRequestsCostNoMoreWhenMuchIsKept(t *testing.T) {
	cost := func(kept int) time.Duration {
		p := newPrey(t, always(200, "", "Cache-Control: max-age=60"), httpcache.Origin{})
		for i := range kept {
			p.ask(fmt.Sprint("GET /", i))
		}
		best := time.Minute
		for range 5 {
			began := time.Now()
			for range 20 {
				p.ask("POST /a", "Content-Length: 0")
			}
			best = min(best, time.Since(began)/20)
		}
		return best
	}
	if few, many := cost(10), cost(10_000); many > 3*few+300*time.Microsecond {
		t.Errorf("a POST takes %v with 10 responses kept, %v with 10,000", few, many)
	}
}

// Of those who read the same long body, one that stands still holds up itself alone.
func TestReaderThatStandsStillHoldsUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 1 << 20
		reply := func(*http.Request) *http.Response {
			resp := answer(200, strings.Repeat("x", size), "Cache-Control: max-age=60")
			resp.ContentLength = -1
			return resp
		}
		p := newStoredPrey(t, reply, httpcache.Origin{}, httpcache.Options{Memory: 256 << 10})
		slow := &stuckWriter{ResponseRecorder: httptest.NewRecorder(), stuck: make(chan struct{})}
		opened := make(chan struct{})
		p.reply = func(r *http.Request) *http.Response { <-opened; return reply(r) }
		quick := httptest.NewRecorder()
		first, second := wire(t, "GET /a"), wire(t, "GET /a")
		go p.handler.ServeHTTP(quick, first)
		synctest.Wait()
		go func() {
			defer func() { _ = recover() }() // its body may be cut off
			p.handler.ServeHTTP(slow, second)
		}()
		synctest.Wait()
		close(opened)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if n := quick.Body.Len(); n != size {
			t.Errorf("the quick one has %d of %d bytes", n, size)
		}
		close(slow.stuck)
		synctest.Wait()
	})
}

// stuckWriter takes nothing until it is let go.
type stuckWriter struct {
	*httptest.ResponseRecorder
	stuck chan struct{}
}

func (w *stuckWriter) Write(b []byte) (int, error) {
	<-w.stuck
	return w.ResponseRecorder.Write(b)
}

// What others in the chain do to the header of one answer must not reach another's.
func TestHeadersOfOneAnswerAreNobodyElses(t *testing.T) {
	for name, spoil := range map[string]func(http.Header){
		"adding": func(h http.Header) {
			for field := range maps.Clone(h) {
				h.Add(field, "spoiled")
			}
		},
		"in place": func(h http.Header) {
			for _, values := range h {
				values[0] = "spoiled"
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			hello := always(200, "hello", "Cache-Control: max-age=60", "X-A: one", "X-A: two")
			p := newPrey(t, hello, httpcache.Origin{})
			spoiling := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				p.handler.ServeHTTP(w, r)
				delete(w.Header(), "Content-Type") // which is there without a value
				spoil(w.Header())
			})
			var all sync.WaitGroup
			for range 50 {
				all.Go(func() { through(t, spoiling, "GET /a") })
			}
			all.Wait()
			if h := p.ask("GET /a").Header(); strings.Contains(fmt.Sprint(h), "spoiled") {
				t.Errorf("the next one got %v", h)
			}
		})
	}
}

// A client that leaves early may have its request changed by others while the load goes on.
func TestLoadsGoByTheRequestAsItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := make(chan struct{})
		p := newPrey(t, func(r *http.Request) *http.Response {
			<-opened
			who := r.Header.Get("Authorization")
			return answer(200, "page of "+who, "Cache-Control: max-age=60")
		}, httpcache.Origin{})
		ctx, leave := context.WithCancel(t.Context())
		r := wire(t, "GET /a", "Authorization: alice").WithContext(ctx)
		go func() {
			p.handler.ServeHTTP(httptest.NewRecorder(), r)
			delete(r.Header, "Authorization")
		}()
		synctest.Wait()
		leave()
		synctest.Wait()
		close(opened)
		synctest.Wait()
		if body := p.ask("GET /a").Body.String(); strings.Contains(body, "alice") {
			t.Errorf("a stranger got %q", body)
		}
	})
}

// Whose page it is was said when it was asked for: sessions end while origins think.
func TestScopesAreAskedOnce(t *testing.T) {
	asked := 0
	view := httpcache.View{Scope: func(*http.Request) string {
		if asked++; asked == 1 {
			return "alice"
		}
		return ""
	}}
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("No-Vary-Search", `params=("utm")`) // makes a new key of the URL
		w.Header().Set("Content-Location", r.RequestURI)
		io.WriteString(w, "page of "+r.Header.Get("User"))
	})
	h := openCache(t, httpcache.Options{}).Middleware(next, view)
	for _, method := range []string{"GET", "POST"} {
		asked = 0
		through(t, h, method+" /"+method+"?x", "User: alice", "Content-Length: 0")
		if body := through(t, h, "GET /"+method+"?x").Body.String(); body != "page of " {
			t.Errorf("after %s a stranger got %q", method, body)
		}
	}
}

// However many loads there are, who waits for one does not lose it because its first has gone.
func TestLeaderThatLeavesTakesNobodyAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := make(chan struct{})
		p := newPrey(t, func(r *http.Request) *http.Response {
			select {
			case <-opened:
				return answer(200, "hello", "Cache-Control: max-age=60")
			case <-r.Context().Done():
				return answer(502, "given up")
			}
		}, httpcache.Origin{})
		for i := range 400 {
			r := wire(t, fmt.Sprint("GET /", i))
			go p.handler.ServeHTTP(httptest.NewRecorder(), r)
		}
		ctx, leave := context.WithCancel(t.Context())
		first, second := wire(t, "GET /a").WithContext(ctx), wire(t, "GET /a")
		w := httptest.NewRecorder()
		go p.handler.ServeHTTP(httptest.NewRecorder(), first)
		synctest.Wait()
		go p.handler.ServeHTTP(w, second)
		synctest.Wait()
		leave()
		synctest.Wait()
		close(opened)
		synctest.Wait()
		if w.Code != 200 || w.Body.String() != "hello" {
			t.Errorf("the second got %d %s", w.Code, w.Body)
		}
	})
}

// A cache behind a cache must not write into the Result of a request to the first.
func TestTrackHearsOfOneCacheAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPrey(t, counting(), httpcache.Origin{})
		outer := httpcache.New(httpcache.Options{})
		defer outer.Close()
		h := outer.Middleware(inner.handler, httpcache.View{Stale: time.Hour})
		for range 3 {
			ctx, result := httpcache.Track(t.Context())
			h.ServeHTTP(httptest.NewRecorder(), wire(t, "GET /a").WithContext(ctx))
			if result.Outcome == httpcache.Unknown {
				t.Error("nothing was told")
			}
			time.Sleep(61 * time.Second) // stale by then: the next is loaded behind
		}
		synctest.Wait()
	})
}

// Close comes when it comes: loads that just begin end, and nothing breaks.
func TestCloseRacesWithLoads(t *testing.T) {
	for range 200 {
		p := newPrey(t, counting(), httpcache.Origin{})
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() { through(t, p.handler, fmt.Sprint("GET /", i)) })
		}
		p.cache.Close()
		all.Wait()
	}
}

// rewritten is a part of a page, asked for by a handler that clones the request for the page.
func rewritten(h http.Handler, r *http.Request, path string) string {
	part := r.Clone(r.Context())
	part.URL = &url.URL{Path: path}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, part)
	return w.Body.String()
}

func TestRewrittenRequestsAreKeptByWhatIsAsked(t *testing.T) {
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		io.WriteString(w, r.URL.Path)
	})
	c := openCache(t, httpcache.Options{})
	h := c.Middleware(next, httpcache.View{})
	page := wire(t, "GET /page")
	for _, path := range []string{"/part/a", "/part/b", "/page"} {
		if got := rewritten(h, page, path); got != path {
			t.Errorf("%s is %s", path, got)
		}
	}
	a := http.StripPrefix("/a", c.Middleware(next, httpcache.View{}))
	b := http.StripPrefix("/b", c.Middleware(http.NotFoundHandler(), httpcache.View{}))
	through(t, a, "GET /a/x")
	if w := through(t, b, "GET /b/x"); w.Code != 404 {
		t.Errorf("/b/x is what is below /a: %s", w.Body)
	}
}

// Many users, pages and changes at once, for the race detector; each user gets only what is his.
func TestManyUsersAtOnceGetOnlyTheirOwn(t *testing.T) {
	p := newStoredPrey(t, func(r *http.Request) *http.Response {
		who := r.Header.Get("Cookie")
		lines := []string{"Etag: \"" + who + "\"", "Surrogate-Key: k"}
		switch r.URL.Path {
		case "/0":
			lines = append(lines, "Cache-Control: private")
		case "/1":
			lines = append(lines, "Vary: Cookie", "Cache-Control: max-age=60")
		case "/2":
			lines = append(lines, "Cache-Control: no-cache")
		}
		if r.Header.Get("If-None-Match") == `"`+who+`"` {
			return answer(304, "", lines...)
		}
		return answer(200, who, lines...)
	}, httpcache.Origin{}, httpcache.Options{Store: memoryStore(t)})
	var all sync.WaitGroup
	for user := range 16 {
		all.Go(func() {
			who := fmt.Sprint("user", user)
			for i := range 60 {
				w := p.ask(fmt.Sprint("GET /", i%4), "Cookie: "+who)
				if got := w.Body.String(); got != who {
					t.Errorf("%s got the page of %s", who, got)
				}
				if i%20 == user {
					purge := httpcache.Purge{Tag: "k", Soft: user%2 == 0}
					p.cache.Purge(context.Background(), purge)
				}
			}
		})
	}
	all.Wait()
}

// An origin may say that queries do not count, and no longer say so: then none may get the answer
// to another.
func TestQueriesThatCountAgainStayApart(t *testing.T) {
	reply := func(r *http.Request) *http.Response {
		lines := []string{"Cache-Control: max-age=60"}
		if r.URL.Query().Has("any") {
			lines = append(lines, "No-Vary-Search: params")
		}
		return answer(200, r.URL.RawQuery, lines...)
	}
	t.Run("at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newPrey(t, reply, httpcache.Origin{})
			p.ask("GET /a?any")
			p.cache.Purge(context.Background(), httpcache.Purge{All: true})
			opened := make(chan struct{})
			p.reply = func(r *http.Request) *http.Response { <-opened; return reply(r) }
			all := map[string]*httptest.ResponseRecorder{}
			for _, query := range []string{"id=1", "id=2"} {
				w, r := httptest.NewRecorder(), wire(t, "GET /a?"+query)
				all[query] = w
				go p.handler.ServeHTTP(w, r)
				synctest.Wait()
			}
			close(opened)
			synctest.Wait()
			for query, w := range all {
				if got := w.Body.String(); got != query {
					t.Errorf("?%s got the answer to ?%s", query, got)
				}
			}
		})
	})
	t.Run("one after the other", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newPrey(t, reply, httpcache.Origin{})
			p.ask("GET /a?any")
			p.cache.Purge(context.Background(), httpcache.Purge{All: true})
			opened := make(chan struct{})
			p.reply = func(r *http.Request) *http.Response {
				if r.URL.RawQuery == "id=1" {
					<-opened
				}
				return reply(r)
			}
			r := wire(t, "GET /a?id=1")
			go p.handler.ServeHTTP(httptest.NewRecorder(), r)
			synctest.Wait()
			p.ask("GET /a?id=3", "Cache-Control: no-store") // takes the rule back
			close(opened)
			synctest.Wait()
			p.ask("GET /a?any", "Cache-Control: no-store") // says it again
			if got := p.ask("GET /a?id=2").Body.String(); got == "id=1" {
				t.Errorf("?id=2 got the answer to ?%s", got)
			}
		})
	})
}

// Upgrades to another HTTP lead to a connection that no cache looks into.
func TestUpgradesToAnotherHTTPReachNoOrigin(t *testing.T) {
	p := newPrey(t, mirror(), httpcache.Origin{})
	p.ask("GET /a", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
		"HTTP2-Settings: AAMAAABkAAQAAP__")
	for _, r := range p.got {
		if r.Header["Upgrade"] != nil || r.Header["Http2-Settings"] != nil {
			t.Errorf("the origin got %v", r.Header)
		}
	}
}

func TestWebSocketsPassTheProxy(t *testing.T) {
	p := newPrey(t, mirror(), httpcache.Origin{})
	for range 2 {
		p.ask("GET /a", "Connection: Upgrade", "Upgrade: websocket")
	}
	if p.asked() != 2 || p.got[1].Header.Get("Upgrade") != "websocket" {
		t.Errorf("%d requests reached the origin, the first with %v", p.asked(), p.got[0].Header)
	}
}

var testName = regexp.MustCompile("`(proxy\\.)?(Test\\w+)(/[^`]+)?`")

// sourceOf is the text of all test files of a folder.
func sourceOf(t *testing.T, folder string) string {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range files {
		if strings.HasSuffix(f.Name(), "_test.go") {
			text, err := os.ReadFile(folder + "/" + f.Name())
			if err != nil {
				t.Fatal(err)
			}
			b.Write(text)
		}
	}
	return b.String()
}

func TestSecurityPageNamesTestsThatExist(t *testing.T) {
	page, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	source := map[string]string{"": sourceOf(t, "."), "proxy.": sourceOf(t, "../proxy")}
	names := testName.FindAllStringSubmatch(string(page), -1)
	if len(names) < 40 {
		t.Errorf("the page names %d tests only", len(names))
	}
	for _, name := range names {
		text := source[name[1]]
		if !strings.Contains(text, "func "+name[2]+"(t ") {
			t.Errorf("there is no %s", name[0])
		}
		row := strings.TrimPrefix(name[3], "/")
		if row != "" && !strings.Contains(text, `"`+row+`"`) {
			t.Errorf("there is no row of %s", name[0])
		}
	}
}
