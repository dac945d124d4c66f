// cache_clear.go is the command cache clear: removes all entries.

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

func cacheClearCommand(g *globals) *cobra.Command {
	c := clearer{g: g}
	cmd := &cobra.Command{
		Use:     "clear [FLAGS]",
		Short:   "remove everything from the cache",
		Example: "  larder cache clear --yes",
		Long: "Says which folder holds how much, asks, and removes all entries. Without a terminal\n" +
			"it needs --yes. Files that are not of the cache stay. No cache is no error.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.out = cmd.OutOrStdout()
			return c.run(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&c.yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&c.dryRun, "dry-run", false, "say what would go, remove nothing")
	bindJSON(cmd.Flags(), &c.asJSON)
	return cmd
}

type clearer struct {
	g      *globals
	yes    bool
	dryRun bool
	asJSON bool
	out    io.Writer
}

func (c *clearer) run(ctx context.Context) error {
	st, err := c.g.stats()
	if errors.Is(err, errNoCache) {
		c.g.say("cache clear: nothing to do: %v", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("cache clear: %w", err)
	}
	c.g.say("cache clear: %s: %s, %s", st.Dir, formatCount(st.Entries, "entry", "entries"),
		formatSize(st.Bytes))
	if c.dryRun {
		return c.conclude(st)
	}
	if err := c.confirm(ctx); err != nil {
		return err
	}
	if err := c.clear(ctx); err != nil {
		return fmt.Errorf("cache clear: %w", err)
	}
	return c.conclude(st)
}

// confirm returns nil if all may go.
func (c *clearer) confirm(ctx context.Context) error {
	if c.yes {
		return nil
	}
	if !isTerminal(os.Stdin) || !isTerminal(os.Stderr) {
		return usagef("cache clear: nobody to ask: give --yes")
	}
	fmt.Fprint(os.Stderr, "Remove all of it? [y/N] ")
	answer, err := await(ctx, func() (string, error) {
		return bufio.NewReader(os.Stdin).ReadString('\n')
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil || !strings.EqualFold(strings.TrimSpace(answer), "y") {
		return exitf(exitFailed, "cache clear: nothing removed")
	}
	return nil
}

func (c *clearer) clear(ctx context.Context) error {
	s, err := c.g.mend()
	if err != nil {
		return err
	}
	defer s.Close()
	return store.Clear(ctx, s)
}

func (c *clearer) conclude(was disk.Stats) error {
	if !c.asJSON {
		return nil
	}
	return writeJSON(c.out, map[string]any{
		"dir": was.Dir, "entries": was.Entries, "bytes": was.Bytes, "removed": !c.dryRun,
	})
}
