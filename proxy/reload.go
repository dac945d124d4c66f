// reload.go changes what a server goes by, while it serves.

package proxy

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"
)

// Reloaded says what a reload did.
type Reloaded struct {
	// Restart are the keys whose new values wait for a restart. All others are in force.
	Restart []string `json:"restart,omitempty"`
}

// Reload reads the configuration and the files it names anew, and reopens the access log. Sites,
// certificates, limits, token and log change at once; no connection is dropped, and the cache keeps
// what it has. Requests under way go on as they began. What cannot change without a restart stays
// as it was, and is named. If anything is wrong nothing changes, and the error says what.
func (s *Server) Reload() (Reloaded, error) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	done, err := s.reload()
	switch {
	case err != nil:
		s.options.Say("not reloaded, all goes on as it was: " + err.Error())
	case len(done.Restart) > 0:
		s.options.Say("reloaded, but for what needs a restart: " + strings.Join(done.Restart, ", "))
	default:
		s.options.Say("reloaded")
	}
	return done, err
}

func (s *Server) reload() (Reloaded, error) {
	old := s.now.Load()
	c := old.config
	if s.options.Load != nil {
		var err error
		if c, err = s.options.Load(); err != nil {
			return Reloaded{}, err
		}
	}
	if wrong := c.check(); len(wrong) > 0 {
		return Reloaded{}, wrong
	}
	restart := c.keepFixed(&old.config)
	p, wrong := c.gather(old.origins)
	if len(wrong) > 0 {
		return Reloaded{}, wrong
	}
	st := newState(c, p, s.cache)
	st.altSvc = old.altSvc
	if err := st.takeLog(old, s.options.Say); err != nil {
		return Reloaded{}, fmt.Errorf("proxy: %w", err)
	}
	s.put(st, old)
	return Reloaded{Restart: restart}, nil
}

// put puts st into force.
func (s *Server) put(st, old *state) {
	s.now.Store(st)
	s.gate.set(st.config.Limits.Connections)
	st.start(old, s.watch)
	switch {
	case old.log == nil:
	case old.log == st.log:
		st.log.Reopen()
	default:
		_ = old.log.Close()
	}
}

// takeLog goes on with the log of old, or opens another one.
func (st *state) takeLog(old *state, say func(string)) (err error) {
	switch path := st.config.Log.Access; {
	case path == "":
	case old.log != nil && path == old.config.Log.Access:
		st.log = old.log
	default:
		st.log, err = openLog(path, say)
	}
	return err
}

// setting is a value that only a restart changes, by its key.
type setting struct {
	key   string
	value reflect.Value
}

// fixed returns all settings that only a restart changes.
func (c *Config) fixed() []setting {
	of := func(key string, value any) setting { return setting{key, reflect.ValueOf(value).Elem()} }
	all := []setting{
		of("listen", &c.Listen), of("listen_tls", &c.ListenTLS), of("http3", &c.HTTP3),
		of("certificate_check", &c.CertificateCheck),
		of("limits.header", &c.Limits.Header),
		of("limits.read_header_timeout", &c.Limits.ReadHeader),
		of("limits.idle_timeout", &c.Limits.Idle),
		of("admin.listen", &c.Admin.Listen),
	}
	for field, value := range reflect.ValueOf(&c.Cache).Elem().Fields() {
		all = append(all, setting{"cache." + field.Tag.Get("toml"), value})
	}
	return all
}

// keepFixed gives c the settings of old that only a restart changes, and returns the keys of those
// that were different.
func (c *Config) keepFixed(old *Config) (changed []string) {
	before := old.fixed()
	for i, s := range c.fixed() {
		if !reflect.DeepEqual(s.value.Interface(), before[i].value.Interface()) {
			changed = append(changed, s.key)
			s.value.Set(before[i].value)
		}
	}
	return changed
}

// watchCerts looks at the files of the certificates from time to time, until ctx ends.
func (s *Server) watchCerts(ctx context.Context) {
	tick := time.NewTicker(s.now.Load().config.CertificateCheck.Std())
	defer tick.Stop()
	seen := s.now.Load().config.stamps()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			seen = s.renewCerts(seen)
		}
	}
}

// renewCerts reads the certificates if their files are others than seen, and returns what they are
// now. A new pair that does not fit together leaves the old one in force: its other half may come.
func (s *Server) renewCerts(seen map[string]stamp) map[string]stamp {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	st := *s.now.Load()
	now := st.config.stamps()
	if maps.Equal(now, seen) {
		return seen
	}
	certs, wrong := st.config.loadCerts()
	if len(wrong) > 0 {
		s.options.Say("certificates not renewed, the old ones go on: " + wrong.Error())
		return now
	}
	st.certs = certs
	s.now.Store(&st)
	s.options.Say("certificates renewed")
	return now
}
