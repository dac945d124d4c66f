// levels_test.go puts a store behind the memory of a shared cache: one that lasts, one that
// others share, one that fails.

package httpcache_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/storetest"
)

// memoryStore returns a store that ends with the test.
func memoryStore(t testing.TB) *store.Memory {
	m := store.NewMemory(store.MemoryOptions{})
	t.Cleanup(func() { m.Close() })
	return m
}

// strictStore is a store with nothing optional, that does nothing for who has gone.
type strictStore struct{ store.Store }

func (s strictStore) Get(ctx context.Context, key string) (store.Item, error) {
	if err := ctx.Err(); err != nil {
		return store.Item{}, err
	}
	return s.Store.Get(ctx, key)
}

func (s strictStore) Set(ctx context.Context, key string, item store.Item) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.Store.Set(ctx, key, item)
}

func (s strictStore) Delete(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.Store.Delete(ctx, key)
}

// bodyOf is a body of size bytes, of which no block is that of another place or version.
func bodyOf(size int, version uint64) []byte {
	filler := strings.Repeat("0123456789abcdef", 63)
	body := make([]byte, 0, size+8+len(filler))
	for n := version << 32; len(body) < size; n++ {
		body = binary.BigEndian.AppendUint64(body, n)
		body = append(body, filler...)
	}
	return body[:size]
}

// sized answers with a body of as many bytes as the path says.
func sized(w http.ResponseWriter, r *http.Request) {
	size, err := strconv.Atoi(r.URL.Path[1:])
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "max-age=60")
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Write(bodyOf(size, 0))
}

// sizes are of bodies kept with their envelope, kept apart, too large for memory, and too large
// to keep.
var sizes = []int{0, 1, 1000, 256 << 10, 256<<10 + 1, 3 << 20, 9 << 20}

// smallMemory is what caches of these tests have, at most 128 KiB of it for one body; and the
// largest body kept, in the store.
const smallMemory, mostKept = 1 << 20, 8 << 20

func TestARestartKeepsWhatIsOnDisk(t *testing.T) {
	dir := t.TempDir()
	for life := range 3 {
		disk := diskStore(t, dir)
		c := httpcache.New(httpcache.Options{Store: disk, Memory: smallMemory, MaxBody: mostKept})
		v := viewOf(t, c, httpcache.View{}, sized)
		for _, size := range sizes {
			g := v.ask("GET", fmt.Sprint("/", size))
			if want := life > 0 && size <= mostKept; (g.Outcome == hit) != want {
				t.Errorf("life %d: %d bytes: %v (%s)", life, size, g.Outcome, g.Reason)
			}
			if !bytes.Equal([]byte(g.body), bodyOf(size, 0)) {
				t.Errorf("life %d: %d bytes: wrong ones", life, size)
			}
		}
		if err := errors.Join(c.Close(), disk.Close()); err != nil {
			t.Error(err)
		}
	}
}

// TestLargeBodiesAreStreamed has 32 clients read bodies that are in no memory, whole and in part.
func TestLargeBodiesAreStreamed(t *testing.T) {
	c := openCache(t, httpcache.Options{
		Store: diskStore(t, t.TempDir()), Memory: smallMemory, MaxBody: mostKept,
	})
	v := viewOf(t, c, httpcache.View{}, sized)
	s := frontOf(t, v)
	const size = 3 << 20
	whole := bodyOf(size, 0)
	fetch(t, s.Client(), fmt.Sprint(s.URL, "/", size))
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			from, to := rand.IntN(size), size-1-i
			r, _ := http.NewRequest("GET", fmt.Sprint(s.URL, "/", size), nil)
			r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, max(from, to)))
			resp, err := s.Client().Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			part, err := io.ReadAll(resp.Body)
			want := whole[from : max(from, to)+1]
			if err != nil || resp.StatusCode != 206 || !bytes.Equal(part, want) {
				t.Errorf("%d-%d: %d, %d bytes, %v", from, to, resp.StatusCode, len(part), err)
			}
		})
	}
	all.Wait()
	v.wantAsked(1)
	if n := c.Stats(); n.Weight > smallMemory {
		t.Errorf("memory holds %d bytes", n.Weight)
	}
}

// faultCases are what a store can do to a cache.
var faultCases = map[string]func(*storetest.Faulty){
	"fails":            func(f *storetest.Faulty) { f.Fail(errBroken) },
	"hangs":            func(f *storetest.Faulty) { f.Hang() },
	"is garbled":       func(f *storetest.Faulty) { f.Garble() },
	"cannot be read":   failsAt("Get", "Open"),
	"cannot be set":    failsAt("Set", "Create", "Write"),
	"cannot be opened": failsAt("Open"),
}

func failsAt(ops ...string) func(*storetest.Faulty) {
	return func(f *storetest.Faulty) {
		f.Where(func(op, _ string) bool { return slices.Contains(ops, op) })
		f.Fail(errBroken)
	}
}

// TestABadStoreFailsNoRequest has a guarded store go wrong, before there is anything in it and
// after.
func TestABadStoreFailsNoRequest(t *testing.T) {
	for name, fault := range faultCases {
		for _, filled := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", filled ", filled), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { badStore(t, fault, filled) })
			})
		}
	}
}

