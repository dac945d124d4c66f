// conn_watch_internal_test.go holds what is spared against what a connection promises.

package proxy

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// watched returns both ends of a connection over loopback, the first of them watched.
func watched(t *testing.T) (*watch, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return &watch{Conn: server}, client
}

// past is the deadline by which net/http breaks a read off.
var past = time.Unix(1, 0)

func wantOver(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%s: %v, want a deadline that has passed", what, err)
	}
}

func TestReadOfOneByteIsBrokenOffAtOnceAndTheByteIsNotLost(t *testing.T) {
	w, client := watched(t)
	for range 1000 {
		done := make(chan error)
		go func() {
			_, err := w.Read(make([]byte, 1))
			done <- err
		}()
		w.SetReadDeadline(past)
		wantOver(t, "broken off", <-done)
		wantOver(t, "still", second(w.Read(make([]byte, 100))))
		w.SetReadDeadline(time.Time{})
	}
	if _, err := client.Write([]byte("ab")); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 100)
	if n, err := w.Read(p[:1]); n != 1 || err != nil || p[0] != 'a' {
		t.Errorf("Read = %q, %v", p[:n], err)
	}
	if n, err := w.Read(p); n != 1 || err != nil || p[0] != 'b' {
		t.Errorf("Read = %q, %v", p[:n], err)
	}
}

func second(_ int, err error) error { return err }

func TestReadThatLooksAtTheClientIsBrokenOff(t *testing.T) {
	w, client := watched(t)
	for range 3 {
		done := make(chan error)
		go func() {
			_, err := w.Read(make([]byte, 1))
			done <- err
		}()
		for looking := false; !looking; time.Sleep(time.Millisecond) {
			w.mu.Lock()
			looking = w.reading > 0
			w.mu.Unlock()
		}
		w.SetReadDeadline(past)
		wantOver(t, "broken off", <-done)
		w.SetReadDeadline(time.Time{})
	}
	client.Close()
	if _, err := w.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("who has left is seen as %v", err)
	}
}

func TestDeadlinesAreKeptThoughTheyAreMovedOn(t *testing.T) {
	w, client := watched(t)
	begun := time.Now()
	w.SetReadDeadline(begun.Add(20 * time.Millisecond))
	w.SetReadDeadline(begun.Add(100 * time.Millisecond))
	wantOver(t, "the later one", second(w.Read(make([]byte, 9))))
	if took := time.Since(begun); took < 100*time.Millisecond {
		t.Errorf("the first deadline held: %v", took)
	}
	w.SetReadDeadline(time.Now().Add(time.Hour))
	begun = time.Now()
	w.SetReadDeadline(begun.Add(20 * time.Millisecond))
	wantOver(t, "the earlier one", second(w.Read(make([]byte, 9))))
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("the hour held: %v", took)
	}
	w.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	w.SetReadDeadline(time.Time{})
	time.AfterFunc(100*time.Millisecond, func() { client.Write([]byte("x")) })
	if n, err := w.Read(make([]byte, 9)); n != 1 || err != nil {
		t.Errorf("without a deadline: %d, %v", n, err)
	}
}
