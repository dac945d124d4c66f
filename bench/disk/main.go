// main.go sets and gets values by string keys, in store/disk and in the least that could do it.

// Command disk times store/disk against an append-only log whose index is in the memory of one
// process and which checks nothing: the limit for stores of this design.
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

// engine is what is compared.
type engine interface {
	set(key string, value []byte) error
	get(key string) ([]byte, error)
	close() error
}

var engines = []struct {
	name string
	open func(dir string) (engine, error)
}{
	{"larder", openLarder},
	{"log", openLog},
}

var sizes = []struct{ bytes, values int }{
	{100, 30000}, {4096, 20000}, {102400, 1500}, {1 << 20, 200},
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: disk DIR")
	}
	for _, size := range sizes {
		for _, e := range engines {
			dir := filepath.Join(os.Args[1], e.name)
			if err := measure(e.name, dir, e.open, size.bytes, size.values); err != nil {
				log.Fatalf("%s: %v", e.name, err)
			}
			if err := os.RemoveAll(dir); err != nil {
				log.Fatal(err)
			}
		}
	}
}

func measure(
	name, dir string, open func(string) (engine, error), size, n int,
) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	e, err := open(dir)
	if err != nil {
		return err
	}
	value := make([]byte, size)
	for i := range value {
		value[i] = byte(rand.Uint32())
	}
	key := func(i int) string { return fmt.Sprintf("key:%08d", i) }
	set, err := each(n, func(i int) error { return e.set(key(i), value) })
	if err != nil {
		return err
	}
	get, err := each(n, func(i int) error {
		got, err := e.get(key(i * 7919 % n))
		if err == nil && len(got) != size {
			err = fmt.Errorf("%s has %d bytes", key(i), len(got))
		}
		return err
	})
	if err != nil {
		return err
	}
	miss, err := each(n, func(i int) error {
		if got, _ := e.get(fmt.Sprintf("none:%08d", i)); got != nil {
			return fmt.Errorf("%s is there", key(i))
		}
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Printf("%-8s %8d B x %-6d set %8.1f us  get %8.1f us  miss %5.1f us\n",
		name, size, n, set, get, miss)
	return e.close()
}

// each calls fn n times and returns the microseconds of one call.
func each(n int, fn func(int) error) (float64, error) {
	begin := time.Now()
	for i := range n {
		if err := fn(i); err != nil {
			return 0, err
		}
	}
	return float64(time.Since(begin).Nanoseconds()) / float64(n) / 1000, nil
}

type larder struct{ s *disk.Store }

func openLarder(dir string) (engine, error) {
	s, err := disk.Open(dir, disk.Options{MaxBytes: 4 << 30})
	return larder{s}, err
}

func (l larder) set(key string, value []byte) error {
	now := time.Now()
	item := store.Item{Value: value, Created: now, GoneAfter: now.Add(time.Hour)}
	return l.s.Set(context.Background(), key, item)
}

func (l larder) get(key string) ([]byte, error) {
	item, err := l.s.Get(context.Background(), key)
	return item.Value, err
}

func (l larder) close() error { return l.s.Close() }

// appendLog writes values one after the other and remembers where.
type appendLog struct {
	f     *os.File
	end   int64
	index map[string]span
}

type span struct{ off, n int64 }

func openLog(dir string) (engine, error) {
	f, err := os.Create(filepath.Join(dir, "log"))
	return &appendLog{f: f, index: map[string]span{}}, err
}

func (l *appendLog) set(key string, value []byte) error {
	b := binary.LittleEndian.AppendUint64(nil, uint64(time.Now().Add(time.Hour).Unix()))
	b = append(b, value...)
	if _, err := l.f.WriteAt(b, l.end); err != nil {
		return err
	}
	l.index[key] = span{l.end, int64(len(b))}
	l.end += int64(len(b))
	return nil
}

func (l *appendLog) get(key string) ([]byte, error) {
	at, ok := l.index[key]
	if !ok {
		return nil, store.ErrNotFound
	}
	b := make([]byte, at.n)
	if _, err := l.f.ReadAt(b, at.off); err != nil {
		return nil, err
	}
	if int64(binary.LittleEndian.Uint64(b)) < time.Now().Unix() {
		return nil, store.ErrNotFound
	}
	return b[8:], nil
}

func (l *appendLog) close() error { return l.f.Close() }
