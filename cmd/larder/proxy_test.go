// proxy_test.go serves by the command proxy, and sends it signals.

//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// proxyProcess is a larder proxy that runs.
type proxyProcess struct {
	*exec.Cmd
	url   string
	lines *bufio.Scanner // of stderr
}

func startProxy(t *testing.T, args ...string) *proxyProcess {
	t.Helper()
	hearSignals()
	cmd := exec.Command("larder", append([]string{"proxy"}, args...)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	p := &proxyProcess{Cmd: cmd, lines: bufio.NewScanner(stderr)}
	p.url = p.await(t, `^larder: proxy: (http://.*)$`)
	return p
}

// await reads stderr until a line matches, and returns its first group.
func (p *proxyProcess) await(t *testing.T, pattern string) string {
	t.Helper()
	for p.lines.Scan() {
		if found := regexp.MustCompile(pattern).FindStringSubmatch(p.lines.Text()); found != nil {
			return found[len(found)-1]
		}
	}
	t.Fatalf("stderr ended before %s: %v", pattern, p.lines.Err())
	return ""
}

// end waits for the process and returns its exit code.
func (p *proxyProcess) end() int {
	for p.lines.Scan() { // or it would block
	}
	_ = p.Wait()
	return exitCode(p.ProcessState)
}

func ask(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestProxyServesReloadsAndEndsBySignals(t *testing.T) {
	names := make([]string, 2)
	for i := range names {
		origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "origin ", i)
		}))
		defer origin.Close()
		names[i] = origin.URL
	}
	file := filepath.Join(t.TempDir(), "larder.toml")
	configure := func(to string) {
		text := fmt.Sprintf("listen = [\"127.0.0.1:0\"]\n[[site]]\nto = %q\n", to)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	configure(names[0])
	p := startProxy(t, "--config", file)
	if code, text := ask(t, p.url); code != 200 || text != "origin 0" {
		t.Errorf("got %d %q", code, text)
	}
	configure(names[1])
	p.signal(t, syscall.SIGHUP)
	p.await(t, "reloaded$")
	if _, text := ask(t, p.url); text != "origin 1" {
		t.Errorf("after SIGHUP: got %q", text)
	}
	configure("nonsense")
	p.signal(t, syscall.SIGHUP)
	p.await(t, "not reloaded, all goes on as it was: .*larder.toml:3: site.to: ")
	if _, text := ask(t, p.url); text != "origin 1" {
		t.Errorf("after a broken file: got %q", text)
	}
	p.signal(t, syscall.SIGTERM)
	if code := p.end(); code != 128+int(syscall.SIGTERM) {
		t.Errorf("exit code %d, want 143", code)
	}
}

func (p *proxyProcess) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func TestSecondSignalEndsAProxyAtOnce(t *testing.T) {
	entered := make(chan struct{})
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}))
	defer origin.Close()
	p := startProxy(t, "--to", origin.URL, "--listen", "127.0.0.1:0")
	go http.Get(p.url)
	<-entered
	p.signal(t, syscall.SIGINT)
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); { // until it has heard
		c, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			break
		}
		c.Close()
	}
	p.signal(t, syscall.SIGINT)
	if code := p.end(); code != 128+int(syscall.SIGINT) {
		t.Errorf("exit code %d, want 130", code)
	}
}

func TestProxyTakesOrders(t *testing.T) {
	asked := 0
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Surrogate-Key", "news")
		fmt.Fprint(w, asked)
	}))
	defer origin.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, "--to", origin.URL, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
		"--token-file", token)
	address := p.await(t, `^larder: proxy: admin at (.*)$`)
	order := func(args ...string) string {
		cmd := exec.Command("larder", append([]string{"proxy"}, args...)...)
		cmd.Args = append(cmd.Args, "--admin", address, "--token-file", token)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%v: %v, %s", args, err, &stderr)
		}
		return string(out)
	}
	ask(t, p.url)
	if got := order("purge", "--tag", "news"); got != "1\n" {
		t.Errorf("purge printed %q", got)
	}
	if _, text := ask(t, p.url); text != "2" {
		t.Errorf("after the purge: answer %s", text)
	}
	if got := order("stats"); !strings.Contains(got, `"connections":`) {
		t.Errorf("stats printed %q", got)
	}
	if got := order("reload"); got != "" {
		t.Errorf("reload printed %q", got)
	}
	wrong := exec.Command("larder", "proxy", "purge", "--all", "--admin", address)
	if out, err := wrong.CombinedOutput(); err == nil || !strings.Contains(string(out), "token") {
		t.Errorf("purge without a token: %v, %s", err, out)
	}
	p.signal(t, syscall.SIGTERM)
	p.end()
}
