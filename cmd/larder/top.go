// top.go is the command top: the caches of a program in a terminal, while it runs.

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

func topCommand() *cobra.Command {
	t := &topping{interval: duration(time.Second), timeout: duration(10 * time.Second)}
	cmd := &cobra.Command{
		Use:   "top [FLAGS] ADDRESS",
		Short: "watch the caches of a running program",
		Example: "  larder top 127.0.0.1:6060\n" +
			"  larder top --token-file token http://127.0.0.1:9321/debug/cache    # a larder proxy\n" +
			"  larder top --json unix:/run/larder/admin.sock | jq '{name, hit_ratio}'",
		Long: "Shows a row for each cache of a program that serves dash: how much it hits, how often\n" +
			"and how slowly it loads, what it holds, and what could be better. ADDRESS is a URL,\n" +
			"host:port or unix:/path; without a path it is " + usualPath + ". See docs/top.md.\n\n" +
			"Arrows and Enter open a cache: what other sizes would hit, why it missed, which keys\n" +
			"cost most; s sorts, ? helps, q or Ctrl-C ends. With --once or --json, or without a\n" +
			"terminal, it prints the rows once.\n\n" +
			"Exit codes: 0 shown, 1 failed, 2 usage.",
		Args: oneArgument("ADDRESS"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.run(cmd.Context(), cmd.OutOrStdout(), args[0])
		},
	}
	t.bind(cmd.Flags())
	return cmd
}

// topping is what the command top was told.
type topping struct {
	debugFlags
	interval, timeout duration
	once, asJSON      bool
}

func (t *topping) bind(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.Var(&t.interval, "interval", "how often it is asked")
	flags.BoolVar(&t.once, "once", false, "print the rows once, for a pipe or a log")
	bindJSON(flags, &t.asJSON)
	t.debugFlags.bind(flags)
	flags.Var(&t.timeout, "timeout", "bound of one request")
}

// leastInterval keeps a slip from making a program busy with telling what it does.
const leastInterval = 100 * time.Millisecond

// check refuses what can only be a slip.
func (t *topping) check() error {
	switch {
	case time.Duration(t.interval) < leastInterval:
		return usagef("top: --interval must be at least %v", leastInterval)
	case t.timeout < 1:
		return usagef("top: --timeout must be longer than 0s")
	}
	return nil
}

func (t *topping) run(ctx context.Context, out io.Writer, address string) error {
	if err := t.check(); err != nil {
		return err
	}
	at, err := parseDebugAddress(address)
	if err != nil {
		return usagef("top: %q: %w", address, err)
	}
	client, err := t.client(at, t.timeout)
	if err != nil {
		return fmt.Errorf("top: %w", err)
	}
	defer client.Close()
	switch {
	case t.asJSON:
		return t.printJSON(ctx, client, out)
	case t.once || !watched():
		return t.print(ctx, client, out)
	}
	return t.watch(ctx, client)
}

// watched reports whether a person sits at a terminal that can be written over.
func watched() bool {
	return isTerminal(os.Stdin) && isTerminal(os.Stdout) && os.Getenv("TERM") != "dumb"
}

// printJSON prints each part as the program tells of it, in a line.
func (t *topping) printJSON(ctx context.Context, client *debugClient, out io.Writer) error {
	var all struct{ Parts []json.RawMessage }
	if err := client.get(ctx, nil, &all); err != nil {
		return fmt.Errorf("top: %w", err)
	}
	for _, one := range all.Parts {
		if err := writeJSON(out, one); err != nil {
			return err
		}
	}
	return nil
}

// print prints the rows once: as wide as the terminal, or as wide as they are.
func (t *topping) print(ctx context.Context, client *debugClient, out io.Writer) error {
	all, err := client.overview(ctx)
	if err != nil {
		return fmt.Errorf("top: %w", err)
	}
	width := 0
	if isTerminal(os.Stdout) {
		width, _, _ = term.GetSize(int(os.Stdout.Fd())) // 0 if it does not know
	}
	var b strings.Builder
	for _, line := range newTable(all.Parts, width).lines(all.Parts) {
		b.WriteString(line.render(width, colours() != nil) + "\n")
	}
	return writeAll(out, b.String())
}

// watch shows the rows until somebody has seen enough. What is wrong at the beginning is said in a
// line, what goes wrong later on the screen.
func (t *topping) watch(ctx context.Context, client *debugClient) error {
	all, err := client.overview(ctx)
	if err != nil {
		return fmt.Errorf("top: %w", err)
	}
	s := &screen{
		view:   &view{address: client.at.String(), overview: all},
		client: client, interval: time.Duration(t.interval),
		in: os.Stdin, out: os.Stdout, coloured: colours() != nil,
	}
	return s.show(ctx)
}
