// reload_test.go changes what a server serves, while it does.

package proxy_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/larder-go/larder/proxy"
)

// changing is the file of a server.
type changing struct {
	*served
	file string
}

// serveFile serves what a file says; %s in text are the arguments.
func serveFile(t *testing.T, text string, args ...any) *changing {
	t.Helper()
	file := write(t, "larder.toml", fmt.Sprintf(text, args...))
	c, err := proxy.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, c, func(o *proxy.Options) {
		o.Load = func() (proxy.Config, error) { return proxy.Load(file) }
	})
	return &changing{s, file}
}

// reload changes the file, and the server.
func (s *changing) reload(t *testing.T, text string, args ...any) (proxy.Reloaded, error) {
	t.Helper()
	write(t, s.file, fmt.Sprintf(text, args...))
	return s.Reload()
}

const listenLine = "listen = [\"127.0.0.1:0\"]\n"

func TestReloadUnderLoadFailsNoRequest(t *testing.T) {
	origins := []string{
		newOrigin(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "a") }),
		newOrigin(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "b") }),
	}
	const text = listenLine + "[limits]\nconnections = %d\n[[site]]\nto = %q\n"
	s := serveFile(t, text, 100, origins[0])
	var stop atomic.Bool
	var seen [2]atomic.Int64
	var clients sync.WaitGroup
	for i := range 4 {
		clients.Go(func() {
			browser := client(t)
			for n := 0; !stop.Load(); n++ {
				resp, text := get(t, browser, s.url(fmt.Sprintf("/%d/%d", i, n)))
				if resp.StatusCode != 200 || text != "a" && text != "b" {
					t.Errorf("got %s %q", resp.Status, text)
					return
				}
				seen[text[0]-'a'].Add(1)
			}
		})
	}
	for i := range 30 {
		for before := seen[i%2].Load(); seen[i%2].Load() < before+20; {
			if t.Failed() {
				break
			}
		}
		if _, err := s.reload(t, text, 100+i, origins[(i+1)%2]); err != nil {
			t.Error(err)
		}
	}
	stop.Store(true)
	clients.Wait()
}

func TestReloadKeepsConnectionsAndTheCache(t *testing.T) {
	asked := 0
	to := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("Cache-Control", "max-age=60")
		io.WriteString(w, r.RemoteAddr)
	})
	s := serveFile(t, listenLine+"[[site]]\nto = %q\n", to)
	browser := client(t)
	_, before := get(t, browser, s.url("/"))
	open := s.Stats().Connections
	if _, err := s.reload(t, listenLine+"[[site]]\npath = \"/x\"\nto = \"http://a\"\n[[site]]\nto = %q\n",
		to); err != nil {
		t.Fatal(err)
	}
	_, after := get(t, browser, s.url("/"))
	if asked != 1 || after != before {
		t.Errorf("the origin was asked %d times", asked)
	}
	if n := s.Stats().Connections; n != open {
		t.Errorf("%d connections, want %d as before", n, open)
	}
}

func TestReloadOfABrokenFileLeavesTheOldOneInForce(t *testing.T) {
	to := newOrigin(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") })
	s := serveFile(t, listenLine+"[[site]]\nto = %q\n", to)
	for text, want := range map[string]string{
		"[[site]":                                "larder.toml:1: ",
		listenLine + "[[site]]\nto = 5\n":        "larder.toml:3: site.to: ",
		listenLine + "[log]\naccess = \"/no/x\"": "no site",
		listenLine + "[log]\naccess = \"/no/x\"\n[[site]]\nto = \"http://a\"\n":            "/no/x",
		listenLine + "[admin]\nlisten = \"127.0.0.1:0\"\n[[site]]\nto = \"http://a\"\nx=1": "no such key",
	} {
		_, err := s.reload(t, "%s", text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
		if resp, got := get(t, client(t), s.url("/")); got != "ok" {
			t.Errorf("after %q: %s", text, resp.Status)
		}
	}
	os.Remove(s.file)
	if _, err := s.Reload(); err == nil {
		t.Error("Reload without a file went well")
	}
	s.await(t, "all goes on as it was")
}

func TestReloadAppliesWhatItCanAndNamesTheRest(t *testing.T) {
	to := newOrigin(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "new") })
	s := serveFile(t, listenLine+"[[site]]\nto = \"http://127.0.0.1:1\"\n")
	const changed = "listen = [\"127.0.0.1:1\"]\n[cache]\nmemory = \"1GiB\"\n" +
		"[limits]\nheader = \"1MiB\"\nurl = \"300\"\n[[site]]\nto = %q\n"
	for range 2 { // it is said as long as it is so
		done, err := s.reload(t, changed, to)
		want := []string{"listen", "limits.header", "cache.memory"}
		if err != nil || !slices.Equal(done.Restart, want) {
			t.Errorf("got %v, %v; want %v", done.Restart, err, want)
		}
	}
	if _, text := get(t, client(t), s.url("/")); text != "new" {
		t.Errorf("the new site answers %q", text)
	}
	if resp, _ := get(t, client(t), s.url("/"+strings.Repeat("a", 301))); resp.StatusCode != 414 {
		t.Errorf("the new limit: %s, want 414", resp.Status)
	}
	s.await(t, "needs a restart: listen, limits.header, cache.memory")
}

func TestReloadByTheAdminAddress(t *testing.T) {
	const head = listenLine + "[admin]\nlisten = \"127.0.0.1:0\"\ntoken = \"" + token + "\"\n"
	s := serveFile(t, head+"[[site]]\nto = \"http://127.0.0.1:1\"\n")
	if code, text := order(t, s.served, http.MethodPost, "/reload"); code != 200 || text != "{}\n" {
		t.Errorf("got %d %s", code, text)
	}
	write(t, s.file, "[[[")
	if code, text := order(t, s.served, http.MethodPost, "/reload"); code != 422 ||
		!strings.Contains(text, "larder.toml:1") {
		t.Errorf("got %d %s", code, text)
	}
}
