// proxy_test.go starts servers on loopback and asks them as clients do.

package proxy_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/larder-go/larder/proxy"
)

func TestMain(m *testing.M) {
	os.Unsetenv("LARDER_ADMIN_TOKEN")
	goleak.VerifyTestMain(m)
}

const loopback = "127.0.0.1:0"

// said gathers what a server tells people.
type said struct {
	mu    sync.Mutex
	lines []string
	more  chan struct{}
}

func (s *said) hear(line string) {
	s.mu.Lock()
	s.lines = append(s.lines, line)
	s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
}

// await waits until a line contains text.
func (s *said) await(t *testing.T, text string) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		s.mu.Lock()
		all := strings.Join(s.lines, "\n")
		s.mu.Unlock()
		if strings.Contains(all, text) {
			return
		}
		select {
		case <-s.more:
		case <-deadline:
			t.Fatalf("nobody said %q, but:\n%s", text, all)
		}
	}
}

// served is a server that serves.
type served struct {
	*proxy.Server
	*said
	stop  context.CancelFunc
	ended chan error
}

// serve serves c until the test ends.
func serve(t *testing.T, c proxy.Config, change ...func(*proxy.Options)) *served {
	t.Helper()
	s := &served{said: &said{more: make(chan struct{}, 1)}, ended: make(chan error, 1)}
	o := proxy.Options{Say: s.hear, Version: "test"}
	for _, f := range change {
		f(&o)
	}
	server, err := proxy.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	s.Server = server
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go func() { s.ended <- server.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err, ok := <-s.ended; ok && err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s
}

// url is the address of a path, at the first plain address.
func (s *served) url(path string) string {
	return "http://" + s.Addrs().Plain[0].String() + path
}

// config serves one origin on loopback.
func config(to string) proxy.Config {
	c := proxy.Default()
	c.Listen = []string{loopback}
	c.Sites = []proxy.Site{{To: to}}
	c.Limits.Shutdown = proxy.Duration(5 * time.Second)
	return c
}

// newOrigin answers requests until the test ends.
func newOrigin(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return s.URL
}

// client has connections of its own.
func client(t *testing.T) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport: transport, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func get(t *testing.T, c *http.Client, url string) (*http.Response, string) {
	t.Helper()
	return do(t, c, request(t, http.MethodGet, url, ""))
}

func request(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func do(t *testing.T, c *http.Client, r *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// raw sends bytes over a connection of their own and returns all that comes back until it ends.
func raw(t *testing.T, address net.Addr, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", address.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) { // as it did not read all we sent
		t.Fatalf("%q: the connection was not closed: %v, %q", text, err, answer)
	}
	return string(answer)
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	if !filepath.IsAbs(name) {
		name = filepath.Join(t.TempDir(), name)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestServesFromTheCache(t *testing.T) {
	asked := 0
	to := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("Cache-Control", "max-age=60")
		fmt.Fprint(w, "hello ", r.URL.Path)
	})
	s, c := serve(t, config(to)), client(t)
	for range 3 {
		resp, text := get(t, c, s.url("/a"))
		if resp.StatusCode != 200 || text != "hello /a" {
			t.Errorf("got %s, %q", resp.Status, text)
		}
	}
	if asked != 1 {
		t.Errorf("the origin was asked %d times, want once", asked)
	}
	if n := s.Stats().Cache.Hits; n != 2 {
		t.Errorf("%d hits, want 2", n)
	}
}

func TestRoutesByHostAndPath(t *testing.T) {
	answers := func(name string) string {
		return newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, name, " ", r.URL.Path)
		})
	}
	c := config("")
	c.Sites = []proxy.Site{
		{Host: []string{"example.com", "www.example.com"}, To: answers("main")},
		{Host: []string{"example.com"}, Path: "/api/", To: answers("api")},
		{Host: []string{"*.example.com"}, To: answers("wild")},
		{Host: []string{"*.deep.example.com"}, Path: "/only", To: answers("deep")},
	}
	s, browser := serve(t, c), client(t)
	for _, row := range []struct{ host, path, want string }{
		{"example.com", "/", "main /"},
		{"EXAMPLE.com.:8080", "/x", "main /x"},
		{"www.example.com", "/api/x", "main /api/x"},
		{"example.com", "/api", "api /api"},
		{"example.com", "/api/x", "api /api/x"},
		{"example.com", "/apis", "main /apis"},
		{"a.example.com", "/", "wild /"},
		{"a.b.example.com", "/", "wild /"},
		{"a.deep.example.com", "/only/x", "deep /only/x"},
		{"a.deep.example.com", "/other", "wild /other"},
		{"example.org", "/", "421"},
		{"badexample.com", "/", "421"},
		{"127.0.0.1", "/", "421"},
	} {
		r := request(t, http.MethodGet, s.url(row.path), "")
		r.Host = row.host
		resp, text := do(t, browser, r)
		if resp.StatusCode != 200 {
			text = fmt.Sprint(resp.StatusCode)
		}
		if text != row.want {
			t.Errorf("%s%s: got %q, want %q", row.host, row.path, text, row.want)
		}
	}
}

