// main.go lists the commands and turns what they return into an exit code.

// Command larder keeps what is slow to get, beginning with the output of other commands.
package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := untilSignal(context.Background())
	err := newRoot().ExecuteContext(ctx)
	code := report(os.Stderr, err, context.Cause(ctx))
	stop()
	os.Exit(code)
}

// newRoot returns the command larder with all its subcommands, in the order of help.
func newRoot() *cobra.Command {
	cobra.EnableCommandSorting = false
	g := &globals{}
	root := rootCommand(g)
	commands := []*cobra.Command{
		runCommand(g),
		fetchCommand(g),
		titlesCommand(g),
		warmCommand(g),
		explainCommand(g),
		eachCommand(g),
		galleryCommand(g),
		proxyCommand(g),
		topCommand(),
		cacheCommand(g),
		simCommand(g),
		sizeCommand(g),
		traceCommand(g),
		completionCommand(),
		versionCommand(),
	}
	root.AddCommand(commands...)
	return root
}

func rootCommand(g *globals) *cobra.Command {
	var version bool
	root := &cobra.Command{
		Use:   "larder COMMAND",
		Short: "keep what is slow to get",
		Long: "The second time it comes at once: larder keeps pages and the output of commands in a\n" +
			"folder of bounded size that all your processes share.",
		Example: "  larder titles https://go.dev/blog/\n" +
			"  larder run --ttl 15m -- gh api /orgs/golang/repos",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if version {
				return printVersion(cmd.OutOrStdout(), false)
			}
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return cmp.Or(fromEnv(cmd), g.check(cmd))
		},
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.Flags().BoolVar(&version, "version", false, "print the version")
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpFunc(printHelp)
	root.SetHelpCommand(helpCommand())
	root.SetFlagErrorFunc(flagError)
	g.bind(root.PersistentFlags())
	return root
}

// unknownCommand refuses name as a subcommand of cmd and names what was probably meant.
func unknownCommand(cmd *cobra.Command, name string) error {
	cmd.SuggestionsMinimumDistance = min(2, max(1, len(name)-1)) // one letter is near to all
	advice := "see " + cmd.CommandPath() + " --help"
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		advice = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return usagef("%sunknown command %q: %s", within(cmd), name, advice)
}

// await returns what read returns, or the error of ctx if that is done first: then read stays where
// it is, blocked in a pipe or a terminal, until the process ends.
func await[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := read()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// codeOf returns the exit code for err, and whether a line should say why.
func codeOf(err, cause error) (code int, loud bool) {
	var exit exitError
	var caught signalError
	switch {
	case err == nil:
		return exitDone, false
	case errors.As(err, &exit):
		return exit.code, exit.err != nil
	case errors.Is(err, context.Canceled) && errors.As(cause, &caught):
		return 128 + int(caught.signal), false
	}
	return exitFailed, true
}
