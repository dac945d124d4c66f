// top_ask.go asks a program about its caches.

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/larder-go/larder/stats"
)

const (
	// maxReport is the longest report that is read, in bytes.
	maxReport = 32 << 20
	// maxComplaint is how much is shown of what a server says that refuses.
	maxComplaint = 300
	// maxMoves is how often a server may send us to another of its paths.
	maxMoves = 3
)

// overview is what a program says of all its parts.
type overview struct {
	Taken time.Time  `json:"taken"`
	Parts []observed `json:"parts"`
}

// observed is a cache or another part, with what can be reckoned from its numbers. What is nil is not
// known.
type observed struct {
	stats.Snapshot
	HitRatio   *float64       `json:"hit_ratio"`
	HitRatio1  *float64       `json:"hit_ratio_1m"`
	HitRatio10 *float64       `json:"hit_ratio_10m"`
	Requests   *float64       `json:"requests_per_second"`
	Loads      *float64       `json:"loads_per_second"`
	Saved      time.Duration  `json:"saved_ns"`
	Median     time.Duration  `json:"load_p50_ns"`
	Slow       time.Duration  `json:"load_p99_ns"`
	Mean       time.Duration  `json:"load_mean_ns"`
	Curve      *stats.Curve   `json:"curve"`
	Advice     []stats.Advice `json:"advice"`
	// Inspectable says that it can be asked about single keys, Curved that it can have a curve.
	Inspectable bool `json:"inspectable"`
	Curved      bool `json:"curved"`
}

// detail is what a program says of one part.
type detail struct {
	Part    observed                    `json:"part"`
	Top     map[stats.Order][]stats.Key `json:"top"`
	Slowest []stats.Load                `json:"slowest"`
}

// partName tells parts apart.
type partName struct{ kind, name string }

func (p *observed) id() partName { return partName{p.Kind, p.Name} }

// query asks for a part.
func (n partName) query() url.Values {
	return url.Values{"cache": {n.name}, "kind": {n.kind}}
}

// debugFlags say by what right an address is asked.
type debugFlags struct{ token, tokenFile string }

func (d *debugFlags) bind(flags *pflag.FlagSet) {
	flags.StringVar(&d.token, "token", "",
		"`TOKEN` for an address that asks for one (others see it in the list of processes)")
	flags.StringVar(&d.tokenFile, "token-file", "",
		"`FILE` with the token instead (default $LARDER_ADMIN_TOKEN)")
}

// client returns a client for an address. It must be closed.
func (d *debugFlags) client(at debugAddress, timeout duration) (*debugClient, error) {
	if d.token != "" && d.tokenFile != "" {
		return nil, usagef("--token and --token-file: give one of them")
	}
	token := d.token
	if token == "" {
		var err error
		if token, err = (&adminClient{tokenFile: d.tokenFile}).token(); err != nil {
			return nil, err
		}
	}
	return newDebugClient(at, token, time.Duration(timeout)), nil
}

// debugClient asks one address. It is safe for concurrent use.
type debugClient struct {
	at    debugAddress
	token string
	http  *http.Client
}

func newDebugClient(at debugAddress, token string, timeout time.Duration) *debugClient {
	t := &http.Transport{MaxResponseHeaderBytes: 64 << 10}
	if at.socket != "" {
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", at.socket)
		}
	}
	c := &http.Client{Transport: t, Timeout: timeout, CheckRedirect: staysThere}
	return &debugClient{at: at, token: token, http: c}
}

// staysThere follows a server to another path, and not to another server, which would get the
// token.
func staysThere(to *http.Request, via []*http.Request) error {
	if from := via[0].URL; to.URL.Host != from.Host || to.URL.Scheme != from.Scheme {
		return fmt.Errorf("it sends us to %s: ask there", to.URL.Redacted())
	}
	if len(via) > maxMoves {
		return errors.New("it sends us in circles")
	}
	return nil
}

func (c *debugClient) Close() { c.http.CloseIdleConnections() }

// overview asks for all parts.
func (c *debugClient) overview(ctx context.Context) (o overview, err error) {
	err = c.get(ctx, nil, &o)
	return o, err
}

// detail asks for one part.
func (c *debugClient) detail(ctx context.Context, of partName) (d detail, err error) {
	err = c.get(ctx, of.query(), &d)
	return d, err
}

// get asks, and reads the answer into value. Its errors say what to do.
func (c *debugClient) get(ctx context.Context, query url.Values, value any) error {
	resp, err := c.ask(ctx, query)
	if err != nil {
		return c.trouble(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxReport+1))
	switch {
	case err != nil:
		return c.trouble(err)
	case resp.StatusCode != http.StatusOK:
		return c.refusal(resp, text, query)
	case len(text) > maxReport:
		return fmt.Errorf("%s: its answer is longer than %s", c.at, formatSize(maxReport))
	}
	if err := json.Unmarshal(text, value); err != nil {
		return fmt.Errorf("%s: answers, but not as larder does: give the path at which the program"+
			" has its caches, as http://host:port%s", c.at, usualPath)
	}
	return nil
}

func (c *debugClient) ask(ctx context.Context, query url.Values) (*http.Response, error) {
	u := *c.at.url
	values := url.Values{"format": {"json"}}
	for name, given := range query {
		values[name] = given
	}
	u.RawQuery = values.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	return c.http.Do(r)
}

// trouble says why there is no answer, and what to do.
func (c *debugClient) trouble(err error) error {
	var late net.Error
	var asked *url.Error
	var unknown *net.DNSError
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOENT):
		return fmt.Errorf("%s: nobody listens there: start the program, or give the address at"+
			" which it has its caches", c.at)
	case errors.As(err, &unknown):
		return fmt.Errorf("%s: no such host: give another address", c.at)
	case errors.As(err, &late) && late.Timeout():
		return fmt.Errorf("%s: no answer in time: raise --timeout to wait longer", c.at)
	case errors.As(err, &asked):
		err = asked.Err
	}
	return fmt.Errorf("%s: %w", c.at, err)
}

// refusal says what a server answered that does not do what it was asked.
func (c *debugClient) refusal(resp *http.Response, text []byte, query url.Values) error {
	said := complaint(text)
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("%s: asks for a token: give --token-file FILE with the right one", c.at)
	case resp.StatusCode == http.StatusNotFound && len(query) > 0 && said != "":
		return fmt.Errorf("%s: %s", c.at, said)
	case resp.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%s: has no such page: give the path at which the program has its"+
			" caches, as http://host:port%s", c.at, usualPath)
	}
	return fmt.Errorf("%s: answered %s", c.at,
		strings.TrimSuffix(cmp.Or(resp.Status, "nothing")+": "+said, ": "))
}

// complaint returns the error in an answer, or its first line, "" for a page for browsers.
func complaint(text []byte) string {
	var told struct{ Error string }
	_ = json.Unmarshal(text, &told) // others say it otherwise
	said := told.Error
	if line, _, _ := strings.Cut(string(text[:min(len(text), maxComplaint)]), "\n"); said == "" {
		said = strings.TrimSpace(line)
	}
	if strings.HasPrefix(said, "<") {
		return ""
	}
	if len(said) > maxComplaint {
		said = said[:maxComplaint] + "…"
	}
	return strings.ToValidUTF8(said, "")
}
