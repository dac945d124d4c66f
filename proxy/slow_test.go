// slow_test.go is about clients that stand still, and those that are merely slow.

package proxy_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/proxy"
)

const stall = 300 * time.Millisecond

// inTime tries what has to keep a pace, which a busy machine may not let it: one good attempt of
// three is enough.
func inTime(t *testing.T, try func() error) {
	t.Helper()
	for n := 1; ; n++ {
		err := try()
		if err == nil {
			return
		}
		if n == 3 {
			t.Fatal(err)
		}
		t.Log("too late for once: ", err)
	}
}

// large is more than the buffers of two kernels take.
var large = bytes.Repeat([]byte("0123456789abcdef"), 1<<20)

func serveLarge(t *testing.T, change ...func(*proxy.Config)) *served {
	c := config(newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Write(large)
	}))
	c.Limits.Stall = proxy.Duration(stall)
	for _, f := range change {
		f(&c)
	}
	return serve(t, c)
}

// narrow connects with a buffer of a size, in bytes.
func narrow(t *testing.T, s *served, buffer int) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.Addrs().Plain[0].String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.(*net.TCPConn).SetReadBuffer(buffer); err != nil {
		t.Fatal(err)
	}
	return c
}

// awaitConnections waits until as many connections are open.
func awaitConnections(t *testing.T, s *served, want int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if s.Stats().Connections == want {
			return
		}
	}
	t.Fatalf("%d connections, want %d", s.Stats().Connections, want)
}

func TestCutsAClientThatTakesNothing(t *testing.T) {
	s := serveLarge(t)
	c := narrow(t, s, 4<<10)
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	awaitConnections(t, s, 1)
	awaitConnections(t, s, 0)
}

// TestSparesAClientThatIsSlow takes a body at a pace at which one write takes many times as long as
// a client may stand still.
func TestSparesAClientThatIsSlow(t *testing.T) {
	s := serveLarge(t)
	get(t, client(t), s.url("/")) // from now on it is written in one piece
	inTime(t, func() error {
		awaitConnections(t, s, 1)
		c := narrow(t, s, 32<<10)
		defer c.Close()
		host := s.Addrs().Plain[0].String()
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n")
		end := time.Now().Add(10 * stall)
		p := make([]byte, 64<<10)
		for time.Now().Before(end) {
			if _, err := io.ReadFull(c, p); err != nil {
				return fmt.Errorf("a client that reads was cut: %w", err)
			}
			time.Sleep(stall / 10)
		}
		if n := s.Stats().Connections; n != 2 {
			return fmt.Errorf("%d connections, want 2: a client that reads was cut", n)
		}
		return nil
	})
}

func TestCutsAStreamThatTakesNothing(t *testing.T) {
	s := serveLarge(t)
	browser := client(t)
	transport := browser.Transport.(*http.Transport)
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetUnencryptedHTTP2(true)
	get(t, client(t), s.url("/")) // from now on the origin is not waited for
	inTime(t, func() error {
		resp, err := browser.Get(s.url("/"))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		time.Sleep(3 * stall) // a client that stands still does nothing else
		if n, err := io.Copy(io.Discard, resp.Body); err == nil {
			return fmt.Errorf("the stream went on to its end, %d bytes", n)
		}
		return nil
	})
	inTime(t, func() error {
		resp, err := browser.Get(s.url("/x"))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		n, err := io.Copy(io.Discard, resp.Body)
		if err != nil || resp.StatusCode != 200 || n != int64(len(large)) {
			return fmt.Errorf("another stream: %s, %d bytes, %w", resp.Status, n, err)
		}
		return nil
	})
}

// TestSparesAStreamWhoseOriginIsSlow waits for an origin that takes longer than a client may.
func TestSparesAStreamWhoseOriginIsSlow(t *testing.T) {
	s := serve(t, func() proxy.Config {
		c := config(newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			io.WriteString(w, "half")
			http.NewResponseController(w).Flush()
			time.Sleep(3 * stall)
			io.WriteString(w, "half")
		}))
		c.Limits.Stall = proxy.Duration(stall)
		return c
	}())
	for _, two := range []bool{false, true} {
		browser := client(t)
		protocols := new(http.Protocols)
		protocols.SetHTTP1(!two)
		protocols.SetUnencryptedHTTP2(two)
		browser.Transport.(*http.Transport).Protocols = protocols
		resp, err := browser.Get(s.url("/"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(body) != "halfhalf" || err != nil {
			t.Errorf("%s: %q, %v", resp.Proto, body, err)
		}
	}
}

func TestCutsAClientThatSendsNothing(t *testing.T) {
	s := serve(t, func() proxy.Config {
		c := config(newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
		}))
		c.Limits.Stall = proxy.Duration(stall)
		c.Limits.ReadHeader = proxy.Duration(stall)
		return c
	}())
	for name, text := range map[string]string{
		"in the head": "GET / HTTP/1.1\r\nHost: a\r\n",
		"in the body": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab",
		"in a chunk":  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
	} {
		answer := raw(t, s.Addrs().Plain[0], text)
		if name != "in the head" && !strings.HasPrefix(answer, "HTTP/1.1 408") {
			t.Errorf("%s: answered %q, want 408", name, answer)
		}
	}
}

func TestSparesAClientThatSendsSlowly(t *testing.T) {
	c := config(newOrigin(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
	c.Limits.Stall = proxy.Duration(stall)
	s := serve(t, c)
	inTime(t, func() error {
		in, out := io.Pipe()
		defer in.Close()
		go func() {
			for range 12 {
				out.Write([]byte("x"))
				time.Sleep(stall / 4)
			}
			out.Close()
		}()
		r, _ := http.NewRequestWithContext(context.Background(), http.MethodPost, s.url("/"), in)
		resp, err := client(t).Do(r)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if resp.StatusCode != 200 || string(text) != strings.Repeat("x", 12) {
			return fmt.Errorf("got %s %q, %v", resp.Status, text, err)
		}
		return nil
	})
}

// TestDeadlineOfABodyEndsWithIt asks for something slow after a body was read: the deadline of the
// body must not be taken for the end of the client.
func TestDeadlineOfABodyEndsWithIt(t *testing.T) {
	c := config(newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		select {
		case <-time.After(3 * stall):
		case <-r.Context().Done():
		}
	}))
	c.Limits.Stall = proxy.Duration(stall)
	s, browser := serve(t, c), client(t)
	for range 2 {
		if resp, _ := do(t, browser, request(t, http.MethodPost, s.url("/"), "x")); resp.StatusCode != 200 {
			t.Errorf("got %s", resp.Status)
		}
	}
}

func TestBoundsConnections(t *testing.T) {
	s := serveLarge(t, func(c *proxy.Config) { c.Limits.Connections = 2 })
	first, second := narrow(t, s, 4<<10), narrow(t, s, 4<<10)
	awaitConnections(t, s, 2)
	third := narrow(t, s, 4<<10)
	io.WriteString(third, "GET http://u@a/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	third.SetReadDeadline(time.Now().Add(stall))
	if _, err := third.Read(make([]byte, 1)); err == nil {
		t.Error("a third connection was served")
	}
	second.Close()
	third.SetReadDeadline(time.Now().Add(10 * time.Second))
	if line, err := bufio.NewReader(third).ReadString('\n'); err != nil {
		t.Errorf("the third got %q, %v when there was room", line, err)
	}
	first.Close()
	third.Close()
	awaitConnections(t, s, 0)
}
