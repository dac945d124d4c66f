// state.go is what a server goes by until the next reload: a configuration, and what it is made of.

package proxy

import (
	"bufio"
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/larder-go/larder/httpcache"
)

// parts are what a configuration names outside of itself, found and read.
type parts struct {
	certs   *certs
	origins map[originKey]*origin
	trusted networks
	token   string
}

// Check returns what is wrong with c, the files it names included, as [Mistakes]. It changes
// nothing and opens no address.
func Check(c Config) error {
	if wrong := c.check(); len(wrong) > 0 {
		return wrong
	}
	_, wrong := c.gather(nil)
	return wrong.err()
}

// gather finds the parts of a configuration that check accepts. Origins that it shares with old
// are those of old.
func (c *Config) gather(old map[originKey]*origin) (parts, Mistakes) {
	p := parts{origins: map[originKey]*origin{}}
	var wrong, more Mistakes
	p.certs, wrong = c.loadCerts()
	for i := range c.Sites {
		if err := p.addOrigin(&c.Sites[i], c.Cache.FillTimeout, old); err != nil {
			wrong = append(wrong, c.wrong(indexed("site", i, "ca"), "%v", err))
		}
	}
	for _, text := range c.TrustedProxies {
		if network, err := parsePrefix(text); err == nil {
			p.trusted = append(p.trusted, network)
		}
	}
	if p.token, more = c.token(); len(more) > 0 {
		wrong = append(wrong, more...)
	}
	if err := checkSpool(c.Cache.Spool); err != nil {
		wrong = append(wrong, c.wrong("cache.spool", "%v", err))
	}
	return p, wrong.sorted()
}

func (p *parts) addOrigin(s *Site, fill Duration, old map[originKey]*origin) error {
	to, err := originURL(s.To)
	if err != nil {
		return err
	}
	key := keyOf(s, to, fill)
	o := cmp.Or(p.origins[key], old[key])
	if o == nil {
		if o, err = newOrigin(key); err != nil {
			return err
		}
	}
	p.origins[key] = o
	return nil
}

// token returns the token of the admin address, "" for a socket that needs none.
func (c *Config) token() (string, Mistakes) {
	a, key := &c.Admin, "admin.token"
	token := cmp.Or(a.Token, os.Getenv("LARDER_ADMIN_TOKEN"))
	if a.TokenFile != "" {
		var err error
		if token, err = firstLine(a.TokenFile); err != nil {
			return "", Mistakes{c.wrong("admin.token_file", "%v", err)}
		}
		key = "admin.token_file"
	}
	switch {
	case a.Listen == "" || token == "" && strings.HasPrefix(a.Listen, "unix:"):
		return token, nil
	case token == "":
		return "", Mistakes{c.wrong(key,
			"none: give token_file, $LARDER_ADMIN_TOKEN, or a listen that is unix:/path")}
	case len(token) < minToken:
		return "", Mistakes{c.wrong(key, "too short: give at least %d characters", minToken)}
	}
	return token, nil
}

func firstLine(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Scan()
	return strings.TrimSpace(s.Text()), s.Err()
}

// indexed returns the key of the table with a number, or of a key in it.
func indexed(table string, i int, key string) string {
	return strings.TrimSuffix(fmt.Sprintf("%s.%d.%s", table, i, key), ".")
}

// state is what requests go by. It does not change.
type state struct {
	parts
	config Config
	sites  sites
	log    *logFile // nil if there is none
	format format
	altSvc []string // nil if there is no HTTP/3
}

// newState makes the sites of c answer through a cache.
func newState(c Config, p parts, cache *httpcache.Cache) *state {
	st := &state{parts: p, config: c, format: formatOf(c.Log.Format)}
	st.sites = sites{exact: map[string][]*site{}, below: map[string][]*site{}}
	for i := range c.Sites {
		st.addSite(&c.Sites[i], cache)
	}
	return st
}

