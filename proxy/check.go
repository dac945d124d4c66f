// check.go finds what is wrong with a configuration, without looking at anything else.

package proxy

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// minToken is the length of the shortest token that is accepted.
const minToken = 16

// checking gathers the mistakes of a configuration.
type checking struct {
	*Config
	found Mistakes
}

// expect notes a mistake at key unless ok.
func (c *checking) expect(ok bool, key, format string, args ...any) {
	if !ok {
		c.found = append(c.found, c.wrong(key, format, args...))
	}
}

// check returns all mistakes that can be seen without looking into files.
func (c *Config) check() Mistakes {
	k := &checking{Config: c}
	k.addresses()
	k.cache()
	k.limits()
	k.admin()
	k.log()
	k.sites()
	for i, pair := range c.Certificates {
		key := fmt.Sprintf("certificate.%d", i)
		k.expect(pair.Cert != "" && pair.Key != "", key, "give both cert and key, two PEM files")
	}
	return k.found.sorted()
}

func (c *checking) addresses() {
	c.expect(c.addressed(), "listen", `no address: give listen = ["127.0.0.1:8080"] or listen_tls`)
	c.expect(len(c.ListenTLS) == 0 || len(c.Certificates) > 0, "listen_tls",
		"no certificate: add a [[certificate]] with cert and key")
	c.expect(!c.HTTP3 || len(c.ListenTLS) > 0, "http3", "HTTP/3 needs TLS: give listen_tls")
	c.expect(c.CertificateCheck > 0, "certificate_check", "must be longer than 0s")
	for _, a := range c.Listen {
		c.expect(isAddress(a), "listen", "%q: write host:port, or :port for all addresses", a)
	}
	for _, a := range c.ListenTLS {
		c.expect(isAddress(a), "listen_tls", "%q: write host:port, or :port for all addresses", a)
	}
	for _, text := range c.TrustedProxies {
		_, err := parsePrefix(text)
		c.expect(err == nil, "trusted_proxies", "%q: write an address or a network like 10.0.0.0/8",
			text)
	}
}

func isAddress(text string) bool {
	_, port, err := net.SplitHostPort(text)
	n, wrong := strconv.ParseUint(port, 10, 16)
	return err == nil && wrong == nil && n <= 65535
}

// parsePrefix reads a network, or an address as a network of one.
func parsePrefix(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(text)
}

func (c *checking) cache() {
	k := &c.Cache
	c.expect(httpguts.ValidHeaderFieldName(k.Name), "cache.name",
		"%q: use letters, digits and dashes", k.Name)
	c.expect(k.Memory >= 1<<20, "cache.memory", "too small: give at least 1MiB")
	c.expect(k.DiskSize == 0 || k.DiskSize >= 1<<20, "cache.disk_size",
		"too small: give at least 1MiB")
	c.expect(k.DiskSize == 0 || k.Disk != "", "cache.disk_size", "of no folder: give disk too")
	c.expect(k.FillTimeout > 0, "cache.fill_timeout", "must be longer than 0s")
	c.expect(k.MaxBody > 0, "cache.max_body", "must be more than 0")
	for _, e := range k.Encodings {
		c.expect(slices.Contains([]string{"zstd", "br", "gzip"}, e), "cache.encodings",
			"%q: there are zstd, br and gzip", e)
	}
	if k.Redis != "" {
		_, err := redisOptions(k.Redis)
		c.expect(err == nil, "cache.redis", "%v", err)
	}
}

func (c *checking) limits() {
	l := &c.Limits
	c.expect(l.Header >= 1<<10, "limits.header", "too small: give at least 1KiB")
	c.expect(l.Header <= 16<<20, "limits.header", "too large: give at most 16MiB")
	c.expect(l.URL >= 256, "limits.url", "too small: give at least 256")
	c.expect(l.URL <= l.Header, "limits.url", "larger than limits.header: a URL is part of it")
	c.expect(l.Connections > 0, "limits.connections", "must be more than 0")
	times := map[string]Duration{
		"read_header_timeout": l.ReadHeader, "idle_timeout": l.Idle, "stall_timeout": l.Stall,
	}
	for _, key := range []string{"read_header_timeout", "idle_timeout", "stall_timeout"} {
		c.expect(times[key] > 0, "limits."+key, "must be longer than 0s")
	}
}

func (c *checking) admin() {
	a := &c.Admin
	path, socket := strings.CutPrefix(a.Listen, "unix:")
	c.expect(a.Token == "" || a.TokenFile == "", "admin.token", "and token_file: give one of them")
	c.expect(a.Token == "" || len(a.Token) >= minToken, "admin.token",
		"too short: give at least %d characters", minToken)
	c.expect(!socket || path != "", "admin.listen", "no path: write unix:/path/of/socket")
	c.expect(a.Listen == "" || socket || isAddress(a.Listen), "admin.listen",
		"%q: write 127.0.0.1:port or unix:/path", a.Listen)
	public := slices.Contains(slices.Concat(c.Listen, c.ListenTLS), a.Listen)
	c.expect(!public || strings.HasSuffix(a.Listen, ":0"), "admin.listen",
		"is an address of the public: give another port")
}

func (c *checking) log() {
	formats := []string{formatCommon, formatCombined, formatJSON}
	c.expect(slices.Contains(formats, c.Log.Format), "log.format", "%q: there are %s",
		c.Log.Format, strings.Join(formats, ", "))
}

func (c *checking) sites() {
	c.expect(len(c.Sites) > 0, "site", `no site: add a [[site]] with to = "http://127.0.0.1:3000"`)
	taken := map[string]int{}
	for i := range c.Sites {
		s, key := &c.Sites[i], fmt.Sprintf("site.%d", i)
		c.site(s, key)
		for _, host := range hostsOf(s) {
			place := host + " " + pathOf(s)
			other, ok := taken[place]
			c.expect(!ok, key+".host", "site %d has the same host and path", other)
			taken[place] = i + 1 // people count from 1
		}
	}
}

func (c *checking) site(s *Site, key string) {
	_, err := originURL(s.To)
	c.expect(err == nil, key+".to", "%v", err)
	c.expect(s.Path == "" || s.Path[0] == '/' && !strings.ContainsAny(s.Path, "?#% "), key+".path",
		"%q: write a path such as /api, without ? and %%", s.Path)
	c.expect(!hasDots(s.Path), key+".path", "%q: has . or .. in it", s.Path)
	for _, host := range s.Host {
		c.expect(isSiteHost(host), key+".host", "%q: write example.com or *.example.com", host)
	}
	c.expect(s.SendHost == "" || s.SendHost == "*" || isHost(s.SendHost), key+".send_host",
		"%q: write a host, or * for what the client sent", s.SendHost)
	ways := []string{"", asHeaderPermits, neverShare}
	c.expect(slices.Contains(ways, s.ShareCookies), key+".share_cookies", "%q: there are %q and %q",
		s.ShareCookies, asHeaderPermits, neverShare)
	c.expect(s.Health == "" || s.Health[0] == '/', key+".health",
		"%q: write a path such as /healthz", s.Health)
	for _, name := range s.Forward {
		c.expect(httpguts.ValidHeaderFieldName(name), key+".forward",
			"%q: is no name of a field", name)
	}
}

// originURL reads the URL of an origin.
func originURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return nil, fmt.Errorf("no origin: write http://host:port")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q: write http://host:port or https://host", text)
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("%q: has more than scheme, host and path", text)
	case !isHost(u.Host):
		return nil, fmt.Errorf("%q: is no host", u.Host)
	}
	return u, nil
}
