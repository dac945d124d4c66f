// cache_gc.go is the command cache gc: gives back the room of what has expired.

package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

func cacheGCCommand(g *globals) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "gc [FLAGS]",
		Short:   "give back the room of expired entries",
		Example: "  larder cache gc",
		Long: "Removes what is expired, replaced or left over by processes that died, and says how\n" +
			"many bytes that freed. The cache keeps its limit without it; this is for who wants the\n" +
			"room at once.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			freed, err := g.collect(cmd.Context())
			if err != nil {
				return fmt.Errorf("cache gc: %w", err)
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), map[string]int64{"freed": freed})
			}
			g.say("cache gc: freed %s", formatSize(freed))
			return nil
		},
	}
	bindJSON(cmd.Flags(), &asJSON)
	return cmd
}

func (g *globals) collect(ctx context.Context) (freed int64, err error) {
	s, err := g.mend()
	if err != nil {
		return 0, err
	}
	defer s.Close()
	return s.GC(ctx)
}
