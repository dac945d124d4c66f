// config.go is what a server can be told, by a file or by a program, and what it does untold.

package proxy

import "time"

// Config says what a [Server] serves and how. It comes from [Load], or from [Default] and a program
// that fills it. Its fields are the keys of the file; docs/proxy.md has an example of each.
//
// Reload changes all but what is marked "restart".
type Config struct {
	// Listen are host:port for HTTP/1.1 and, without TLS, HTTP/2 (h2c). ":80" is every address of
	// the machine. Restart.
	Listen []string `toml:"listen"`
	// ListenTLS are host:port for HTTP/1.1 and HTTP/2 over TLS. It needs a Certificate. Restart.
	ListenTLS []string `toml:"listen_tls"`
	// HTTP3 serves HTTP/3 as well, on the UDP ports of ListenTLS, and says so to clients. Restart.
	HTTP3 bool `toml:"http3"`
	// TrustedProxies are addresses and networks (10.0.0.0/8) of proxies of our own in front of this
	// one: what they say of their clients is believed, and handed on.
	TrustedProxies []string `toml:"trusted_proxies"`
	// CertificateCheck is how often the files of certificates are looked at. Restart.
	CertificateCheck Duration `toml:"certificate_check"`

	Cache        Cache         `toml:"cache"`
	Limits       Limits        `toml:"limits"`
	Admin        Admin         `toml:"admin"`
	Log          Log           `toml:"log"`
	Certificates []Certificate `toml:"certificate"`
	Sites        []Site        `toml:"site"`

	source source
}

// Cache says what is kept, and where. All of it needs a restart to change.
type Cache struct {
	// Name is what the cache calls itself in Cache-Status and Via.
	Name string `toml:"name"`
	// Memory bounds what is kept in memory; at least 1 MiB.
	Memory Size `toml:"memory"`
	// Disk is a folder for what does not fit there, and outlives a restart; "" is none.
	Disk string `toml:"disk"`
	// DiskSize bounds the folder; 0 is what it has, 1 GiB for a new one.
	DiskSize Size `toml:"disk_size"`
	// Redis is the URL of a Redis that several proxies share: redis://user:password@host:port/db,
	// rediss:// with TLS; several hosts, separated by commas, are a cluster. With Disk, the folder
	// holds copies of what is in Redis. "" is none.
	Redis string `toml:"redis"`
	// Spool is the folder for bodies on their way into the cache; "" is the system's for such.
	Spool string `toml:"spool"`
	// MaxBody is the largest body that is kept.
	MaxBody Size `toml:"max_body"`
	// StaleIfError is how long after its freshness a response may stand in for an origin that
	// fails, where it does not say itself.
	StaleIfError Duration `toml:"stale_if_error"`
	// FillTimeout bounds the wait for the header of an origin, and for each piece of its body.
	FillTimeout Duration `toml:"fill_timeout"`
	// Encodings are the content codings in which text is kept as well: zstd, br, gzip.
	Encodings []string `toml:"encodings"`
}

// Limits bound what clients can ask of the server. Those of headers and idle connections need a
// restart to change.
type Limits struct {
	// Header bounds the head of a request; restart.
	Header Size `toml:"header"`
	// URL bounds the target of a request; longer ones are answered 414.
	URL Size `toml:"url"`
	// Body bounds the body of a request; longer ones are answered 413.
	Body Size `toml:"body"`
	// Connections bounds those that are open at a time, over TCP; more wait to be accepted.
	Connections int `toml:"connections"`
	// ReadHeader is the time a client has to send the head of a request, and to agree on TLS;
	// restart.
	ReadHeader Duration `toml:"read_header_timeout"`
	// Idle is how long a connection may wait for its next request; restart.
	Idle Duration `toml:"idle_timeout"`
	// Stall is how long a client may neither take nor send a byte that it should. A slow client
	// is not cut, one that stands still is.
	Stall Duration `toml:"stall_timeout"`
	// Shutdown is how long requests may go on that are under way when the server ends.
	Shutdown Duration `toml:"shutdown_timeout"`
}