func badStore(t *testing.T, fault func(*storetest.Faulty), filled bool) {
	faulty := storetest.NewFaulty(store.NewMemory(store.MemoryOptions{}))
	guarded := store.NewGuard(faulty, store.GuardOptions{})
	defer guarded.Close()
	var heard atomic.Int64
	options := httpcache.Options{
		Store: guarded, Memory: smallMemory, OnError: func(error) { heard.Add(1) },
	}
	visit := func(c *httpcache.Cache) {
		v := viewOf(t, c, httpcache.View{}, sized)
		for range 2 {
			for _, size := range []int{1, 1000, 300 << 10, 1 << 20} {
				begun := time.Now()
				g := v.ask("GET", fmt.Sprint("/", size))
				if g.StatusCode != 200 || !bytes.Equal([]byte(g.body), bodyOf(size, 0)) {
					t.Errorf("%d bytes: got %d, %d bytes (%s)",
						size, g.StatusCode, len(g.body), g.Reason)
				}
				if took := time.Since(begun); took > 3*time.Second {
					t.Errorf("%d bytes: took %v", size, took)
				}
			}
		}
		v.ask("POST", "/1")
	}
	if filled {
		c := httpcache.New(options)
		visit(c)
		c.Close()
	}
	fault(faulty)
	c := httpcache.New(options)
	visit(c)
	if filled && heard.Load() == 0 {
		t.Error("nobody heard of it")
	}
	faulty.Heal()
	time.Sleep(time.Minute)
	visit(c)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// TestBytesThatAreDamagedAreNeverServed flips each byte of an envelope in turn, and cuts it.
func TestBytesThatAreDamagedAreNeverServed(t *testing.T) {
	s := memoryStore(t)
	h := numbered(forAMinute, "Content-Type: text/plain")
	askFresh := func() got { // with an empty memory
		c := httpcache.New(httpcache.Options{Store: s})
		defer c.Close()
		return viewOf(t, c, httpcache.View{}, h).ask("GET", "/")
	}
	askFresh()
	key := keys(t, s)[0]
	whole, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	body := len("answer 1")
	damage := func(what string, value []byte) {
		item := whole
		item.Value = value
		if err := s.Set(t.Context(), key, item); err != nil {
			t.Fatal(err)
		}
		if g := askFresh(); g.Outcome != miss || !strings.HasPrefix(g.body, "answer ") {
			t.Errorf("%s: %v (%s) %q", what, g.Outcome, g.Reason, g.body)
		}
	}
	for i := range len(whole.Value) - body {
		value := bytes.Clone(whole.Value)
		value[i] ^= 1 << (i % 8)
		damage(fmt.Sprint("a bit of byte ", i), value)
		damage(fmt.Sprint("cut after ", i), whole.Value[:i])
	}
	damage("a byte more", append(bytes.Clone(whole.Value), 0))
	older := bytes.Clone(whole.Value)
	older[3]--
	damage("another version", resealed(older, body))
}

// resealed corrects the checksum of an envelope, behind which body bytes follow.
func resealed(value []byte, body int) []byte {
	sum := crc32.Checksum(value[12:len(value)-body], crc32.MakeTable(crc32.Castagnoli))
	binary.LittleEndian.PutUint32(value[8:], sum)
	return value
}

// TestWhatAnotherNodeRefreshedIsTaken has two nodes on stores that tell and that do not.
func TestWhatAnotherNodeRefreshedIsTaken(t *testing.T) {
	addr := servers.Redis(t).Addr
	shared := memoryStore(t)
	for name, open := range map[string]func() store.Store{
		"silent": func() store.Store { return strictStore{shared} },
		"redis":  func() store.Store { return redisStore(t, addr) },
	} {
		var n atomic.Int64
		h := func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=60")
			if n.Add(1) == 1 { // it is stale at once
				w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
				w.Header().Set("Etag", `"1"`)
			}
			fmt.Fprint(w, "answer ", n.Load())
		}
		here := viewOf(t, openCache(t, httpcache.Options{Store: open()}), httpcache.View{}, h)
		there := viewOf(t, openCache(t, httpcache.Options{Store: open()}), httpcache.View{}, h)
		here.ask("GET", "/").want(t, miss, "answer 1")
		there.ask("GET", "/").want(t, miss, "answer 2")
		here.ask("GET", "/").want(t, hit, "answer 2")
		if n.Load() != 2 {
			t.Errorf("%s: the handler was asked %d times", name, n.Load())
		}
	}
}

// changing is a page of the model.
type changing struct {
	size    int
	version atomic.Uint64
	told    atomic.Uint64 // the newest that a POST was answered with: nobody may see an older one
}

// model is a handler whose pages change, so that its test knows what a request may get.
type model []*changing

func newModel() model {
	var m model
	for i := range 24 {
		m = append(m, &changing{size: []int{0, 10, 5000, 200 << 10, 300 << 10, 1 << 20}[i%6] + i})
	}
	return m
}

