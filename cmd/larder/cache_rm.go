// cache_rm.go is the command cache rm: removes some entries.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/larder-go/larder/store"
)

func cacheRemoveCommand(g *globals) *cobra.Command {
	r := remover{g: g}
	cmd := &cobra.Command{
		Use:   "rm [FLAGS] [KEY...]",
		Short: "remove entries from the cache",
		Example: "  larder cache rm --match 'run:gh *' --dry-run\n" +
			"  larder cache rm --tag deploy",
		Long: "Removes the entries of each KEY, or those that --prefix, --match and --tag, all\n" +
			"together, select. The address of a page removes its body and variants too. An absent KEY\n" +
			"is no error. To remove everything: cache clear.",
		Args: func(_ *cobra.Command, keys []string) error { return r.check(keys) },
		RunE: func(cmd *cobra.Command, keys []string) error {
			r.out = cmd.OutOrStdout()
			return r.run(cmd.Context(), keys)
		},
	}
	r.bind(cmd.Flags())
	cmd.Flags().BoolVar(&r.dryRun, "dry-run", false, "list what would go, remove nothing")
	bindJSON(cmd.Flags(), &r.asJSON)
	return cmd
}

// remover removes entries and counts them.
type remover struct {
	selection
	g       *globals
	dryRun  bool
	asJSON  bool
	out     io.Writer
	removed int64
	bytes   int64
	failed  []error
}

func (r *remover) check(keys []string) error {
	switch {
	case len(keys) == 0 && r.empty():
		return usagef("cache rm: which entries: give KEY, --prefix, --match or --tag")
	case len(keys) > 0 && !r.empty():
		return usagef("cache rm: KEY and --prefix, --match or --tag: give one or the other")
	}
	return nil
}

func (r *remover) run(ctx context.Context, keys []string) error {
	open := r.g.mend
	if r.dryRun {
		open = r.g.look
	}
	s, err := open()
	if err != nil {
		return fmt.Errorf("cache rm: %w", err)
	}
	defer s.Close()
	entries := r.entries(ctx, s)
	if len(keys) > 0 {
		entries = named(ctx, s, keys)
	}
	if err := r.removeAll(ctx, s, entries); err != nil {
		return fmt.Errorf("cache rm: %w", err)
	}
	return r.conclude()
}

// named yields the entries of keys that are there, pages with all their parts.
func named(ctx context.Context, s store.Store, keys []string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		for _, key := range keys {
			key = pageKey(key)
			for info, err := range whole(ctx, s, key) {
				if !yield(info, err) {
					return
				}
			}
		}
	}
}

// whole yields the entry of key if it is there, and if key is the address of a page, what else is
// kept of that page.
func whole(ctx context.Context, s store.Store, key string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		info, err := infoOf(ctx, s, key)
		if !errors.Is(err, store.ErrNotFound) && !yield(info, err) {
			return
		}
		if !isPage(key) || strings.Contains(key, "#") {
			return
		}
		for info, err := range store.List(ctx, s, key+"#") {
			if (err != nil || isPart(info.Key[len(key):])) && !yield(info, err) {
				return
			}
		}
	}
}

// isPart reports whether the HTTP cache keeps a part of a page under a key that ends in suffix. A
// long address that is cut and ends in its hash is another page.
func isPart(suffix string) bool {
	return strings.HasPrefix(suffix, "#body=") || strings.HasPrefix(suffix, "#vary=") ||
		strings.HasPrefix(suffix, "#host=")
}

func infoOf(ctx context.Context, s store.Store, key string) (store.Info, error) {
	item, r, err := store.Open(ctx, s, key)
	if err != nil {
		return store.Info{}, err
	}
	defer r.Close()
	return store.NewInfo(key, item, r.Size()), nil
}

func (r *remover) removeAll(
	ctx context.Context, s store.Store, entries iter.Seq2[store.Info, error],
) error {
	for info, err := range entries {
		if err != nil {
			return err
		}
		if err := r.remove(ctx, s, info); err != nil {
			return err
		}
	}
	return nil
}

// remove removes one entry. That one cannot be removed does not stop the others.
func (r *remover) remove(ctx context.Context, s store.Store, info store.Info) error {
	if r.dryRun {
		if err := writeEntry(r.out, info, time.Now(), r.asJSON); err != nil {
			return err
		}
	} else if err := s.Delete(ctx, info.Key); err != nil {
		r.failed = append(r.failed, err)
		return ctx.Err()
	}
	r.removed++
	r.bytes += info.Size
	return nil
}

// conclude says how many entries went.
func (r *remover) conclude() error {
	count := formatCount(r.removed, "entry", "entries")
	switch {
	case r.dryRun:
		r.g.say("cache rm: would remove %s, %s", count, formatSize(r.bytes))
		return nil
	case r.asJSON:
		err := writeJSON(r.out, map[string]int64{"removed": r.removed, "bytes": r.bytes})
		if err != nil {
			return err
		}
	case r.removed > 0 || len(r.failed) == 0:
		r.g.say("cache rm: removed %s, %s", count, formatSize(r.bytes))
	}
	if len(r.failed) == 0 {
		return nil
	}
	code := exitPartly
	if r.removed == 0 {
		code = exitFailed
	}
	return exitf(code, "cache rm: %s not removed: %w",
		formatCount(int64(len(r.failed)), "entry", "entries"), r.failed[0])
}
