// cache_verify.go is the command cache verify: finds damage, and mends it when told.

package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/larder-go/larder/store/disk"
)

func cacheVerifyCommand(g *globals) *cobra.Command {
	v := verifier{g: g}
	cmd := &cobra.Command{
		Use:     "verify [FLAGS]",
		Short:   "read all of the cache and find damage",
		Example: "  larder cache verify --fix",
		Long: "Reads every byte of the cache and prints what is damaged, one a line: file, offset,\n" +
			"reason, key. Exit code 1 if something is, unless --fix has removed it.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v.out = cmd.OutOrStdout()
			return v.run(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&v.fix, "fix", false, "remove what is damaged, keep the rest")
	bindJSON(cmd.Flags(), &v.asJSON)
	return cmd
}

type verifier struct {
	g      *globals
	fix    bool
	asJSON bool
	out    io.Writer
}

func (v *verifier) run(ctx context.Context) error {
	report, err := v.read(ctx)
	if err != nil {
		return fmt.Errorf("cache verify: %w", err)
	}
	for _, d := range report.Damaged {
		if err := v.write(d); err != nil {
			return fmt.Errorf("cache verify: %w", err)
		}
	}
	v.g.say("cache verify: read %s, %s, expired %d, damaged %d",
		formatCount(report.Entries, "entry", "entries"), formatSize(report.Bytes),
		report.Expired, len(report.Damaged))
	if len(report.Damaged) > 0 && !v.fix {
		return exitWith(exitFailed)
	}
	return nil
}

func (v *verifier) read(ctx context.Context) (disk.Report, error) {
	open, check := v.g.look, (*disk.Store).Verify
	if v.fix {
		open, check = v.g.mend, (*disk.Store).Repair
	}
	s, err := open()
	if err != nil {
		return disk.Report{}, err
	}
	defer s.Close()
	return check(s, ctx)
}

func (v *verifier) write(d disk.Damage) error {
	if v.asJSON {
		return writeJSON(v.out, d)
	}
	line := fmt.Sprintf("%s:%d: %s", d.File, d.Offset, d.Reason)
	if d.Key != "" {
		line += ": " + d.Key
	}
	_, err := fmt.Fprintln(v.out, printable(line))
	return err
}
