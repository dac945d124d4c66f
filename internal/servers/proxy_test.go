package servers_test

import (
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/servers"
)

func TestProxyDoesWhatBadNetworksDo(t *testing.T) {
	p := servers.NewProxy(t, servers.Redis(t).Addr)
	check := func(when string, answers bool) {
		t.Helper()
		got, err := ask(p.Addr, "PING")
		if (err == nil && strings.HasPrefix(got, "+PONG")) != answers {
			t.Errorf("%s: %q, %v", when, got, err)
		}
	}
	check("at first", true)
	for when, trouble := range map[string]func(){
		"cut": p.Cut, "black hole": p.BlackHole,
		"late": func() { p.Delay(time.Second) }, "cut in the middle": func() { p.CutAfter(3) },
	} {
		trouble()
		check(when, false)
		p.Restore()
		check("after "+when, true)
	}
}
