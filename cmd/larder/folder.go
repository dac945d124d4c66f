// folder.go finds the folder of the cache, opens it, and talks about it.

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

// globals are the flags that every command has.
type globals struct {
	dir     string
	maxSize size
	quiet   bool
	behind  int64 // this process refreshes behind a caller of that time, in Unix nanoseconds
}

func (g *globals) bind(flags *pflag.FlagSet) {
	flags.StringVar(&g.dir, "cache-dir", "", "`FOLDER` of the cache"+
		" (default $LARDER_CACHE_DIR, $XDG_CACHE_HOME/larder or ~/.cache/larder)")
	flags.Var(&g.maxSize, "max-size", "limit of the folder, in bytes or as 64MiB, 10MB"+
		" (default: what it has, 1GiB for a new one)")
	flags.Lookup("max-size").DefValue = "0" // hides a second default
	flags.BoolVarP(&g.quiet, "quiet", "q", false, "say nothing but errors on stderr")
	flags.Int64Var(&g.behind, "behind", 0, "")
	_ = flags.MarkHidden("behind")
}

// check refuses global flags that can only be a slip.
func (g *globals) check(cmd *cobra.Command) error {
	if g.dir == "" && cmd.Flags().Changed("cache-dir") {
		return usagef("%s--cache-dir \"\": no folder: name one, or leave the flag out", within(cmd))
	}
	if g.maxSize != 0 && g.maxSize < disk.MinMaxBytes {
		return usagef("%s%s %s: too small: give at least %s", within(cmd),
			spelled(cmd, "max-size"), g.maxSize.String(), formatSize(disk.MinMaxBytes))
	}
	return nil
}

// say writes one line for people, unless they asked for quiet.
func (g *globals) say(format string, args ...any) {
	if !g.quiet {
		fmt.Fprintln(os.Stderr, "larder: "+oneLine(fmt.Sprintf(format, args...)))
	}
}

// folder returns the path of the cache.
func (g *globals) folder() (string, error) {
	if g.dir != "" {
		return g.dir, nil
	}
	if base := os.Getenv("XDG_CACHE_HOME"); filepath.IsAbs(base) {
		return filepath.Join(base, "larder"), nil
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("where to keep the cache: %w: give --cache-dir", err)
	}
	return filepath.Join(base, "larder"), nil
}

// open opens the cache to write, and creates it if need be.
func (g *globals) open() (*disk.Store, error) {
	dir, err := g.folder()
	if err != nil {
		return nil, err
	}
	return disk.Open(dir, disk.Options{MaxBytes: int64(g.maxSize)})
}

// look opens a cache that exists, to read.
func (g *globals) look() (*disk.Store, error) {
	dir, err := g.existing()
	if err != nil {
		return nil, err
	}
	return disk.Open(dir, disk.Options{ReadOnly: true})
}

// mend opens a cache that exists, to write.
func (g *globals) mend() (*disk.Store, error) {
	if _, err := g.existing(); err != nil {
		return nil, err
	}
	return g.open()
}

// errNoCache is wrapped where there is no folder to look into.
var errNoCache = errors.New("no cache at")

func (g *globals) existing() (string, error) {
	dir, err := g.folder()
	if err != nil {
		return "", err
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%w %s: give --cache-dir, or fill it with larder run", errNoCache, dir)
	case err != nil:
		return "", err
	case !info.IsDir():
		return "", fmt.Errorf("%w %s: it is not a folder", errNoCache, dir)
	}
	return dir, nil
}

// openOrPass opens the cache; where that fails it says so once and goes on with a store that
// forgets: a broken cache must not break the command.
func (g *globals) openOrPass(command string) store.Store {
	s, err := g.open()
	if err == nil {
		return s
	}
	g.say("%s: going on without a cache: %v", command, err)
	return store.NewMemory(store.MemoryOptions{})
}
