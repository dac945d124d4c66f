// cache.go is the command cache: what its subcommands share.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/larder-go/larder/store"
)

func cacheCommand(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cache COMMAND",
		Short: "look into the cache and mend it",
		Example: "  larder cache ls --sort bytes --match '*github.com*'\n" +
			"  larder cache rm --prefix 'run:gh api'",
		Long: "Look into the cache and mend it.\n\n" +
			"Exit codes: 0 done; 1 failed, or cache verify has found damage; 2 usage; 3 some of it;\n" +
			"4 cache get: not in the cache.",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return usagef("cache: which command: see larder cache --help")
		},
	}
	cmd.AddCommand(
		cacheListCommand(g),
		cacheStatsCommand(g),
		cacheGetCommand(g),
		cacheRemoveCommand(g),
		cacheClearCommand(g),
		cacheVerifyCommand(g),
		cacheGCCommand(g),
	)
	return cmd
}

func bindJSON(flags *pflag.FlagSet, asJSON *bool) {
	flags.BoolVar(asJSON, "json", false, "print JSON, one object a line")
}

// writeJSON writes v as one line, with the characters of URLs as they are.
func writeJSON(w io.Writer, v any) error {
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(escapeControls(line.Bytes()))
	return err
}

// escapeControls escapes the control characters that JSON allows as they are, DEL and C1: some
// terminals obey them.
func escapeControls(line []byte) []byte {
	if !bytes.ContainsFunc(line, isHighControl) {
		return line
	}
	var escaped []byte
	for _, r := range string(line) {
		if isHighControl(r) {
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		} else {
			escaped = utf8.AppendRune(escaped, r)
		}
	}
	return escaped
}

func isHighControl(r rune) bool { return '\u007f' <= r && r <= '\u009f' }

// selection names entries of a cache; the zero value names all.
type selection struct {
	prefix string
	match  string
	tag    string
}

func (s *selection) bind(flags *pflag.FlagSet) {
	flags.StringVar(&s.prefix, "prefix", "", "only keys that begin with `TEXT`, such as run:")
	flags.StringVar(&s.match, "match", "", "only keys that match `GLOB`: * is any text,"+
		" ? any character")
	flags.StringVar(&s.tag, "tag", "", "only entries with the tag `NAME`")
}

func (s selection) empty() bool { return s == selection{} }

func (s selection) includes(info store.Info) bool {
	return strings.HasPrefix(info.Key, s.prefix) &&
		(s.match == "" || glob(s.match, info.Key)) &&
		(s.tag == "" || slices.Contains(info.Tags, s.tag))
}

// entries yields what from holds and s includes, as it comes.
func (s selection) entries(ctx context.Context, from store.Store) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		for info, err := range store.List(ctx, from, s.prefix) {
			if (err != nil || s.includes(info)) && !yield(info, err) {
				return
			}
		}
	}
}

// glob reports whether all of text matches pattern, where * stands for any text, slashes included,
// and ? for one character. It takes at most len(pattern) * len(text) steps.
func glob(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	i, j, star, from := 0, 0, -1, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, from = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i, j = i+1, j+1
		case star >= 0: // let the last * take one more
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(string(p[i:]), "*") == ""
}
