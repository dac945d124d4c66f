// proxy.go is the command proxy: a caching reverse proxy.

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/proxy"
)

func proxyCommand(g *globals) *cobra.Command {
	p := proxying{g: g, file: proxy.Default()}
	cmd := &cobra.Command{
		Use:   "proxy [FLAGS] --config FILE | --to URL",
		Short: "serve sites through a shared cache",
		Example: "  larder proxy --to http://127.0.0.1:3000 --listen :8080\n" +
			"  larder proxy --to http://127.0.0.1:3000 --memory 1GiB --disk /var/cache/larder\n" +
			"  larder proxy --to http://127.0.0.1:3000 --admin 127.0.0.1:9321 --token-file token\n" +
			"  larder proxy --config larder.toml\n" +
			"  larder proxy purge --admin 127.0.0.1:9321 --token-file token --tag news",
		Long: "Asks the origin once for what its header permits to keep (RFC 9111), and answers all\n" +
			"others itself; also while the origin is down. A file can have several sites, TLS,\n" +
			"limits, a second level on disk or in Redis: see docs/proxy.md.\n\n" +
			"With --admin it can be told to purge and reload, and looked at: by larder proxy stats and\n" +
			"larder top, in a browser (/debug/cache), by Prometheus (/metrics). Without it, not.\n\n" +
			"SIGHUP reads the file and certificates anew and reopens the log, without dropping a\n" +
			"connection. SIGTERM and SIGINT let requests under way end; a second one does not.",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return p.run(cmd) },
	}
	p.bind(cmd.Flags())
	cmd.AddCommand(proxyPurgeCommand(), proxyReloadCommand(), proxyStatsCommand())
	return cmd
}

// proxying is what the command proxy was told.
type proxying struct {
	g      *globals
	config string
	check  bool
	file   proxy.Config // by flags
	to     string
	memory size
	disk   size // of the folder
	cert   proxy.Certificate
}

func (p *proxying) bind(flags *pflag.FlagSet) {
	flags.SortFlags = false
	p.memory = size(p.file.Cache.Memory)
	flags.StringVarP(&p.config, "config", "c", "", "`FILE` that says everything, instead of flags")
	flags.BoolVar(&p.check, "check", false, "say what is wrong with all that, and serve nothing")
	flags.StringVar(&p.to, "to", "", "`URL` of the origin")
	flags.StringSliceVar(&p.file.Listen, "listen", nil,
		"`HOST:PORT` for HTTP/1.1 and h2c; :8080 means all addresses (default 127.0.0.1:8080)")
	flags.StringSliceVar(&p.file.ListenTLS, "listen-tls", nil, "`HOST:PORT` for TLS")
	flags.StringVar(&p.cert.Cert, "cert", "", "PEM `FILE` with the certificate and its chain")
	flags.StringVar(&p.cert.Key, "key", "", "PEM `FILE` with its key")
	flags.BoolVar(&p.file.HTTP3, "http3", false, "serve HTTP/3 at the addresses with TLS")
	flags.Var(&p.memory, "memory", "bound of what is kept in memory")
	flags.StringVar(&p.file.Cache.Disk, "disk", "", "`FOLDER` behind memory, as a second level")
	flags.Var(&p.disk, "disk-size",
		"bound of that folder (default: what it has, 1GiB for a new one)")
	flags.Lookup("disk-size").DefValue = "0" // hides a second default
	flags.StringVar(&p.file.Cache.Redis, "redis", "",
		"`URL` of a Redis that several proxies share: redis://host:port/db")
	flags.StringVar(&p.file.Admin.Listen, "admin", "",
		"`HOST:PORT` or unix:/path at which to purge, reload and look (default: none)")
	flags.StringVar(&p.file.Admin.TokenFile, "token-file", "",
		"`FILE` with the token for --admin (default $LARDER_ADMIN_TOKEN)")
	flags.StringVar(&p.file.Log.Access, "log", "", "`FILE` for a line per request, - for stdout")
	flags.StringVar(&p.file.Log.Format, "log-format", p.file.Log.Format,
		"`FORMAT` of these lines: common, combined or json")
}

