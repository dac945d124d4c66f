// log_test.go reads the access log.

package proxy_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/proxy"
)

// logged has an access log in a file.
func logged(t *testing.T, to, format string) (proxy.Config, string) {
	c := config(to)
	file := filepath.Join(t.TempDir(), "access.log")
	c.Log = proxy.Log{Access: file, Format: format}
	return c, file
}

// awaitLines waits until a file has lines.
func awaitLines(t *testing.T, file string, n int) []string {
	t.Helper()
	var lines []string
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		text, _ := os.ReadFile(file)
		if lines = strings.SplitAfter(string(text), "\n"); len(lines) > n {
			return lines[:len(lines)-1]
		}
	}
	t.Fatalf("%s has %q, want %d lines", file, lines, n)
	return nil
}

func hello(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "max-age=60")
	io.WriteString(w, "hello")
}

func TestLogsInTheCommonFormats(t *testing.T) {
	const ncsa = `127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] ` +
		`"GET /a\?b=c HTTP/1\.1" 200 5 `
	for format, pattern := range map[string]string{
		"common":   ncsa + `%s \d\.\d{6}\n`,
		"combined": ncsa + `"http://from/" "a \\"b\\" \\\\ \\xc3\\xa9" %s \d\.\d{6}\n`,
	} {
		c, file := logged(t, newOrigin(t, hello), format)
		s := serve(t, c)
		for i, outcome := range []string{"miss", "hit"} {
			r := request(t, http.MethodGet, s.url("/a?b=c"), "")
			r.Header.Set("Referer", "http://from/")
			r.Header.Set("User-Agent", `a "b" \ é`)
			do(t, client(t), r)
			line := awaitLines(t, file, i+1)[i]
			if !regexp.MustCompile("^" + fmt.Sprintf(pattern, outcome) + "$").MatchString(line) {
				t.Errorf("%s: %q", format, line)
			}
		}
	}
}

func TestLogsJSON(t *testing.T) {
	c, file := logged(t, newOrigin(t, hello), "json")
	s := serve(t, c)
	r := request(t, http.MethodHead, s.url("/a"), "")
	r.Header.Set("User-Agent", "x\"\\\tä")
	do(t, client(t), r)
	var got map[string]any
	if err := json.Unmarshal([]byte(awaitLines(t, file, 1)[0]), &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"msg": "request", "level": "INFO", "client": "127.0.0.1", "method": "HEAD", "url": "/a",
		"proto": "HTTP/1.1", "status": 200.0, "bytes": 0.0, "user_agent": "x\"\\\tä",
		"host": s.Addrs().Plain[0].String(),
	} {
		if got[key] != want {
			t.Errorf("%s is %v, want %v", key, got[key], want)
		}
	}
	if _, err := time.Parse(time.RFC3339Nano, got["time"].(string)); err != nil {
		t.Error(err)
	}
}

func TestNothingInARequestForgesALine(t *testing.T) {
	for _, format := range []string{"common", "combined", "json"} {
		c, file := logged(t, newOrigin(t, hello), format)
		s := serve(t, c)
		raw(t, s.Addrs().Plain[0], "GET /%0a127.0.0.1\x85\xe2\x80\xa8 HTTP/1.1\r\nHost: a\r\nUser-Agent: a\"\x9b[2J\\\t\xff\r\n"+
			"Referer: \" 200 \"\r\nConnection: close\r\n\r\n")
		raw(t, s.Addrs().Plain[0], "TRACE /\x7f HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		line := awaitLines(t, file, 1)[0]
		for _, c := range strings.TrimSuffix(line, "\n") {
			if format != "json" && (c < ' ' || c > '~') || c < ' ' || c == '\u0085' || c == '\u2028' {
				t.Errorf("%s: %q has %q in it", format, line, c)
			}
		}
		if quotes := strings.Count(strings.ReplaceAll(line, `\"`, ""), `"`); quotes%2 != 0 {
			t.Errorf("%s: quotes do not match in %q", format, line)
		}
	}
}

func TestLogsRefusals(t *testing.T) {
	c, file := logged(t, "http://127.0.0.1:1", "common")
	c.Sites[0].Host = []string{"a"}
	s := serve(t, c)
	get(t, client(t), s.url("/"))
	if line := awaitLines(t, file, 1)[0]; !strings.Contains(line, `" 421 `) {
		t.Errorf("got %q", line)
	}
}

func TestBelievesTrustedProxiesAlone(t *testing.T) {
	to := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header["X-Forwarded-For"], r.Header["X-Forwarded-Host"])
	})
	for _, row := range []struct {
		trusted    []string
		from, seen string
	}{
		{nil, "127.0.0.1", "[127.0.0.1]"},
		{[]string{"10.0.0.0/8"}, "127.0.0.1", "[127.0.0.1]"},
		{[]string{"127.0.0.1"}, "10.9.9.9", "[1.1.1.1, 192.0.2.7, 10.9.9.9, 127.0.0.1] [front]"},
		{[]string{"127.0.0.1", "10.0.0.0/8"}, "192.0.2.7",
			"[1.1.1.1, 192.0.2.7, 10.9.9.9, 127.0.0.1] [front]"},
	} {
		c, file := logged(t, to, "common")
		c.TrustedProxies = row.trusted
		s := serve(t, c)
		r := request(t, http.MethodGet, s.url("/"), "")
		r.Header.Set("X-Forwarded-For", "1.1.1.1, 192.0.2.7, 10.9.9.9")
		r.Header.Set("X-Forwarded-Host", "front")
		_, text := do(t, client(t), r)
		if !strings.HasPrefix(text, row.seen) {
			t.Errorf("%v: the origin saw %s, want %s", row.trusted, text, row.seen)
		}
		if line := awaitLines(t, file, 1)[0]; !strings.HasPrefix(line, row.from+" ") {
			t.Errorf("%v: logged %q, want %s", row.trusted, line, row.from)
		}
	}
}

func TestReopensTheLogOnReload(t *testing.T) {
	c, file := logged(t, newOrigin(t, hello), "common")
	s := serve(t, c)
	get(t, client(t), s.url("/1"))
	awaitLines(t, file, 1)
	if err := os.Rename(file, file+".1"); err != nil {
		t.Fatal(err)
	}
	get(t, client(t), s.url("/2"))
	awaitLines(t, file+".1", 2)
	if _, err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	get(t, client(t), s.url("/3"))
	if line := awaitLines(t, file, 1)[0]; !strings.Contains(line, "/3") {
		t.Errorf("the new file has %q", line)
	}
}

// TestPassesWebSockets echoes a line over a connection that is upgraded.
func TestPassesWebSockets(t *testing.T) {
	to := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		c, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\n"+
			"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		line, _ := buffered.ReadString('\n')
		io.WriteString(c, "echo "+line)
	})
	c, file := logged(t, to, "common")
	s := serve(t, c)
	conn, err := net.Dial("tcp", s.Addrs().Plain[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n"+
		"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	in := bufio.NewReader(conn)
	if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != 101 {
		t.Fatalf("got %v, %v", resp, err)
	}
	io.WriteString(conn, "hello\n")
	if line, err := in.ReadString('\n'); err != nil || line != "echo hello\n" {
		t.Errorf("got %q, %v", line, err)
	}
	conn.Close()
	if line := awaitLines(t, file, 1)[0]; !strings.Contains(line, `" 101 `) {
		t.Errorf("logged %q", line)
	}
}
