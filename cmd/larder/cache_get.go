// cache_get.go is the command cache get: one entry of the cache.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/scrape"
	"github.com/larder-go/larder/store"
)

func cacheGetCommand(g *globals) *cobra.Command {
	var o getOptions
	cmd := &cobra.Command{
		Use:     "get [FLAGS] KEY",
		Short:   "print an entry of the cache",
		Example: "  larder cache get 'run:gh api /orgs/golang/repos #0f5e…'",
		Long: "Prints the value of KEY, one of those that cache ls prints: of a run: entry, what the\n" +
			"command wrote to stdout and stderr; of a page, its body. Exit code 4: not in the cache.",
		Args: oneArgument("KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := g.look()
			if errors.Is(err, errNoCache) {
				return exitf(exitAbsent, "cache get: %w", err)
			}
			if err != nil {
				return fmt.Errorf("cache get: %w", err)
			}
			defer s.Close()
			return get(cmd.Context(), s, pageKey(args[0]), g.getter(cmd, o))
		},
	}
	cmd.Flags().BoolVar(&o.raw, "raw", false, "print the value as it is stored")
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "describe the entry instead, as one JSON object")
	return cmd
}

type getOptions struct{ raw, asJSON bool }

// getter writes one entry.
type getter struct {
	getOptions
	g      *globals
	stdout io.Writer
	stderr io.Writer
}

func (g *globals) getter(cmd *cobra.Command, o getOptions) getter {
	return getter{o, g, cmd.OutOrStdout(), cmd.ErrOrStderr()}
}

func get(ctx context.Context, s store.Store, key string, w getter) error {
	item, r, err := store.Open(ctx, s, key)
	if errors.Is(err, store.ErrNotFound) {
		return exitf(exitAbsent, "cache get: not in the cache: %s: see larder cache ls", key)
	}
	if err != nil {
		return fmt.Errorf("cache get: %w", err)
	}
	defer r.Close()
	if !w.raw && !w.asJSON && isPage(key) {
		if done, err := w.writePage(ctx, s, key); done {
			return err
		}
	}
	if err := w.write(key, item, r); err != nil {
		return fmt.Errorf("cache get: %w", err)
	}
	return nil
}

// isPage reports whether the HTTP cache keeps a response under key.
func isPage(key string) bool {
	return strings.HasPrefix(key, "http://") || strings.HasPrefix(key, "https://")
}

// pageKey returns the key of a page for any spelling of its address, and other keys as they are.
func pageKey(key string) string {
	if !isPage(key) || strings.Contains(key, "#") {
		return key
	}
	if canonical, err := scrape.Canonical(key); err == nil {
		return canonical
	}
	return key
}

// writePage writes the body of a kept page, be it fresh or stale. It is not done if the page cannot
// be had by its address alone, such as one of several variants.
func (w getter) writePage(ctx context.Context, s store.Store, key string) (done bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, key, nil)
	if err != nil {
		return false, nil
	}
	req.Header.Set("Cache-Control", "only-if-cached, max-stale")
	cache := &httpcache.Transport{Store: s}
	resp, err := cache.RoundTrip(req)
	if err != nil {
		return false, nil
	}
	defer resp.Body.Close()
	if httpcache.ResultOf(resp).Outcome == httpcache.Miss {
		return false, nil
	}
	if _, err := io.Copy(w.stdout, resp.Body); err != nil {
		return true, fmt.Errorf("cache get: %w", err)
	}
	return true, nil
}

func (w getter) write(key string, item store.Item, r store.Reader) error {
	d := described{Info: store.NewInfo(key, item, r.Size())}
	d.State, _ = stateOf(d.Info, time.Now())
	isRun := strings.HasPrefix(key, runPrefix) && !w.raw
	switch {
	case isRun:
		return w.writeRun(d, r)
	case w.asJSON:
		return writeJSON(w.stdout, d)
	}
	_, err := io.Copy(w.stdout, r)
	return err
}

// writeRun writes what a command wrote.
func (w getter) writeRun(d described, r store.Reader) error {
	value, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	rec, err := decodeRecord(value)
	if err != nil {
		return fmt.Errorf("%w: give --raw", err)
	}
	if w.asJSON {
		d.Run = describeRun(rec)
		return writeJSON(w.stdout, d)
	}
	if rec.failure != "" {
		w.g.say("cache get: refresh failed %s ago: %s", formatAge(time.Since(rec.failed)),
			rec.failure)
	}
	_, err = w.stdout.Write(rec.stdout)
	_, err2 := w.stderr.Write(rec.stderr)
	return errors.Join(err, err2)
}

// described is an entry in JSON, without its value.
type described struct {
	store.Info
	State string        `json:"state"`
	Run   *describedRun `json:"run,omitempty"`
}

type describedRun struct {
	Command       []string  `json:"command"`
	Exit          int       `json:"exit"`
	Started       time.Time `json:"started"`
	Seconds       float64   `json:"seconds"`
	Stdout        int       `json:"stdout_bytes"`
	Stderr        int       `json:"stderr_bytes"`
	RefreshFailed time.Time `json:"refresh_failed,omitzero"`
	RefreshError  string    `json:"refresh_error,omitempty"`
}

func describeRun(rec record) *describedRun {
	return &describedRun{
		Command: rec.argv, Exit: rec.exit, Started: rec.started, Seconds: rec.took.Seconds(),
		Stdout: len(rec.stdout), Stderr: len(rec.stderr),
		RefreshFailed: rec.failed, RefreshError: rec.failure,
	}
}
