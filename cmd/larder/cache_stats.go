// cache_stats.go is the command cache stats: how full the cache is and how well it serves.

package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/larder-go/larder/store/disk"
)

func cacheStatsCommand(g *globals) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "stats [FLAGS]",
		Short:   "count what the cache holds",
		Example: "  larder cache stats --json",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			st, err := g.stats()
			if err != nil {
				return fmt.Errorf("cache stats: %w", err)
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), st)
			}
			return writeStats(cmd.OutOrStdout(), st, time.Now())
		},
	}
	bindJSON(cmd.Flags(), &asJSON)
	return cmd
}

func (g *globals) stats() (disk.Stats, error) {
	s, err := g.look()
	if err != nil {
		return disk.Stats{}, err
	}
	defer s.Close()
	return s.Stats()
}

func writeStats(w io.Writer, st disk.Stats, now time.Time) error {
	oldest := "-"
	if !st.Oldest.IsZero() {
		oldest = formatAge(now.Sub(st.Oldest))
	}
	_, err := fmt.Fprintf(w, `folder    %s
entries   %d
bytes     %s of %s
live      %s
segments  %d
large     %d
oldest    %s
hits      %s
misses    %d
evicted   %d
damaged   %d
`, printable(st.Dir), st.Entries, formatSize(st.Bytes), formatSize(st.MaxBytes),
		formatSize(st.Live), st.Segments, st.Large, oldest, hitsOf(st), st.Misses, st.Evicted,
		st.Damaged)
	return err
}

// hitsOf writes the hits, and which share of all lookups they are.
func hitsOf(st disk.Stats) string {
	all := st.Hits + st.Misses
	if all == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%.1f%%)", st.Hits, 100*float64(st.Hits)/float64(all))
}
