// help_test.go reads the help of all commands.

package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// helpOf returns the help of a command.
func helpOf(t *testing.T, cmd *cobra.Command) string {
	t.Helper()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.InitDefaultHelpFlag()
	if err := cmd.Help(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// allCommands returns a command and all below it.
func allCommands(cmd *cobra.Command) (all []*cobra.Command) {
	all = append(all, cmd)
	for _, sub := range cmd.Commands() {
		all = append(all, allCommands(sub)...)
	}
	return all
}

func TestHelpSpeaksOfWhatOneTypes(t *testing.T) {
	noise := regexp.MustCompile(`--[a-z-]+ (float|int|strings|string|duration)\b|\(default ["\[]`)
	for _, cmd := range allCommands(newRoot()) {
		text := helpOf(t, cmd)
		if found := noise.FindString(text); found != "" {
			t.Errorf("%s: %q is for programs", cmd.CommandPath(), found)
		}
		for line := range strings.Lines(text) {
			if columns(strings.TrimRight(line, "\n")) > helpWidth {
				t.Errorf("%s: too long: %s", cmd.CommandPath(), line)
			}
		}
	}
}

func TestHelpNamesItselfLast(t *testing.T) {
	for _, cmd := range allCommands(newRoot()) {
		_, flags, _ := strings.Cut(helpOf(t, cmd), "\nFlags:\n")
		flags, _, _ = strings.Cut(flags, "\n\n")
		lines := strings.Split(flags, "\n")
		if last := lines[len(lines)-1]; !strings.Contains(last, "-h, --help") {
			t.Errorf("%s: the last flag is %s", cmd.CommandPath(), last)
		}
	}
}