// Admin says where the server can be told what to do. The address needs a restart to change.
type Admin struct {
	// Listen is host:port, or unix:/path of a socket that only the user of the server can use. ""
	// is nowhere.
	Listen string `toml:"listen"`
	// Token must be known to whoever asks; at least 16 characters. A socket needs none.
	Token string `toml:"token"`
	// TokenFile has it on its first line instead. Without either it is $LARDER_ADMIN_TOKEN.
	TokenFile string `toml:"token_file"`
}

// Log says where requests are noted.
type Log struct {
	// Access is a file, - for stdout, or "" for none.
	Access string `toml:"access"`
	// Format is common, combined or json.
	Format string `toml:"format"`
}

// Certificate is a certificate with its chain, and its key, in PEM files.
type Certificate struct {
	Cert string `toml:"cert"`
	Key  string `toml:"key"`
}

// Site is an origin and what is asked of it.
type Site struct {
	// Host are the names it is asked by: example.com, or *.example.com for all names that end like
	// that. Empty is every name that no other site has.
	Host []string `toml:"host"`
	// Path is where the site begins: /api is that and all below it. The site with the longest path
	// answers. "" is /.
	Path string `toml:"path"`
	// To is the origin: http or https, host, and a path that is put before those asked for.
	To string `toml:"to"`
	// SendHost is the Host that the origin is sent, * what the client sent. "" is the host of To if
	// that is a name with a dot, else what the client sent: an application behind an address or
	// localhost makes its links from what it is asked for.
	SendHost string `toml:"send_host"`
	// CA is a file of certificates that vouch for the origin instead of the system's.
	CA string `toml:"ca"`
	// Forward names request fields that are handed on although they are known to poison caches;
	// they become part of the key.
	Forward []string `toml:"forward"`

	// Query names the parameters that count; without it all do, and with an empty list none.
	Query []string `toml:"query"`
	// Languages are those the origin speaks; the best for the client is part of the key.
	Languages []string `toml:"languages"`
	// TTL is how long a success is fresh that does not say so itself; 0 is as RFC 9111 guesses.
	TTL Duration `toml:"ttl"`
	// Stale is how long after that it is served while a new one is asked for.
	Stale Duration `toml:"stale"`
	// Tags are surrogate keys of all answers.
	Tags []string `toml:"tags"`
	// ShareCookies is "as the header permits" (RFC 9111), or "never": then what sets a cookie is
	// not kept.
	ShareCookies string `toml:"share_cookies"`

	// Health is a path that answers 2xx or 3xx while the origin is well; "" is none.
	Health string `toml:"health"`
	// HealthInterval is the time between two looks at it; 0 is 5 s.
	HealthInterval Duration `toml:"health_interval"`
}

// Ways to treat what sets a cookie.
const (
	asHeaderPermits = "as the header permits"
	neverShare      = "never"
)

// Formats of the access log.
const (
	formatCommon   = "common"
	formatCombined = "combined"
	formatJSON     = "json"
)

// Default returns a Config without addresses and sites.
func Default() Config {
	return Config{
		CertificateCheck: Duration(10 * time.Second),
		Cache: Cache{
			Name:         "larder",
			Memory:       256 << 20,
			MaxBody:      64 << 20,
			StaleIfError: Duration(24 * time.Hour),
			FillTimeout:  Duration(time.Minute),
		},
		Limits: Limits{
			Header:      64 << 10,
			URL:         8 << 10,
			Body:        64 << 20,
			Connections: 10_000,
			ReadHeader:  Duration(10 * time.Second),
			Idle:        Duration(2 * time.Minute),
			Stall:       Duration(30 * time.Second),
			Shutdown:    Duration(30 * time.Second),
		},
		Log: Log{Format: formatCombined},
	}
}

// addressed reports whether the configuration names an address to serve at.
func (c *Config) addressed() bool { return len(c.Listen)+len(c.ListenTLS) > 0 }
