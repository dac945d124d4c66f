// help.go prints the help of a command: an example first, then what it does, then its flags.

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpWidth is where the text of a flag is wrapped.
const helpWidth = 96

func printHelp(cmd *cobra.Command, _ []string) {
	w := cmd.OutOrStdout()
	section(w, "Example", cmd.Example)
	about := cmd.Long
	if about == "" {
		about = strings.ToUpper(cmd.Short[:1]) + cmd.Short[1:] + "."
	}
	fmt.Fprintln(w, about+"\n")
	section(w, "Usage", "  "+usageLine(cmd))
	section(w, "Commands", commandList(cmd))
	cmd.Flags().SortFlags = false // the order in which they were thought of, and -h at the end
	section(w, "Flags", flagList(cmd.LocalNonPersistentFlags()))
	section(w, "Flags of every command", flagList(globalFlags(cmd)))
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "More: %s COMMAND --help\n", cmd.CommandPath())
	}
}

func section(w io.Writer, title, text string) {
	if text = strings.TrimRight(text, "\n"); text != "" {
		fmt.Fprintf(w, "%s:\n%s\n\n", title, text)
	}
}

func usageLine(cmd *cobra.Command) string {
	if cmd.HasParent() {
		return cmd.Parent().CommandPath() + " " + cmd.Use
	}
	return cmd.Use
}

func commandList(cmd *cobra.Command) string {
	var b strings.Builder
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			fmt.Fprintf(&b, "  %-12s %s\n", sub.Name(), sub.Short)
		}
	}
	return b.String()
}

func flagList(flags *pflag.FlagSet) string {
	flags.SortFlags = false
	shown := pflag.NewFlagSet("", pflag.ContinueOnError)
	shown.SortFlags = false
	flags.VisitAll(func(f *pflag.Flag) { shown.AddFlag(asTyped(f)) })
	return shown.FlagUsagesWrapped(helpWidth)
}

// asTyped returns f with its default as one would type it, without the quotes and brackets of pflag.
func asTyped(f *pflag.Flag) *pflag.Flag {
	typed := *f
	switch {
	case f.Value.Type() == "string" && f.DefValue != "":
		typed.Usage, typed.DefValue = f.Usage+" (default "+f.DefValue+")", ""
	case f.DefValue != "[]" && strings.HasPrefix(f.DefValue, "["):
		typed.DefValue = strings.Trim(f.DefValue, "[]")
	}
	return &typed
}

// withoutFolder are the commands that keep nothing in the folder of the cache.
var withoutFolder = []string{
	"completion", "explain", "proxy", "sim", "size", "top", "trace", "version", "warm",
}

// globalFlags are those of the root that mean something to a command.
func globalFlags(cmd *cobra.Command) *pflag.FlagSet {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	cmd.Root().PersistentFlags().VisitAll(func(f *pflag.Flag) {
		if !ofFolder(f) || !slices.Contains(withoutFolder, first(cmd).Name()) {
			flags.AddFlag(f)
		}
	})
	return flags
}

// ofFolder reports whether a flag says something of the folder of the cache.
func ofFolder(f *pflag.Flag) bool { return f.Name == "cache-dir" || f.Name == "max-size" }

// first returns the command below the root that cmd is or belongs to, the root for itself.
func first(cmd *cobra.Command) *cobra.Command {
	for cmd.HasParent() && cmd.Parent().HasParent() {
		cmd = cmd.Parent()
	}
	return cmd
}

func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND...]",
		Short:   "print the help of a command",
		Example: "  larder help run",
		Hidden:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil {
				return usagef("help: %w", err)
			}
			if len(rest) > 0 {
				return unknownCommand(found, rest[0])
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}
