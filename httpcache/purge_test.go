// purge_test.go holds Purge to its word: what it names has left, here and on other nodes, and
// does not come back.

package httpcache_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
	"github.com/larder-go/larder/store/redis"
)

// levels are the second levels to purge.
var levels = map[string]func(*testing.T) store.Store{
	"none":   func(*testing.T) store.Store { return nil },
	"memory": func(t *testing.T) store.Store { return memoryStore(t) },
	"disk":   func(t *testing.T) store.Store { return diskStore(t, t.TempDir()) },
	"redis":  func(t *testing.T) store.Store { return redisStore(t, servers.Redis(t).Addr) },
}

func diskStore(t testing.TB, dir string) *disk.Store {
	t.Helper()
	s, err := disk.Open(dir, disk.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func redisStore(t testing.TB, addr string) *redis.Store {
	t.Helper()
	s, err := redis.Open(redis.Options{
		Addrs: []string{addr}, Prefix: "test:", Timeout: patience, Heartbeat: patience,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// shop is a cache before a few pages, of which each has a tag or two and a number.
type shop struct {
	*view
	version atomic.Int64
	forgets bool // its memory may lack what the store has: that is not counted by a purge
}

// shopTargets are the pages; what follows the "#" is who asks, and in which language.
var shopTargets = []string{
	"/", "/tea", "/tea?size=1", "/tea?size=2", "/tea/green", "/teapot",
	"/cup#ann", "/cup#bob", "/cup#ann,de",
}

func newShop(t *testing.T, s store.Store) *shop {
	sh := &shop{}
	c := openCache(t, httpcache.Options{Store: s})
	sh.view = viewOf(t, c, httpcache.View{
		Query: []string{"size"}, Scope: byHeader("User"), Languages: []string{"en", "de"},
		Tags: []string{"shop"},
	}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60, stale-while-revalidate=60")
		w.Header().Set("Vary", "Device")
		kind, _, _ := strings.Cut(r.URL.Path[1:], "/")
		w.Header().Set("Surrogate-Key", "kind/"+kind+" "+r.Header.Get("Device"))
		fmt.Fprint(w, sh.version.Load())
		io.WriteString(w, strings.Repeat(".", 1000))
	})
	return sh
}

// visit asks for a page.
func (sh *shop) visit(target, device string) got {
	path, who, _ := strings.Cut(target, "#")
	user, language, _ := strings.Cut(who, ",")
	return sh.ask("GET", path, "User: "+user, "Accept-Language: "+language, "Device: "+device)
}

// fill asks for all pages on two devices.
func (sh *shop) fill() {
	sh.version.Add(1)
	for _, target := range shopTargets {
		sh.visit(target, "phone")
		sh.visit(target, "desk")
	}
}

// wantLeft checks that what left names is answered as o, and everything else a hit.
func (sh *shop) wantLeft(name string, left func(target string) bool, o httpcache.Outcome) {
	sh.t.Helper()
	for _, target := range shopTargets {
		want := hit
		if left(target) {
			want = o
		}
		if g := sh.visit(target, "phone"); g.Outcome != want {
			sh.t.Errorf("%s: %s: %v (%s), want %v", name, target, g.Outcome, g.Reason, want)
		}
	}
}

// purgeCase is a purge, how many responses it names, and which.
type purgeCase struct {
	purge httpcache.Purge
	count int
	left  func(target string) bool
}

func oneOf(all ...string) func(string) bool {
	return func(target string) bool { return slices.Contains(all, target) }
}

func starts(prefix string) func(string) bool {
	return func(target string) bool { return strings.HasPrefix(target, prefix) }
}

func purgeCases() []purgeCase {
	const site = "http://example.com"
	return []purgeCase{
		{httpcache.Purge{URL: site + "/tea"}, 2, oneOf("/tea")},
		{httpcache.Purge{URL: "HTTP://EXAMPLE.COM:80/tea?utm=1#x"}, 2, oneOf("/tea")},
		{httpcache.Purge{URL: site + "/tea?utm=1&size=2"}, 2, oneOf("/tea?size=2")},
		{httpcache.Purge{URL: site + "/cup"}, 6, starts("/cup")},
		{httpcache.Purge{URL: site}, 2, oneOf("/")},
		{httpcache.Purge{URL: "https://example.com/tea"}, 0, oneOf()},
		{httpcache.Purge{URL: site + "/none"}, 0, oneOf()},
		{httpcache.Purge{Prefix: site + "/tea"}, 10, starts("/tea")},
		{httpcache.Purge{Prefix: site + "/tea/"}, 2, oneOf("/tea/green")},
		{httpcache.Purge{Prefix: site}, 18, starts("/")},
		{httpcache.Purge{Prefix: "http://example.co"}, 0, oneOf()},
		{httpcache.Purge{Tag: "kind/tea"}, 8, func(target string) bool {
			return starts("/tea")(target) && target != "/teapot"
		}},
		{httpcache.Purge{Tag: "phone"}, 9, starts("/")},
		{httpcache.Purge{Tag: "shop"}, 18, starts("/")},
		{httpcache.Purge{Tag: "kind"}, 0, oneOf()},
		{httpcache.Purge{All: true}, 18, starts("/")},
	}
}

func TestAPurgeReachesWhatItNames(t *testing.T) {
	for level, open := range levels {
		t.Run(level, func(t *testing.T) {
			sh := newShop(t, open(t))
			sh.forgets = level == "redis" // which tells of our own changes, too, and later
			for _, c := range purgeCases() {
				sh.purge(c, "hard", miss)
			}
		})
	}
}

func TestASoftPurgeMakesStaleWhatItNames(t *testing.T) {
	for level, open := range levels {
		t.Run(level, func(t *testing.T) {
			sh := newShop(t, open(t))
			sh.forgets = level == "redis" // which tells of our own changes, too, and later
			for _, c := range purgeCases() {
				c.purge.Soft = true
				sh.purge(c, "soft", stale)
			}
		})
	}
}

// purge checks one purge of a full shop.
func (sh *shop) purge(c purgeCase, how string, o httpcache.Outcome) {
	sh.t.Helper()
	sh.cache.Purge(sh.t.Context(), httpcache.Purge{All: true})
	sh.fill()
	name := fmt.Sprintf("%s purge of %+v", how, c.purge)
	n, err := sh.cache.Purge(sh.t.Context(), c.purge)
	if err != nil || n > c.count || n < c.count && !sh.forgets {
		sh.t.Errorf("%s: %d responses, %v, want %d", name, n, err, c.count)
	}
	sh.wantLeft(name, c.left, o)
	await(sh.t.(*testing.T), "refreshes behind", func() bool {
		for _, target := range shopTargets {
			if sh.visit(target, "phone").Outcome != hit {
				return false
			}
		}
		return true
	})
}

func TestWhatIsNoPurgeIsRefused(t *testing.T) {
	c := openCache(t, httpcache.Options{})
	for _, p := range []httpcache.Purge{
		{}, {Soft: true}, {URL: "/path"}, {URL: "ftp://example.com/"}, {URL: "http://%zz"},
		{Prefix: "/path"}, {Prefix: "http"}, {Tag: "a", All: true}, {URL: "http://a/", Tag: "a"},
	} {
		if n, err := c.Purge(t.Context(), p); err == nil {
			t.Errorf("%+v: purged %d", p, n)
		}
	}
}

// TestASoftPurgeLeavesTheViewsTime has answers whose freshness is the view's alone.
func TestASoftPurgeLeavesTheViewsTime(t *testing.T) {
	for level, open := range map[string]func() store.Store{
		"none":   func() store.Store { return nil },
		"memory": func() store.Store { return store.NewMemory(store.MemoryOptions{}) },
	} {
		synctest.Test(t, func(t *testing.T) {
			c := openCache(t, httpcache.Options{Store: open()})
			v := viewOf(t, c, httpcache.View{TTL: time.Minute, Stale: time.Minute}, numbered())
			v.ask("GET", "/").want(t, miss, "answer 1")
			time.Sleep(time.Second)
			purge(t, c, httpcache.Purge{All: true, Soft: true}, 1)
			time.Sleep(time.Second) // what is asked for at the same instant is not kept
			v.ask("GET", "/").want(t, stale, "answer 1")
			synctest.Wait()
			v.ask("GET", "/").want(t, hit, "answer 2")
			time.Sleep(30 * time.Second)
			purge(t, c, httpcache.Purge{All: true, Soft: true}, 1)
			time.Sleep(61 * time.Second)
			if g := v.ask("GET", "/"); g.Outcome != miss {
				t.Errorf("%s: 61 s after a soft purge: %v", level, g.Outcome)
			}
		})
	}
}

func purge(t *testing.T, c *httpcache.Cache, p httpcache.Purge, want int) {
	t.Helper()
	if n, err := c.Purge(t.Context(), p); n != want || err != nil {
		t.Errorf("%+v: purged %d, %v, want %d", p, n, err, want)
	}
}

func TestWhatMustRevalidateDoesSoAfterASoftPurge(t *testing.T) {
	view := httpcache.View{Stale: time.Minute}
	v := newView(t, view, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60, must-revalidate")
		w.Header().Set("Etag", `"1"`)
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		io.WriteString(w, "x")
	})
	v.ask("GET", "/").want(t, miss, "x")
	purge(t, v.cache, httpcache.Purge{All: true, Soft: true}, 1)
	v.ask("GET", "/").want(t, revalidated, "x")
	v.ask("GET", "/").want(t, hit, "x")
	v.wantAsked(2)
}

func TestWhatIsSoftlyPurgedStandsInForAFailingHandler(t *testing.T) {
	var down atomic.Bool
	c := openCache(t, httpcache.Options{StaleIfError: time.Hour})
	v := viewOf(t, c, httpcache.View{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		io.WriteString(w, "x")
	})
	v.ask("GET", "/").want(t, miss, "x")
	down.Store(true)
	purge(t, c, httpcache.Purge{All: true, Soft: true}, 1)
	v.ask("GET", "/").want(t, stale, "x")
	v.wantAsked(2)
}

// TestALoadUnderWayIsNotKeptWhenItIsPurged purges while the handler writes, and asks again: who
// asks after the purge gets what is made after it.
func TestALoadUnderWayIsNotKeptWhenItIsPurged(t *testing.T) {
	const url = "http://example.com/"
	for _, p := range []httpcache.Purge{
		{URL: url}, {Prefix: url}, {Tag: "tag"}, {All: true},
		{URL: url, Soft: true}, {Tag: "tag", Soft: true},
	} {
		for level, s := range map[string]store.Store{"memory": memoryStore(t), "none": nil} {
			begun, goOn := make(chan struct{}, 1), make(chan struct{})
			var n atomic.Int64
			c := openCache(t, httpcache.Options{Store: s})
			v := viewOf(t, c, httpcache.View{}, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Cache-Control", "max-age=60")
				w.Header().Set("Cache-Tag", "other,tag")
				version := n.Add(1)
				if version == 1 {
					w.(http.Flusher).Flush()
					begun <- struct{}{}
					<-goOn
				}
				fmt.Fprint(w, "version ", version)
			})
			var first sync.WaitGroup
			first.Go(func() { v.ask("GET", "/").want(t, miss, "version 1") })
			<-begun
			if _, err := c.Purge(t.Context(), p); err != nil {
				t.Error(err)
			}
			if g := askWithin(t, v); g.body != "version 2" {
				t.Errorf("%+v, store %s: after the purge, got %q", p, level, g.body)
			}
			close(goOn)
			first.Wait()
			if g := v.ask("GET", "/"); g.body == "version 1" {
				t.Errorf("%+v, store %s: what was purged is kept", p, level)
			}
		}
	}
}

// askWithin asks, but not for longer than it may take.
func askWithin(t *testing.T, v *view) (g got) {
	t.Helper()
	done := make(chan got, 1)
	go func() { done <- v.ask("GET", "/") }()
	select {
	case g = <-done:
	case <-time.After(patience):
	}
	return g
}

// gatedStore waits at one operation, once.
type gatedStore struct {
	store.Store
	op            string
	used          atomic.Bool
	reached, goOn chan struct{}
}

func newGatedStore(t *testing.T, op string) *gatedStore {
	return &gatedStore{
		Store: memoryStore(t), op: op, reached: make(chan struct{}), goOn: make(chan struct{}),
	}
}

func (s *gatedStore) gate(op string) {
	if op == s.op && s.used.CompareAndSwap(false, true) {
		close(s.reached)
		<-s.goOn
	}
}

func (s *gatedStore) Get(ctx context.Context, key string) (store.Item, error) {
	item, err := s.Store.Get(ctx, key)
	if err == nil {
		s.gate("got")
	}
	return item, err
}

func (s *gatedStore) Set(ctx context.Context, key string, item store.Item) error {
	s.gate("set")
	return s.Store.Set(ctx, key, item)
}

// Clear implements store.Clearer.
func (s *gatedStore) Clear(ctx context.Context) error { return store.Clear(ctx, s.Store) }

// TestAPurgeOvertakesWhatTheStoreDoes purges while a response is on its way into the store, or
// out of it into memory.
func TestAPurgeOvertakesWhatTheStoreDoes(t *testing.T) {
	for _, op := range []string{"set", "got"} {
		s := newGatedStore(t, op)
		if op == "got" {
			viewOf(t, openCache(t, httpcache.Options{Store: s.Store}), httpcache.View{},
				numbered(forAMinute)).ask("GET", "/")
		}
		c := openCache(t, httpcache.Options{Store: s})
		v := viewOf(t, c, httpcache.View{}, numbered(forAMinute))
		var first sync.WaitGroup
		first.Go(func() { v.ask("GET", "/") })
		<-s.reached
		_, err := c.Purge(t.Context(), httpcache.Purge{URL: "http://example.com/"})
		if err != nil {
			t.Errorf("%s: %v", op, err)
		}
		close(s.goOn)
		first.Wait()
		v.ask("GET", "/")
		if g := v.ask("GET", "/"); g.Outcome != hit {
			t.Errorf("%s: %v", op, g.Outcome)
		}
		if want := map[string]int64{"set": 2, "got": 1}[op]; v.asked.Load() != want {
			t.Errorf("%s: the handler was asked %d times, want %d: what was purged is served",
				op, v.asked.Load(), want)
		}
	}
}

// lateStore holds up the first Set, before and after it is done.
type lateStore struct {
	strictStore
	used                         atomic.Bool
	reached, goOn, landed, leave chan struct{}
}

func (s *lateStore) Set(ctx context.Context, key string, item store.Item) error {
	if !s.used.CompareAndSwap(false, true) {
		return s.strictStore.Set(ctx, key, item)
	}
	close(s.reached)
	<-s.goOn
	err := s.strictStore.Set(ctx, key, item)
	close(s.landed)
	<-s.leave
	return err
}

// TestWhatIsPurgedOnItsWayIsNotReadBack has a response arrive in the store after its purge, and
// somebody ask before the cache has taken it out again.
func TestWhatIsPurgedOnItsWayIsNotReadBack(t *testing.T) {
	s := &lateStore{
		strictStore: strictStore{memoryStore(t)}, reached: make(chan struct{}),
		goOn: make(chan struct{}), landed: make(chan struct{}), leave: make(chan struct{}),
	}
	c := openCache(t, httpcache.Options{Store: s})
	v := viewOf(t, c, httpcache.View{}, numbered(forAMinute))
	var first sync.WaitGroup
	first.Go(func() { v.ask("GET", "/").want(t, miss, "answer 1") })
	<-s.reached
	v.ask("POST", "/")
	close(s.goOn)
	<-s.landed
	v.ask("GET", "/").want(t, miss, "answer 3")
	close(s.leave)
	first.Wait()
	if g := v.ask("GET", "/"); g.body == "answer 1" {
		t.Errorf("what was purged is there again (%v)", g.Outcome)
	}
}

// TestAPurgeOfOneNodeReachesTheMemoryOfAnother has two nodes on one Redis.
func TestAPurgeOfOneNodeReachesTheMemoryOfAnother(t *testing.T) {
	addr := servers.Redis(t).Addr
	here, there := newShop(t, redisStore(t, addr)), newShop(t, redisStore(t, addr))
	for _, kind := range []httpcache.Outcome{miss, stale} {
		for _, c := range purgeCases() {
			c.purge.Soft = kind == stale
			if c.count > 0 {
				purgeInTime(t, here, there, c)
			}
		}
	}
}

// purgeInTime wants a purge to arrive there within a second. A busy machine can only make it later,
// so one good attempt of three is enough.
func purgeInTime(t *testing.T, here, there *shop, c purgeCase) {
	t.Helper()
	for n := 1; ; n++ {
		took := purgeThere(t, here, there, c)
		if took <= time.Second {
			return
		}
		if n == 3 {
			t.Errorf("%+v: arrived after %v", c.purge, took)
			return
		}
	}
}

// purgeThere purges here and waits until all that left there is no hit any more. It returns how
// long that took.
func purgeThere(t *testing.T, here, there *shop, c purgeCase) (took time.Duration) {
	t.Helper()
	if _, err := here.cache.Purge(t.Context(), httpcache.Purge{All: true}); err != nil {
		t.Fatal(err)
	}
	here.fill()
	all := func(is func(got) bool) func() bool {
		return func() bool {
			for _, target := range shopTargets {
				if !is(there.visit(target, "phone")) {
					return false
				}
			}
			return true
		}
	}
	version := fmt.Sprint(here.version.Load(), ".")
	await(t, "the pages", all(func(g got) bool { return strings.HasPrefix(g.body, version) }))
	asked, begun := there.asked.Load(), time.Now()
	if _, err := here.cache.Purge(t.Context(), c.purge); err != nil {
		t.Errorf("%+v: %v", c.purge, err)
	}
	for _, target := range shopTargets {
		if c.left(target) {
			await(t, "the purge", func() bool {
				return there.visit(target, "phone").Outcome != hit
			})
		}
	}
	took = time.Since(begun)
	await(t, "refreshes behind", all(func(g got) bool { return g.Outcome == hit }))
	for _, target := range shopTargets {
		g := there.visit(target, "phone")
		if !c.left(target) && !strings.HasPrefix(g.body, version) {
			t.Errorf("%+v: %s left, too", c.purge, target)
		}
	}
	if there.asked.Load() == asked {
		t.Errorf("%+v: the handler there was not asked", c.purge)
	}
	return took
}
