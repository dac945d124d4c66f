// exit.go holds the exit codes, and the one line that an error becomes.

package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitPartly = 3
	exitAbsent = 4 // not in the cache

	exitTimeout       = 124 // as timeout(1)
	exitNotExecutable = 126 // as a shell
	exitNotFound      = 127 // as a shell
)

// exitError ends larder with a code. Without an err it ends silently.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

// exitWith ends larder silently with code.
func exitWith(code int) error {
	if code == exitDone {
		return nil
	}
	return exitError{code: code}
}

func exitf(code int, format string, args ...any) error {
	return exitError{code, fmt.Errorf(format, args...)}
}

func usagef(format string, args ...any) error { return exitf(exitUsage, format, args...) }

// report writes err as one line, if it needs one, and returns the exit code. cause is why the
// context ended, if it did.
func report(w io.Writer, err, cause error) int {
	code, loud := codeOf(err, cause)
	if loud {
		fmt.Fprintln(w, "larder: "+oneLine(err.Error()))
	}
	return code
}

// oneLine joins the lines of text.
func oneLine(text string) string { return printable(strings.Join(strings.Fields(text), " ")) }

// within returns the name of a subcommand as the beginning of an error: "cache ls: ", and nothing
// for larder itself.
func within(cmd *cobra.Command) string {
	_, name, found := strings.Cut(cmd.CommandPath(), " ")
	if !found {
		return ""
	}
	return name + ": "
}

// flagError says in one line what is wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	var missing *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown):
		return usagef("%sunknown flag %s: see %s --help", within(cmd),
			dashed(unknown.GetSpecifiedName()), cmd.CommandPath())
	case errors.As(err, &invalid):
		return usagef("%s--%s %q: %w", within(cmd), invalid.GetFlag().Name,
			invalid.GetValue(), wrongValue(invalid.Unwrap()))
	case errors.As(err, &missing):
		return usagef("%s%s: needs a value: see %s --help", within(cmd),
			dashed(missing.GetSpecifiedName()), cmd.CommandPath())
	}
	return usagef("%s%w", within(cmd), err)
}

// wrongValue says what a value of a flag should be, where the error of a number does not.
func wrongValue(err error) error {
	var number *strconv.NumError
	if errors.As(err, &number) {
		return errors.New("not a number")
	}
	return err
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// noArguments refuses arguments where none have a meaning.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%sunexpected argument %q: see %s --help", within(cmd), args[0],
			cmd.CommandPath())
	}
	return nil
}

// oneArgument wants exactly one argument, called name.
func oneArgument(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return usagef("%swants one %s, got %d: see %s --help", within(cmd), name, len(args),
			cmd.CommandPath())
	}
}
