package servers_test

import (
	"bufio"
	"fmt"
	"net"
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
