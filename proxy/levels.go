// levels.go opens what the cache keeps things in besides memory.

package proxy

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
	"github.com/larder-go/larder/store/redis"
)

// slowDisk is how long an operation of the folder may take before it counts as broken.
const slowDisk = 2 * time.Second

// levels are the stores of a configuration.
type levels struct {
	store store.Store // nil if there are none
	disk  *store.Guard
	redis *store.Guard
	parts []stats.Source // what of them reports
}

// openLevels opens a folder, a Redis, or one in front of the other. Each is guarded: a store that
// is slow or down is left alone, and fails no request.
func openLevels(c *Cache, say func(string)) (l levels, err error) {
	if c.Disk != "" {
		if err := l.openDisk(c, say); err != nil {
			return levels{}, err
		}
	}
	if c.Redis == "" {
		return l, nil
	}
	if err := l.openRedis(c.Redis, say); err != nil {
		return levels{}, errors.Join(err, l.close())
	}
	if l.disk != nil {
		tiered := store.NewTiered(l.disk, l.redis)
		l.store, l.parts = tiered, append(l.parts, tiered)
		return l, l.disk.Clear(context.Background()) // what changed meanwhile nobody told it
	}
	return l, nil
}

func (l *levels) openDisk(c *Cache, say func(string)) error {
	s, err := disk.Open(c.Disk, disk.Options{MaxBytes: int64(c.DiskSize)})
	if err != nil {
		return err
	}
	l.disk = store.NewGuard(s, store.GuardOptions{
		Name: "disk", Timeout: slowDisk, OnChange: sayGuard("disk "+c.Disk, say),
	})
	l.store, l.parts = l.disk, append(l.parts, s, l.disk)
	return nil
}

func (l *levels) openRedis(text string, say func(string)) error {
	o, err := redisOptions(text)
	if err != nil {
		return err
	}
	s, err := redis.Open(o)
	if err != nil {
		return err
	}
	l.redis = store.NewGuard(s, store.GuardOptions{
		Name: "redis", OnChange: sayGuard("redis "+strings.Join(o.Addrs, ","), say),
	})
	l.store, l.parts = l.redis, append(l.parts, s, l.redis)
	return nil
}

// sayGuard says when a store is left alone, and when it is back; not what its probes find between.
func sayGuard(name string, say func(string)) func(store.GuardState) {
	var down atomic.Bool
	return func(s store.GuardState) {
		switch {
		case s == store.GuardOpen && down.CompareAndSwap(false, true):
			say(name + " fails, and is left alone for a while")
		case s == store.GuardClosed && down.CompareAndSwap(true, false):
			say(name + " is back")
		}
	}
}

var errRedis = errors.New("no URL of a Redis: write redis://user:password@host:port/db")

// redisOptions reads the URL of a Redis.
func redisOptions(text string) (redis.Options, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "redis" && u.Scheme != "rediss" {
		return redis.Options{}, errRedis
	}
	var o redis.Options
	for _, host := range strings.Split(u.Host, ",") {
		if _, _, err := net.SplitHostPort(host); err != nil {
			host = net.JoinHostPort(strings.Trim(host, "[]"), "6379")
		}
		o.Addrs = append(o.Addrs, host)
	}
	if number := strings.Trim(u.Path, "/"); number != "" {
		if o.DB, err = strconv.Atoi(number); err != nil || o.DB < 0 {
			return redis.Options{}, fmt.Errorf("%q is no number of a database", number)
		}
	}
	o.Username = u.User.Username()
	o.Password, _ = u.User.Password()
	if u.Scheme == "rediss" {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return o, nil
}

// close closes the stores.
func (l levels) close() error {
	switch {
	case l.store != nil:
		return l.store.Close()
	case l.disk != nil:
		return l.disk.Close()
	}
	return nil
}

// checkSpool reports why bodies cannot be written to a folder, nil if they can.
func checkSpool(dir string) error {
	f, err := os.CreateTemp(dir, "larder-spool-*")
	var named *os.PathError
	switch {
	case errors.As(err, &named):
		return fmt.Errorf("%s: %w", cmp.Or(dir, os.TempDir()), named.Err)
	case err != nil:
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
