// completion.go prints what a shell needs to complete the words of larder.

package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func completionCommand() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "print the completion script of a shell",
		Example: "  source <(larder completion bash)\n" +
			"  larder completion zsh > \"${fpath[1]}/_larder\"\n" +
			"  larder completion fish > ~/.config/fish/completions/larder.fish\n" +
			"  larder completion powershell | Out-String | Invoke-Expression",
		ValidArgs: shells,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(shells, args[0]) {
				return usagef("completion: which shell: one of %s", strings.Join(shells, ", "))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return complete(cmd, args[0]) },
	}
}

func complete(cmd *cobra.Command, shell string) error {
	const describe = true
	root, w := cmd.Root(), cmd.OutOrStdout()
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(w, describe)
	case "zsh":
		return root.GenZshCompletion(w)
	case "fish":
		return root.GenFishCompletion(w, describe)
	}
	return root.GenPowerShellCompletionWithDesc(w)
}
