// help.go prints the help of a command: an example first, then what it does, then its flags.

package main

import (
	"fmt"
	"io"
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
	return flags.FlagUsagesWrapped(helpWidth)
}

// globalFlags are those of the root, from wherever one asks.
func globalFlags(cmd *cobra.Command) *pflag.FlagSet { return cmd.Root().PersistentFlags() }

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
