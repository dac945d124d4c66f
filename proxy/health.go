// health.go looks at an origin from time to time, so that nobody has to find out that it is down.

package proxy

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// healthCheck says how an origin is looked at. The zero value is not at all.
type healthCheck struct {
	url   string
	host  string
	every time.Duration
}

func checkOf(s *Site, to *url.URL) healthCheck {
	if s.Health == "" {
		return healthCheck{}
	}
	h := healthCheck{
		url:   to.Scheme + "://" + to.Host + s.Health,
		every: cmp.Or(time.Duration(s.HealthInterval), healthEvery),
	}
	if s.SendHost != "*" {
		h.host = s.SendHost
	}
	return h
}

// watch looks at the origin until drop is called. say hears when it goes down and comes back; done
// is called at the end.
func (o *origin) watch(say func(string), done func()) {
	if o.check.url == "" {
		done()
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	o.stop = stop
	go func() {
		defer done()
		o.watchUntil(ctx, say)
	}()
}

func (o *origin) watchUntil(ctx context.Context, say func(string)) {
	tick := time.NewTicker(o.check.every)
	defer tick.Stop()
	down := false
	for {
		err := o.look(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !down:
			say(fmt.Sprintf("origin %s is down: %v", o.name, err))
		case err == nil && down:
			say(fmt.Sprintf("origin %s is back", o.name))
		}
		down = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look asks for the health of the origin once, and tells the circuit.
func (o *origin) look(ctx context.Context) error {
	err := o.ask(ctx)
	switch {
	case ctx.Err() != nil: // we end, which says nothing
	case err == nil:
		o.circuit.leave(time.Now(), worked)
	default:
		o.circuit.trip(time.Now(), o.check.every)
	}
	return err
}

func (o *origin) ask(parent context.Context) error {
	ctx, cancel := context.WithTimeout(parent, min(o.check.every, maxHealthTimeout))
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, o.check.url, nil)
	if err != nil {
		return err
	}
	r.Host = o.check.host
	r.Header.Set("User-Agent", "larder-health")
	resp, err := o.base.RoundTrip(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxHealthBody)); err != nil {
		return err
	}
	if resp.StatusCode < 200 || resp.StatusCode >= 400 {
		return fmt.Errorf("%s answered %d", o.check.url, resp.StatusCode)
	}
	return nil
}