// run checks or serves.
func (p *proxying) run(cmd *cobra.Command) error {
	if err := p.complete(cmd); err != nil {
		return err
	}
	c, err := p.load()
	if err == nil && p.check {
		err = proxy.Check(c)
	}
	if err != nil || p.check {
		return p.mistaken(err)
	}
	boundMemory(&c)
	server, err := proxy.New(c, proxy.Options{
		Load: p.load, Say: p.say, HTTP3: serveHTTP3, Version: larder.Version(),
	})
	if err != nil {
		return p.mistaken(err)
	}
	p.announce(server.Addrs())
	stop := onHangup(func() { _, _ = server.Reload() }) // which says how it went
	defer stop()
	if err := server.Serve(cmd.Context()); err != nil {
		return err
	}
	return cmd.Context().Err()
}

// complete makes the flags a configuration, and refuses those that contradict --config.
func (p *proxying) complete(cmd *cobra.Command) error {
	switch {
	case p.config != "":
		return p.alone(cmd)
	case p.to == "":
		return usagef("proxy: no origin: give --to URL or --config FILE")
	}
	c := &p.file
	c.Cache.Memory, c.Cache.DiskSize = proxy.Size(p.memory), proxy.Size(p.disk)
	c.Sites = []proxy.Site{{To: p.to}}
	if p.cert != (proxy.Certificate{}) {
		c.Certificates = []proxy.Certificate{p.cert}
	}
	if len(c.Listen)+len(c.ListenTLS) == 0 {
		c.Listen = []string{"127.0.0.1:8080"}
	}
	return nil
}

// alone refuses flags beside --config: what would hold?
func (p *proxying) alone(cmd *cobra.Command) (err error) {
	cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if f.Changed && err == nil && f.Name != "config" && f.Name != "check" {
			err = usagef("proxy: --config and --%s: say all of it in the file", f.Name)
		}
	})
	return err
}

func (p *proxying) load() (proxy.Config, error) {
	if p.config == "" {
		return p.file, nil
	}
	return proxy.Load(p.config)
}

func (p *proxying) say(line string) { p.g.say("proxy: %s", line) }

// mistaken says each mistake in a configuration in a line of its own.
func (p *proxying) mistaken(err error) error {
	var all proxy.Mistakes
	if !errors.As(err, &all) {
		return err
	}
	for _, one := range all[:len(all)-1] {
		fmt.Fprintln(os.Stderr, "larder: proxy: "+oneLine(p.mistake(one)))
	}
	return usagef("proxy: %s", p.mistake(all[len(all)-1]))
}

// flagOfKey are the flags of keys that are called differently.
var flagOfKey = map[string]string{
	"site.0.to": "to", "certificate.0": "cert", "log.access": "log", "log.format": "log-format",
	"admin.listen": "admin", "admin.token": "token-file",
}

// mistake names the flag where there is no file.
func (p *proxying) mistake(m proxy.Mistake) string {
	if m.File != "" || m.Key == "" {
		return m.Error()
	}
	_, last, ok := strings.Cut(m.Key, ".")
	if !ok {
		last = m.Key
	}
	name := cmp.Or(flagOfKey[m.Key], strings.ReplaceAll(last, "_", "-"))
	return "--" + name + ": " + m.What
}

// announce says where the server can be reached.
func (p *proxying) announce(a proxy.Addrs) {
	for _, plain := range a.Plain {
		p.say("http://" + plain.String())
	}
	for _, secure := range a.TLS {
		p.say("https://" + secure.String())
	}
	for _, quic := range a.QUIC {
		p.say("HTTP/3 at " + quic.String())
	}
	if a.Admin != nil {
		address := a.Admin.String()
		if a.Admin.Network() == "unix" {
			address = "unix:" + address
		}
		p.say("admin at " + address)
	}
}

// boundMemory tells the collector how much memory the process is meant to have: what the cache
// keeps, a quarter of that for what is on its way, and what connections need. Far below that it may
// collect less often than it would by itself, since a cache is mostly bytes that stay.
func boundMemory(c *proxy.Config) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(c.Cache.Memory)*5/4 + 256<<20)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(800)
	}
}

// onHangup calls f for each SIGHUP, one after the other, until stop is called. It takes the signal
// from untilSignal, also where nohup has switched it off.
func onHangup(f func()) (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Ignore(syscall.SIGHUP) // so that there is no moment in which it ends the process
	signal.Notify(hangups, syscall.SIGHUP)
	done, cancel := context.WithCancel(context.Background())
	go func() {
		for {
			select {
			case <-hangups:
				f()
			case <-done.Done():
				return
			}
		}
	}()
	return func() { signal.Stop(hangups); cancel() }
}
