// explain.go is the command explain: what caches do with a response, and why.

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/httpcache"
)

func explainCommand(g *globals) *cobra.Command {
	e := &explain{g: g, method: http.MethodGet, timeout: duration(30 * time.Second)}
	cmd := &cobra.Command{
		Use:   "explain [FLAGS] URL | --response FILE [URL] | --at ADDRESS [CACHE] KEY",
		Short: "say what caches do with a response or a key, and why",
		Example: "  larder explain https://example.com/\n" +
			"  larder explain --through http://127.0.0.1:8080 --follow http://example.com/\n" +
			"  curl -si https://example.com/ | larder explain --response -\n" +
			"  larder explain --at 127.0.0.1:6060 users 42",
		Long: "Asks for the URL as a browser would, and again with the validators that came,\n" +
			"and says what shared caches and browsers do with the response: whether they keep\n" +
			"it, for how long, by which field and which section of the RFC, and what happens then.\n" +
			"Then it names mistakes, and what to write instead.\n\n" +
			"Nothing is asked of the network with --response: it reads a response from a file,\n" +
			"as curl -i prints it.\n\n" +
			"With --at it asks a running program that serves dash for the life of a key in one of its\n" +
			"caches: whether it is there, for how long yet, why it was missed, what would help. CACHE\n" +
			"can be left out if there is but one.\n\n" +
			"Exit codes: 0 explained, whatever was found; 1 failed, 2 usage, 3 some of it.",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), args)
		},
	}
	e.bind(cmd.Flags())
	return cmd
}

// explain is what the command explain was told.
type explain struct {
	g *globals

	headers           []string
	method            string
	through, response string
	timeout           duration
	shared, private   bool
	follow, asJSON    bool
	key               keyFlags

	url, throughURL *url.URL // nil if not given
	header          http.Header
}

func (e *explain) bind(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringArrayVar(&e.headers, "header", nil,
		"`FIELD` to send, as 'Authorization: Bearer x'; may be repeated")
	flags.StringVar(&e.method, "method", e.method, "`METHOD` of the request")
	flags.StringVar(&e.through, "through", "",
		"`ADDRESS` of a cache, as http://127.0.0.1:8080: connect there, keep the Host")
	flags.BoolVar(&e.follow, "follow", false, "follow redirects, and explain each of them")
	flags.StringVar(&e.response, "response", "",
		"`FILE` with a response, - for stdin: explain that, without the network")
	flags.BoolVar(&e.shared, "shared", false, "explain what shared caches do alone")
	flags.BoolVar(&e.private, "private", false, "explain what browsers do alone")
	flags.Var(&e.timeout, "timeout", "bound of one request")
	e.key.bind(flags)
	bindJSON(flags, &e.asJSON)
}

// check reads the flags, and refuses what can only be a slip.
func (e *explain) check(args []string) error {
	switch {
	case len(args) == 0 && e.response == "":
		return usagef("explain: no URL: give one, or --response FILE")
	case len(args) > 1:
		return usagef("explain: wants one URL, got %d: see larder explain --help", len(args))
	case e.shared && e.private:
		return usagef("explain: --shared and --private contradict each other: leave both out")
	case e.response != "" && (e.follow || e.through != ""):
		return usagef("explain: --response asks nobody: leave --follow and --through out")
	case e.timeout < 1:
		return usagef("explain: --timeout must be longer than 0s")
	case e.method == "" || strings.ContainsFunc(e.method, isNoToken):
		return usagef("explain: --method %q: not a method", e.method)
	}
	e.method = strings.ToUpper(e.method)
	var err error
	if len(args) == 1 {
		if e.url, err = pageURL(args[0]); err != nil {
			return usagef("explain: %s", warmTrouble(err))
		}
	}
	return cmp.Or(e.checkThrough(), e.readHeader())
}

func (e *explain) checkThrough() (err error) {
	if e.through == "" {
		return nil
	}
	if !strings.Contains(e.through, "://") {
		e.through = "http://" + e.through
	}
	if e.throughURL, err = pageURL(e.through); err != nil {
		return usagef("explain: --through: %s", warmTrouble(err))
	}
	if e.throughURL.RequestURI() != "/" {
		return usagef("explain: --through %s: give scheme, host and port alone", e.through)
	}
	return nil
}

