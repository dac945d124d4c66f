// cache_ls.go is the command cache ls: what the cache holds.

package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/larder-go/larder/store"
)

func cacheListCommand(g *globals) *cobra.Command {
	var l listing
	cmd := &cobra.Command{
		Use:     "ls [FLAGS]",
		Short:   "list what the cache holds",
		Example: "  larder cache ls --sort bytes --match '*github.com*'",
		Long: "Lists size, age, state and key of each entry, as they come; --sort reads all first.\n" +
			"The state is fresh, or stale with the time until it goes, or failed: the last refresh\n" +
			"did not work, and the old output is still there. Keys begin with run: (output of\n" +
			"commands), http: (pages) or scrape/robots (what robots.txt of a host says).",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkSort(l.sort); err != nil {
				return err
			}
			s, err := g.look()
			if err != nil {
				return fmt.Errorf("cache ls: %w", err)
			}
			defer s.Close()
			return l.write(cmd.OutOrStdout(), l.entries(cmd.Context(), s))
		},
	}
	l.bind(cmd.Flags())
	cmd.Flags().StringVar(&l.sort, "sort", "", "by `key`, bytes (largest first) or age (oldest"+
		" first) (default: as they come)")
	bindJSON(cmd.Flags(), &l.asJSON)
	return cmd
}

// listing is what cache ls shows, and how.
type listing struct {
	selection
	sort   string
	asJSON bool
}

func checkSort(by string) error {
	if slices.Contains([]string{"", "key", "bytes", "age"}, by) {
		return nil
	}
	return usagef("cache ls: --sort %q: unknown order: one of key, bytes, age", by)
}

func (l listing) write(w io.Writer, entries iter.Seq2[store.Info, error]) error {
	out := bufio.NewWriterSize(w, 64<<10)
	now := time.Now()
	entries, err := l.sorted(entries)
	if err != nil {
		return fmt.Errorf("cache ls: %w", err)
	}
	for info, err := range entries {
		if err != nil {
			out.Flush()
			return fmt.Errorf("cache ls: %w", err)
		}
		if err := writeEntry(out, info, now, l.asJSON); err != nil {
			return fmt.Errorf("cache ls: %w", err)
		}
	}
	return out.Flush()
}

// sorted returns entries in the order that is wanted. Without one it reads nothing ahead.
func (l listing) sorted(
	entries iter.Seq2[store.Info, error],
) (iter.Seq2[store.Info, error], error) {
	if l.sort == "" {
		return entries, nil
	}
	var all []store.Info
	for info, err := range entries {
		if err != nil {
			return nil, err
		}
		all = append(all, info)
	}
	slices.SortFunc(all, order(l.sort))
	return func(yield func(store.Info, error) bool) {
		for _, info := range all {
			if !yield(info, nil) {
				return
			}
		}
	}, nil
}

func order(by string) func(a, b store.Info) int {
	return func(a, b store.Info) int {
		var c int
		switch by {
		case "bytes":
			c = cmp.Compare(b.Size, a.Size)
		case "age":
			c = a.Created.Compare(b.Created)
		}
		return cmp.Or(c, cmp.Compare(a.Key, b.Key))
	}
}

// listed is an entry in JSON.
type listed struct {
	store.Info
	State string `json:"state"`
}

func writeEntry(w io.Writer, info store.Info, now time.Time, asJSON bool) error {
	state, left := stateOf(info, now)
	if asJSON {
		return writeJSON(w, listed{info, state})
	}
	if left > 0 {
		state += " " + formatAge(left)
	}
	_, err := fmt.Fprintf(w, "%8s %5s  %-11s %s\n", formatSize(info.Size),
		formatAge(now.Sub(info.Created)), state, printable(info.Key))
	return err
}

// stateOf returns the state of an entry at now, and how long that lasts, 0 if for as long as there
// is room.
func stateOf(info store.Info, now time.Time) (state string, left time.Duration) {
	item := store.Item{
		Created: info.Created, FreshUntil: info.FreshUntil, GoneAfter: info.GoneAfter,
	}
	until := info.GoneAfter
	switch {
	case item.Expired(now):
		return "gone", 0
	case slices.Contains(info.Tags, failedTag):
		state = "failed"
	case item.Fresh(now):
		state, until = "fresh", info.FreshUntil
	default:
		state = "stale"
	}
	if until.IsZero() {
		return state, 0
	}
	return state, until.Sub(now)
}
