// warm.go is the command warm: asks for pages, so that a cache in front of them has them.

package main

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/larder-go/larder/scrape"
)

func warmCommand(g *globals) *cobra.Command {
	w := newWarm(g)
	cmd := &cobra.Command{
		Use:   "warm [FLAGS] [URL...]",
		Short: "ask for pages, so that the cache in front of them is warm",
		Example: "  larder warm --site https://example.com --through http://127.0.0.1:8080\n" +
			"  larder warm --sitemap https://example.com/sitemap.xml --most 1000\n" +
			"  larder warm --from access.log.1 --site https://example.com --json",
		Long: "Asks for each URL once, by GET, and throws away what comes: a cache in between\n" +
			"keeps it for those who come later. URLs are given, listed in sitemaps, newest\n" +
			"first, or read from a file: one a line, or an access log (common, combined or\n" +
			"JSON), of which those are taken that were answered by 200 or 304, the hottest of\n" +
			"the last days first.\n\n" +
			"With --through all requests go to one address, whatever the hosts in the URLs are:\n" +
			"to the cache itself. Without it the hosts are asked, and their robots.txt and\n" +
			"Crawl-delay are obeyed. Retry-After is obeyed in any case.\n\n" +
			"Exit codes: 0 all done, 1 none, 2 usage, 3 some.",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return w.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), args)
		},
	}
	w.bind(cmd.Flags())
	return cmd
}

// warm is what the command warm was told.
type warm struct {
	g *globals

	sitemaps, headers   []string
	site, from, through string
	rate                float64
	jobs, most          int
	timeout             duration
	allowPrivate        bool
	asJSON              bool

	siteURL, throughURL *url.URL // nil if the flag is not given
	variants            []http.Header
}

func newWarm(g *globals) *warm {
	return &warm{g: g, rate: 5, jobs: 4, timeout: duration(30 * time.Second)}
}

func (w *warm) bind(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringArrayVar(&w.sitemaps, "sitemap", nil,
		"`URL` of a sitemap or an index of sitemaps, also with gzip; may be repeated")
	flags.StringVar(&w.site, "site", "",
		"`URL` of a site: its sitemaps, as robots.txt names them, or with --from or --sitemap"+
			" the only host whose pages are asked for")
	flags.StringVar(&w.from, "from", "",
		"`FILE` of URLs or an access log, also with gzip, - for stdin")
	flags.StringVar(&w.through, "through", "",
		"`ADDRESS` of the cache, as http://127.0.0.1:8080: connect there, keep the Host")
	flags.StringArrayVar(&w.headers, "header", nil,
		"`FIELD` to send, as 'Accept-Encoding: br'; of one that is repeated each value is a"+
			" variant of every page")
	flags.Float64Var(&w.rate, "rate", w.rate, "at most `N` requests a second to one host; 0: no limit")
	flags.IntVar(&w.jobs, "jobs", w.jobs, "at most `N` requests at once, 1 to 256")
	flags.IntVar(&w.most, "most", 0, "ask for the first `N` pages alone; 0: for all")
	flags.Var(&w.timeout, "timeout", "bound of one request")
	flags.BoolVar(&w.allowPrivate, "allow-private", false,
		"allow hosts in private networks and on this machine, and the proxy of HTTP_PROXY")
	bindJSON(flags, &w.asJSON)
}

// check refuses what can only be a slip.
func (w *warm) check(urls []string) error {
	switch {
	case len(urls) == 0 && len(w.sitemaps) == 0 && w.site == "" && w.from == "":
		return usagef("warm: nothing to ask for: give URLs, --sitemap, --site or --from")
	case !(w.rate >= 0) || w.rate > 1e6:
		return usagef("warm: --rate %v: not a number of requests a second: give 0 to 1000000",
			w.rate)
	case w.jobs < 1 || w.jobs > 256:
		return usagef("warm: --jobs %d: give 1 to 256", w.jobs)
	case w.most < 0:
		return usagef("warm: --most %d: give 0 or more", w.most)
	case w.timeout < 1:
		return usagef("warm: --timeout must be longer than 0s")
	}
	for _, address := range slices.Concat(urls, w.sitemaps) {
		if _, err := pageURL(address); err != nil {
			return usagef("warm: %s", warmTrouble(err))
		}
	}
	return w.read()
}

// read reads the flags that are more than a word.
func (w *warm) read() (err error) {
	if w.siteURL, err = optionalURL("site", w.site); err != nil {
		return err
	}
	if w.through != "" && !strings.Contains(w.through, "://") {
		w.through = "http://" + w.through
	}
	if w.throughURL, err = optionalURL("through", w.through); err != nil {
		return err
	}
	if w.throughURL != nil && w.throughURL.RequestURI() != "/" {
		return usagef("warm: --through %s: give scheme, host and port alone", w.through)
	}
	w.variants, err = readVariants(w.headers, defaultHeader())
	return err
}

// optionalURL reads the URL that a flag holds, if any.
func optionalURL(flag, text string) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	u, err := pageURL(text)
	if err != nil {
		return nil, usagef("warm: --%s: %s", flag, warmTrouble(err))
	}
	return u, nil
}

// pageURL reads an address in its canonical form.
func pageURL(address string) (*url.URL, error) {
	canonical, err := scrape.Canonical(address)
	if err != nil {
		return nil, err
	}
	return url.Parse(canonical)
}

func (w *warm) run(ctx context.Context, stdin io.Reader, out io.Writer, urls []string) error {
	if err := w.check(urls); err != nil {
		return err
	}
	begun := time.Now()
	a := newAsker(w)
	defer a.close()
	found := pageList{site: w.siteURL, seen: map[string]bool{}}
	if err := w.list(ctx, a, stdin, urls, &found); err != nil {
		return err
	}
	if w.most > 0 && len(found.pages) > w.most {
		found.pages = found.pages[:w.most]
	}
	t := warmTotals{Foreign: found.foreign, Bad: found.bad, FailedFiles: found.failed}
	stopped := w.askAll(ctx, a, out, found.pages, &t)
	t.Milliseconds = time.Since(begun).Milliseconds()
	if err := cmp.Or(w.print(out, &t), stopped); err != nil {
		return err
	}
	return t.exit()
}
