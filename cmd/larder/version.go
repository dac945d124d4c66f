// version.go says which larder this is.

package main

import (
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/store/disk"
)

func versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "print the version of larder",
		Example: "  larder version --json",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printVersion(cmd.OutOrStdout(), asJSON)
		},
	}
	bindJSON(cmd.Flags(), &asJSON)
	return cmd
}

func printVersion(w io.Writer, asJSON bool) error {
	version := larder.Version()
	if asJSON {
		return writeJSON(w, map[string]any{
			"version": version, "go": runtime.Version(), "disk_format": disk.Format,
		})
	}
	_, err := fmt.Fprintf(w, "larder %s, %s, disk format %d\n", version, runtime.Version(),
		disk.Format)
	return err
}