// ServeHTTP implements http.Handler. Pages have a body that tells its version, if that is not
// short; a POST changes them.
func (m model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i, _ := strconv.Atoi(r.URL.Path[1:])
	p := m[i]
	if r.Method == http.MethodPost {
		w.Header().Set("Version", fmt.Sprint(p.version.Add(1)))
		return
	}
	version := p.version.Load()
	w.Header().Set("Cache-Control", "max-age=60")
	w.Header().Set("Cache-Tag", fmt.Sprint("size", i%6))
	w.Header().Set("Etag", fmt.Sprintf(`"%d"`, version))
	w.Header().Set("Version", fmt.Sprint(version))
	body := bodyOf(p.size, version)
	if i%2 == 0 {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	}
	half := len(body) / 2
	w.Write(body[:half])
	w.Write(body[half:])
}

// TestRandomOperationsAgainstAModel has 32 goroutines read, read parts, change and purge: nobody
// gets a body that is wrong, cut, or of a version that was replaced before the request began.
func TestRandomOperationsAgainstAModel(t *testing.T) {
	for name, open := range levels {
		t.Run(name, func(t *testing.T) {
			m := newModel()
			c := openCache(t, httpcache.Options{
				Store: open(t), Memory: 4 << 20, Spool: t.TempDir(),
			})
			s := frontOf(t, c.Middleware(m, httpcache.View{}))
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}
			t.Cleanup(client.CloseIdleConnections)
			var all sync.WaitGroup
			for seed := range uint64(32) {
				all.Go(func() {
					p := player{t, m, c, client, s.URL, rand.New(rand.NewPCG(seed, 1))}
					for range 40 {
						p.play()
					}
				})
			}
			all.Wait()
			if n := c.Stats(); n.Hits == 0 || n.Weight > 4<<20 {
				t.Errorf("counted %+v", n)
			}
		})
	}
}

// player does one thing after the other.
type player struct {
	t      *testing.T
	m      model
	c      *httpcache.Cache
	client *http.Client
	url    string
	random *rand.Rand
}

func (p *player) play() {
	i := p.random.IntN(len(p.m))
	url := fmt.Sprint(p.url, "/", i)
	switch p.random.IntN(20) {
	case 0:
		p.change(i, url)
	case 1:
		p.purge(httpcache.Purge{URL: url, Soft: p.random.IntN(2) == 0})
	case 2:
		p.purge(httpcache.Purge{Tag: fmt.Sprint("size", i%6)})
	case 3:
		p.purge(httpcache.Purge{Prefix: p.url + "/1"})
	case 4:
		p.leave(url)
	default:
		p.read(i, url)
	}
}

func (p *player) change(i int, url string) {
	resp, _ := p.do(http.MethodPost, url, "")
	if resp == nil {
		return
	}
	version, _ := strconv.ParseUint(resp.Header.Get("Version"), 10, 64)
	for told := &p.m[i].told; ; {
		last := told.Load()
		if last >= version || told.CompareAndSwap(last, version) {
			return
		}
	}
}

func (p *player) purge(what httpcache.Purge) {
	if _, err := p.c.Purge(p.t.Context(), what); err != nil {
		p.t.Errorf("%+v: %v", what, err)
	}
}

// leave asks, and goes before the end.
func (p *player) leave(url string) {
	ctx, cancel := context.WithCancel(p.t.Context())
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
	if resp, err := p.client.Do(r); err == nil {
		resp.Body.Read(make([]byte, 1))
		resp.Body.Close()
	}
}

func (p *player) do(method, url, parts string) (*http.Response, []byte) {
	r, _ := http.NewRequest(method, url, nil)
	if parts != "" {
		r.Header.Set("Range", parts)
	}
	resp, err := p.client.Do(r)
	if err != nil {
		p.t.Errorf("%s %s: %v", method, url, err)
		return nil, nil
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Errorf("%s %s: %d bytes, %v", method, url, len(body), err)
	}
	return resp, body
}

// read checks a page, or a part of it.
func (p *player) read(i int, url string) {
	oldest := p.m[i].told.Load()
	size, parts := p.m[i].size, ""
	from, to := 0, size
	if size > 100 && p.random.IntN(3) == 0 {
		from = p.random.IntN(size - 1)
		to = from + 1 + p.random.IntN(size-from-1)
		parts = fmt.Sprintf("bytes=%d-%d", from, to-1)
	}
	resp, body := p.do(http.MethodGet, url, parts)
	if resp == nil {
		return
	}
	if resp.StatusCode == http.StatusOK {
		from, to = 0, size
	}
	version, err := strconv.ParseUint(resp.Header.Get("Version"), 10, 64)
	if err != nil || !bytes.Equal(body, bodyOf(size, version)[from:to]) {
		p.t.Errorf("%s %q: %d, %d bytes that are not those of version %d",
			url, parts, resp.StatusCode, len(body), version)
	}
	if version < oldest {
		p.t.Errorf("%s: version %d, though a POST had been answered with %d", url, version, oldest)
	}
	if tag := fmt.Sprintf(`"%d"`, version); resp.Header.Get("Etag") != tag {
		p.t.Errorf("%s: version %d with etag %s", url, version, resp.Header.Get("Etag"))
	}
}
