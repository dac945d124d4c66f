package servers_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/servers"
)

// ask sends a line and returns the first line of the answer, or an error after a while.
func ask(addr, line string) (string, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(200 * time.Millisecond))
	fmt.Fprintf(c, "%s\r\n", line)
	answer, err := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(answer), err
}

func TestServersAnswerHangAndComeBack(t *testing.T) {
	for _, c := range []struct {
		server     *servers.Server
		line, want string
	}{
		{servers.Redis(t), "PING", "+PONG"},
		{servers.Memcached(t), "version", "VERSION"},
	} {
		check := func(when string, answers bool) {
			t.Helper()
			got, err := ask(c.server.Addr, c.line)
			if (err == nil && strings.HasPrefix(got, c.want)) != answers {
				t.Errorf("%s, %s: %q, %v", c.line, when, got, err)
			}
		}
		check("at first", true)
		c.server.Stop()
		check("stopped", false)
		c.server.Continue()
		check("continued", true)
		c.server.Kill()
		check("killed", false)
		c.server.Start()
		check("started again", true)
	}
}

func TestPostgresComesBackWithWhatItHad(t *testing.T) {
	db := servers.Postgres(t)
	ask := func(sql string) (string, error) {
		cmd := exec.Command("psql", "-X", "-A", "-t", "-c", sql, db.DSN)
		cmd.Env = append(os.Environ(), "PGCONNECT_TIMEOUT=2")
		out, err := cmd.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	if out, err := ask("CREATE TABLE t AS SELECT 42 AS n"); err != nil {
		t.Fatal(out, err)
	}
	for range 2 {
		db.Kill()
		if out, err := ask("SELECT 1"); err == nil {
			t.Errorf("killed, it answers %q", out)
		}
		db.Start()
		if out, err := ask("SELECT n FROM t"); out != "42" || err != nil {
			t.Fatalf("started again: %q, %v", out, err)
		}
		db.Stop()
		if out, err := ask("SELECT 1"); err == nil {
			t.Errorf("stopped, it answers %q", out)
		}
		db.Continue()
		if out, err := ask("SELECT n FROM t"); out != "42" || err != nil {
			t.Fatalf("continued: %q, %v", out, err)
		}
	}
}