func (st *state) addSite(c *Site, cache *httpcache.Cache) {
	to, _ := originURL(c.To) // check has seen it
	o := st.origins[keyOf(c, to, st.config.Cache.FillTimeout)]
	door := httpcache.Origin{
		URL: to, Transport: o, Host: c.sendHost(to), Forward: c.Forward, View: c.view(),
	}
	doubting := cache.Proxy(door)
	door.Trust = httpcache.TrustClients
	believing := cache.Proxy(door)
	for _, host := range hostsOf(c) {
		st.sites.add(&site{
			host: host, path: pathOf(c), origin: o, believing: believing, doubting: doubting,
		})
	}
}

// sendHost is the Host that the origin is sent, as package httpcache wants it.
func (s *Site) sendHost(to *url.URL) string {
	name := to.Hostname()
	if _, err := netip.ParseAddr(name); s.SendHost == "" && (err == nil || !strings.Contains(name, ".")) {
		return "*"
	}
	return s.SendHost
}

// view says how the answers of the site are cached.
func (s *Site) view() httpcache.View {
	v := httpcache.View{
		Query: s.Query, Languages: s.Languages, Tags: s.Tags,
		TTL: s.TTL.Std(), Stale: s.Stale.Std(),
	}
	if s.ShareCookies != neverShare {
		v.Cookies = httpcache.ShareCookies
	}
	return v
}

// answer answers a request: by a refusal, or by the site it is for.
func (st *state) answer(w http.ResponseWriter, r *http.Request) {
	if st.altSvc != nil && r.TLS != nil && r.ProtoMajor < 3 {
		w.Header()["Alt-Svc"] = st.altSvc
	}
	if no := refuses(r, &st.config); no.code != 0 {
		no.answer(w)
		return
	}
	s, no := st.siteOf(r)
	if s == nil {
		no.answer(w)
		return
	}
	if lastHop(r) {
		w.Header().Set("Allow", allowed)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	strip(r.Header)
	if r.ContentLength == 0 { // also in HTTP/2, where there is a reader of nothing
		r.Body = http.NoBody
		st.pass(s, w, r)
		return
	}
	guarded, end := guardBody(w, r, &st.config.Limits)
	defer end()
	if err := settle(guarded); err != nil {
		refusal{bodyError(guarded.Context()).Status, "the body did not come"}.answer(w)
		return
	}
	st.pass(s, w, guarded)
}

// pass gives a request to the cache.
func (st *state) pass(s *site, w http.ResponseWriter, r *http.Request) {
	if wait := s.origin.circuit.wait(time.Now()); wait > 0 {
		w = &retrying{w, wait}
	}
	if st.trusted.hasPeer(r) {
		s.believing.ServeHTTP(w, r)
	} else {
		s.doubting.ServeHTTP(w, r)
	}
}

// siteOf returns the site a request is for, or else what to answer.
func (st *state) siteOf(r *http.Request) (*site, refusal) {
	s, known := st.sites.find(siteName(r.Host), r.URL.Path)
	switch {
	case s != nil:
		return s, refusal{}
	case known:
		return nil, refusal{http.StatusNotFound, "no site has this path"}
	}
	return nil, refusal{http.StatusMisdirectedRequest, "no site has this name"}
}

// start starts the checks of origins that are not among those of old, which end.
func (st *state) start(old *state, watch func(*origin)) {
	var before map[originKey]*origin
	if old != nil {
		before = old.origins
	}
	for _, key := range slices.SortedFunc(maps.Keys(st.origins), byName) {
		if before[key] == nil {
			watch(st.origins[key])
		}
	}
	for key, o := range before {
		if st.origins[key] == nil {
			o.drop()
		}
	}
}

// byName puts origins in the order in which people see them.
func byName(a, b originKey) int { return cmp.Compare(a.base, b.base) }

// originStates returns the origins in order, and of each whether it is left alone.
func (st *state) originStates() (all []OriginState) {
	for _, o := range st.origins {
		all = append(all, OriginState{Origin: o.name, Down: o.circuit.opened.Load()})
	}
	slices.SortFunc(all, func(a, b OriginState) int { return cmp.Compare(a.Origin, b.Origin) })
	return slices.Compact(all)
}