func TestAnswersFourOhFourWhereAHostHasNoSuchPath(t *testing.T) {
	c := config("")
	c.Sites = []proxy.Site{{Path: "/api", To: "http://127.0.0.1:1"}}
	if resp, _ := get(t, client(t), serve(t, c).url("/other")); resp.StatusCode != 404 {
		t.Errorf("got %s, want 404", resp.Status)
	}
}

func TestShutdownLetsRequestsEndAndTakesNoNewOnes(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	to := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-leave
		fmt.Fprint(w, "done")
	})
	s := serve(t, config(to))
	url, address := s.url("/slow"), s.Addrs().Plain[0].String()
	text := make(chan string)
	go func() {
		resp, err := http.Get(url)
		if err != nil {
			text <- err.Error()
			return
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		text <- string(b)
	}()
	<-entered
	s.stop()
	awaitRefusal(t, address)
	close(leave)
	if got := <-text; got != "done" {
		t.Errorf("the request under way got %q", got)
	}
	http.DefaultClient.CloseIdleConnections()
}

// awaitRefusal waits until nobody listens at an address.
func awaitRefusal(t *testing.T, address string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		bufio.NewReader(c).ReadByte()
		c.Close()
	}
	t.Fatal("the address still listens")
}

func TestShutdownCutsWhatTakesTooLong(t *testing.T) {
	leave := make(chan struct{})
	entered := make(chan struct{})
	to := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-leave
	})
	defer close(leave)
	c := config(to)
	c.Limits.Shutdown = proxy.Duration(50 * time.Millisecond)
	s := serve(t, c)
	failed := make(chan error)
	go func() {
		_, err := client(t).Get(s.url("/"))
		failed <- err
	}()
	<-entered
	s.stop()
	if err := <-failed; err == nil {
		t.Error("the request was not cut")
	}
	s.await(t, "were cut")
}

func TestRefusesAnAddressThatIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", loopback)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := config("http://127.0.0.1:1")
	c.Listen = []string{l.Addr().String()}
	if _, err := proxy.New(c, proxy.Options{}); err == nil || !strings.Contains(err.Error(), "bind") {
		t.Errorf("New: %v, want that the address is in use", err)
	}
}

// TestShutdownDoesNotWaitForIdleConnections has one of each kind.
func TestShutdownDoesNotWaitForIdleConnections(t *testing.T) {
	c, _ := secure(t, newOrigin(t, hello))
	c.Limits.Shutdown = proxy.Duration(time.Minute)
	s := serve(t, c)
	for _, row := range []struct {
		url string
		set func(*http.Protocols)
	}{
		{s.url("/"), func(p *http.Protocols) { p.SetHTTP1(true) }},
		{s.url("/"), func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }},
		{s.secureURL("/"), func(p *http.Protocols) { p.SetHTTP2(true) }},
	} {
		browser := insecure(t)
		transport := browser.Transport.(*http.Transport)
		transport.Protocols = new(http.Protocols)
		row.set(transport.Protocols)
		get(t, browser, row.url)
	}
	began := time.Now()
	s.stop()
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
	close(s.ended)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}
