// lane_internal_test.go compares the lane with net/http alone, byte for byte.

package proxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

func TestProbe(t *testing.T) {
	o := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		io.WriteString(w, "hello")
	}))
	defer o.Close()
	c := Default()
	c.Listen = []string{"127.0.0.1:0"}
	c.Sites = []Site{{To: o.URL}}
	s, err := New(c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var asked, answered atomic.Int64
	for i := range s.doors.open {
		l := s.doors.open[i].Listener.(*gated)
		inner := l.wrap
		l.wrap = func(c *conn) net.Conn {
			n := inner(c).(*lane)
			e := n.express
			n.express = func(w *lean, r *http.Request) bool {
				asked.Add(1)
				ok := e(w, r)
				if ok {
					answered.Add(1)
				}
				return ok
			}
			return n
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Serve(ctx) }()
	n, _ := net.Dial("tcp", s.Addrs().Plain[0].String())
	b := bufio.NewReader(n)
	for range 5 {
		fmt.Fprintf(n, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
		resp, err := http.ReadResponse(b, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		t.Log(resp.Status, resp.Header, asked.Load(), answered.Load())
	}
	n.Close()
	stop()
	<-done
}