// browserHeader is what is sent unless a flag says otherwise: what browsers say of what they can
// read, under a name of our own.
func browserHeader() http.Header {
	return http.Header{
		"User-Agent": {
			"Mozilla/5.0 (compatible; larder/" + larder.Version() +
				"; +https://github.com/larder-go/larder)",
		},
		"Accept":          {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
		"Accept-Encoding": {"gzip, deflate, br, zstd"},
		"Accept-Language": {"en-US,en;q=0.9"},
	}
}

// readHeader makes the header of the fields given. The first of a name takes the place of what is
// sent otherwise.
func (e *explain) readHeader() error {
	e.header = browserHeader()
	var given []string
	for _, field := range e.headers {
		name, value, ok := strings.Cut(field, ":")
		name, value = http.CanonicalHeaderKey(name), strings.Trim(value, " \t")
		switch {
		case !ok || name == "" || strings.ContainsFunc(name, isNoToken):
			return usagef("explain: --header %q: not a field: write 'Name: value'", field)
		case strings.ContainsFunc(value, isNoValue):
			return usagef("explain: --header %q: its value holds what no field may", field)
		case name != "Host" && slices.Contains(unsendable, name):
			return usagef("explain: --header %q: the whole is asked for, and %s is set by the"+
				" request", field, name)
		}
		if !slices.Contains(given, name) {
			e.header.Del(name)
			given = append(given, name)
		}
		e.header.Add(name, value)
	}
	return nil
}

func (e *explain) audience() httpcache.Audience {
	switch {
	case e.shared:
		return httpcache.ForShared
	case e.private:
		return httpcache.ForPrivate
	}
	return httpcache.ForAll
}

func (e *explain) run(ctx context.Context, in io.Reader, out io.Writer, args []string) error {
	if err := e.checkKey(args); err != nil {
		return err
	}
	if e.key.at != "" {
		return e.runKey(ctx, out, args)
	}
	if err := e.check(args); err != nil {
		return err
	}
	if e.response != "" {
		found, err := e.readFile(in)
		if err != nil {
			return fmt.Errorf("explain: --response: %w", err)
		}
		return e.print(out, found)
	}
	w := newWay(e)
	defer w.client.CloseIdleConnections()
	return e.runHops(ctx, w, out)
}

// runHops explains the URL and, if it is to, what it redirects to.
func (e *explain) runHops(ctx context.Context, w *way, out io.Writer) error {
	req, err := e.request(ctx, e.url)
	if err != nil {
		return usagef("explain: %s", warmTrouble(err))
	}
	code := exitDone
	for hops := 0; req != nil; hops++ {
		if hops > maxHops {
			return exitf(exitPartly, "explain: redirected more than %d times", maxHops)
		}
		found, err := w.explain(req)
		if err != nil {
			return e.fail(ctx, req.URL, hops, err)
		}
		if hops > 0 && !e.asJSON {
			fmt.Fprintln(out)
		}
		if err := e.print(out, found); err != nil {
			return err
		}
		for _, err := range []error{found.again, found.astray} {
			if err != nil {
				code = exitPartly
				e.complain(req.URL, err)
			}
		}
		req = found.next
	}
	return exitWith(code)
}

// complain says what went wrong with a URL that is explained all the same.
func (e *explain) complain(u *url.URL, err error) {
	fmt.Fprintf(os.Stderr, "larder: explain: %s: %s\n", oneLine(u.Redacted()),
		oneLine(explainTrouble(err)))
}

// fail returns the error for a URL that could not be asked for after so many others.
func (e *explain) fail(ctx context.Context, u *url.URL, hops int, err error) error {
	code := exitFailed
	if hops > 0 {
		code = exitPartly
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return exitf(code, "explain: %s: %s", u.Redacted(), explainTrouble(err))
}

// request makes the first request.
func (e *explain) request(ctx context.Context, u *url.URL) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, e.method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header = e.header.Clone()
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
		req.Header.Del("Host")
	}
	return req, nil
}

func (e *explain) print(out io.Writer, found explained) error {
	if e.asJSON {
		return writeJSON(out, found)
	}
	return writeAll(out, newPage().render(found))
}
