// cachetests.go runs the suite through a cache under test, and says how each of its tests went.

// Package cachetests judges HTTP caches by the public suite of cache-tests.fyi.
package cachetests

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Only is the environment variable that names tests by their ids, separated by commas. They are run
// alone with those they depend on, and what was sent and received is logged.
const Only = "CACHE_TESTS"

//go:embed testdata
var suite embed.FS

// maxTime bounds a run; it takes about ten seconds.
const maxTime = 2 * time.Minute

// Run starts the suite's origin, calls start for the URL of a cache in front of it, runs the tests
// that count for a reverse proxy and returns how they went, in the suite's order. Where node is not
// installed the test is skipped, and says what to install; under CI=true it fails.
func Run(t testing.TB, start func(origin *url.URL) (front string)) Results {
	t.Helper()
	d := startDriver(t)
	var origin struct{ Port int }
	d.hear(&origin)
	front := start(&url.URL{Scheme: "http", Host: fmt.Sprint("127.0.0.1:", origin.Port)})
	d.say(front)
	var answer struct{ Results Results }
	d.hear(&answer)
	if len(asked()) > 0 {
		t.Logf("traffic:\n%s", d.errors.String())
	}
	return answer.Results
}

// asked returns the ids of the tests that are asked for; none means all.
func asked() []string {
	return strings.FieldsFunc(os.Getenv(Only), func(r rune) bool { return r == ',' || r == ' ' })
}

// driver is testdata/drive.mjs at work. It ends when its standard input does, so also with a test
// that is killed.
type driver struct {
	t      testing.TB
	in     io.WriteCloser
	out    *bufio.Reader
	errors log
}

func startDriver(t testing.TB) *driver {
	t.Helper()
	d := &driver{t: t}
	cmd := command(t)
	cmd.Stderr = &d.errors
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.in, d.out = in, bufio.NewReader(out)
	late := time.AfterFunc(maxTime, func() { cmd.Process.Kill() })
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
		late.Stop()
	})
	return d
}

// command is node with drive.mjs.
func command(t testing.TB) *exec.Cmd {
	t.Helper()
	node, dir, empty := node(t), t.TempDir(), t.TempDir()
	if err := os.CopyFS(dir, suite); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "testdata", "drive.mjs")
	cmd := exec.Command(node, append([]string{"--no-warnings", script}, asked()...)...)
	cmd.Dir = empty // the suite's server hands out the files of its folder
	cmd.Env = append(os.Environ(), "npm_config_protocol=http", "npm_config_port=0",
		"npm_config_pidfile="+filepath.Join(dir, "pid"))
	return cmd
}

func (d *driver) say(line string) {
	d.t.Helper()
	if _, err := fmt.Fprintln(d.in, line); err != nil {
		d.t.Fatalf("drive.mjs: %v\n%s", err, d.errors.String())
	}
}

// hear reads a line of JSON.
func (d *driver) hear(v any) {
	d.t.Helper()
	line, err := d.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, v)
	}
	if err != nil {
		d.t.Fatalf("drive.mjs: %v\n%s", err, d.errors.String())
	}
}

func node(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err == nil {
		return path
	}
	const why = "node is not installed: apt-get install nodejs"
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
	return ""
}

// log collects what a program writes while somebody may read it.
type log struct {
	mu  sync.Mutex // guards the field below
	buf bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
