// proxy_admin.go tells a running proxy what to do.

package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// adminClient asks the admin address of a proxy.
type adminClient struct {
	address   string
	tokenFile string
	timeout   duration
}

func (a *adminClient) bind(flags *pflag.FlagSet) {
	flags.SortFlags = false
	a.timeout = duration(30 * time.Second)
	flags.StringVar(&a.address, "admin", "", "`ADDRESS` of the proxy: host:port or unix:/path")
	flags.StringVar(&a.tokenFile, "token-file", "",
		"`FILE` with its token (default $LARDER_ADMIN_TOKEN)")
	flags.Var(&a.timeout, "timeout", "how long to wait for its answer")
}

func proxyPurgeCommand() *cobra.Command {
	var a adminClient
	var p purging
	cmd := &cobra.Command{
		Use:   "purge --admin ADDRESS --url URL | --prefix URL | --tag TAG | --all",
		Short: "make a proxy forget what it keeps",
		Example: "  larder proxy purge --admin unix:/run/admin.sock --url https://example.com/a\n" +
			"  larder proxy purge --admin 127.0.0.1:9321 --token-file token --tag news --soft",
		Long: "Prints how many responses in memory it were; a second level forgets its own. With --soft\n" +
			"they are stale at once: served meanwhile only where their header or the configuration\n" +
			"permits, and kept for when the origin is down.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			form, err := p.form(cmd)
			if err != nil {
				return err
			}
			var done struct{ Purged int }
			if err := a.order(cmd, "/purge", form, &done); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), done.Purged)
			return err
		},
	}
	a.bind(cmd.Flags())
	p.bind(cmd.Flags())
	return cmd
}

// purging says what is to leave.
type purging struct {
	url, prefix, tag string
	all, soft        bool
}

func (p *purging) bind(flags *pflag.FlagSet) {
	flags.StringVar(&p.url, "url", "", "`URL` as clients ask for it; all its variants leave")
	flags.StringVar(&p.prefix, "prefix", "", "`URL` that others begin with")
	flags.StringVar(&p.tag, "tag", "", "surrogate key, a `TAG` of responses")
	flags.BoolVar(&p.all, "all", false, "everything")
	flags.BoolVar(&p.soft, "soft", false, "let it be served until there is something new")
}

func (p *purging) form(cmd *cobra.Command) (url.Values, error) {
	form := url.Values{}
	for name, value := range map[string]string{"url": p.url, "prefix": p.prefix, "tag": p.tag} {
		if value != "" {
			form.Set(name, value)
		}
	}
	if p.all {
		form.Set("all", "1")
	}
	if len(form) != 1 {
		return nil, usagef("%sgive one of --url, --prefix, --tag and --all", within(cmd))
	}
	if p.soft {
		form.Set("soft", "1")
	}
	return form, nil
}

func proxyReloadCommand() *cobra.Command {
	var a adminClient
	cmd := &cobra.Command{
		Use:     "reload --admin ADDRESS",
		Short:   "let a proxy read its configuration anew",
		Example: "  larder proxy reload --admin unix:/run/larder/admin.sock",
		Long: "If the new configuration is wrong the old one stays in force, and the answer says\n" +
			"what is wrong. What needs a restart to change is printed, a key a line.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var done struct{ Restart []string }
			if err := a.order(cmd, "/reload", url.Values{}, &done); err != nil {
				return err
			}
			for _, key := range done.Restart {
				fmt.Fprintln(cmd.OutOrStdout(), key)
			}
			return nil
		},
	}
	a.bind(cmd.Flags())
	return cmd
}

func proxyStatsCommand() *cobra.Command {
	var a adminClient
	cmd := &cobra.Command{
		Use:     "stats --admin ADDRESS",
		Short:   "print the numbers of a proxy, in JSON",
		Example: "  larder proxy stats --admin unix:/run/larder/admin.sock",
		Long: "Prints what the proxy has counted since it began. It must have been started with --admin\n" +
			"or [admin]. To watch it: larder top ADDRESS.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var stats json.RawMessage
			if err := a.order(cmd, "/stats", nil, &stats); err != nil {
				return err
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), string(stats))
			return err
		},
	}
	a.bind(cmd.Flags())
	return cmd
}

// order posts a form, or gets where there is none, and reads the answer into done.
func (a *adminClient) order(cmd *cobra.Command, path string, form url.Values, done any) error {
	if a.address == "" {
		return usagef("%sno address: give --admin ADDRESS, that of larder proxy --admin ADDRESS;"+
			" one that was started without --admin takes no orders", within(cmd))
	}
	token, err := a.token()
	if err != nil {
		return fmt.Errorf("%s%w", within(cmd), err)
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), time.Duration(a.timeout))
	defer cancel()
	answer, err := a.ask(ctx, path, form, token)
	if err == nil {
		err = json.Unmarshal(answer, done)
	}
	if err != nil {
		return fmt.Errorf("%s%w%s", within(cmd), err, deaf(err))
	}
	return nil
}

// deaf says what may be wrong where nobody listens.
func deaf(err error) string {
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOENT) {
		return ": is the proxy running, with --admin and this address?"
	}
	return ""
}

// ask returns the answer to a request, which is an error if it says so.
func (a *adminClient) ask(
	ctx context.Context, path string, form url.Values, token string,
) ([]byte, error) {
	method, base := http.MethodPost, "http://"+a.address
	if form == nil {
		method = http.MethodGet
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	if socket, ok := strings.CutPrefix(a.address, "unix:"); ok {
		base = "http://localhost"
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return answerOf(transport.RoundTrip(r))
}

// maxAnswer is the longest answer that is read, in bytes.
const maxAnswer = 1 << 20

func answerOf(resp *http.Response, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil || resp.StatusCode == http.StatusOK {
		return answer, err
	}
	var said struct{ Error string }
	_ = json.Unmarshal(answer, &said) // another server than ours says something else
	return nil, fmt.Errorf("the proxy answered %s", cmp.Or(said.Error, resp.Status))
}

// token reads the token, "" where none is given.
func (a *adminClient) token() (string, error) {
	if a.tokenFile == "" {
		return os.Getenv("LARDER_ADMIN_TOKEN"), nil
	}
	f, err := os.Open(a.tokenFile)
	if err != nil {
		return "", err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	if !s.Scan() {
		return "", cmp.Or(s.Err(), errors.New(a.tokenFile+": empty"))
	}
	return strings.TrimSpace(s.Text()), nil
}
