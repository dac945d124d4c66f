// main.go picks a measurement by its name and prints what it found.

// Command memory measures caches in memory side by side: larder with its adaptive policy, larder
// with LRU, and five peers, each with its own defaults.
//
//	cd bench
//	go run ./memory throughput        # ns and allocations an operation
//	go run ./memory ttl               # ns a hit, without and with a time to live
//	go run ./memory observe           # ns a hit, without and with Options.Observe: larder alone
//	go run ./memory curve FILE...     # what a cache predicts of itself, and what happens
//	go run ./memory curve FILE...     # what a cache predicts of itself, and what happens
//	go run ./memory memory            # bytes an entry, and what a pass of the collector takes
//	go run ./memory bound             # how far a burst of writers drives it beyond its maximum
//	go run ./memory loading           # what becomes of those who wait for one load
//	go run ./memory hitratio FILE...  # of traces, in any format that package trace reads
//
// -h after the name lists the flags. Output is Markdown, with --json one object a line; --only
// larder,otter runs those alone, by the names in the tables.
//
// How to read it: compare figures of one run with one another, as ratios. Machines differ, and so
// do two minutes of one machine: a single figure may move by a fifth. Ratios move less, because
// contestants take turns where time is measured, and figures are medians of the rounds. Peers that
// admit or evict in the background are waited for where waiting is not what is measured.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strings"
)

// measurement is one question to all contestants.
type measurement interface {
	flags(*flag.FlagSet)
	measure(caches []contestant, files []string) ([]*table, error)
}

// command is a measurement as it is called.
type command struct {
	name, files, about string
	measurement
}

func commands() []command {
	return []command{
		{"throughput", "", "ns and allocations an operation", &throughput{}},
		{"ttl", "", "ns a hit, without and with a time to live", &ttl{}},
		{"observe", "", "ns a hit, of a cache that observes itself or not", &observe{}},
		{"curve", "FILE...", "predictions of a cache that observes itself", &curve{}},
		{"curve", "FILE...", "predictions of a cache that observes itself", &curve{}},
		{"memory", "", "bytes an entry and the time of a collection", &memory{}},
		{"bound", "", "entries beyond the maximum while many write", &bound{}},
		{"loading", "", "callers at once, one who gives up, a panic", &loading{}},
		{"hitratio", "FILE...", "hit ratios of traces, and their optimum", &hitRatio{}},
	}
}

// errUsage is a call that makes no sense; what is wrong was said.
var errUsage = errors.New("usage")

func main() {
	log.SetFlags(0)
	log.SetPrefix("memory: ")
	switch err := run(os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		log.Fatal(err)
	}
}

// run does what args say, and writes the tables to out.
func run(args []string, out, diagnostics io.Writer) error {
	all := commands()
	i := -1
	if len(args) > 0 {
		i = slices.IndexFunc(all, func(c command) bool { return c.name == args[0] })
	}
	if i < 0 {
		return usage(diagnostics, all)
	}
	return all[i].run(args[1:], out, diagnostics)
}

func usage(w io.Writer, all []command) error {
	fmt.Fprintln(w, "usage: memory MEASUREMENT [flags]")
	for _, c := range all {
		fmt.Fprintf(w, "  %-18s %s\n", c.name+" "+c.files, c.about)
	}
	return errUsage
}

func (c command) run(args []string, out, diagnostics io.Writer) error {
	set := flag.NewFlagSet("memory "+c.name, flag.ContinueOnError)
	set.SetOutput(diagnostics)
	asJSON := set.Bool("json", false, "print JSON, one object a line")
	only := set.String("only", "", "contestants to measure, separated by commas (default all)")
	c.flags(set)
	if err := set.Parse(args); err != nil {
		return errors.Join(errUsage, err)
	}
	if (c.files == "") != (set.NArg() == 0) {
		fmt.Fprintf(diagnostics, "usage: memory %s [flags] %s\n", c.name, c.files)
		return errUsage
	}
	caches, err := choose(contestants(), *only)
	if err != nil {
		return err
	}
	tables, err := c.measure(caches, set.Args())
	if err != nil {
		return err
	}
	return report{caches, tables}.print(out, *asJSON)
}

// choose returns the contestants with the names in only, all if it is empty.
func choose(all []contestant, only string) (chosen []contestant, err error) {
	if only == "" {
		return all, nil
	}
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(all, func(c contestant) bool { return c.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no contestant %q: one of %s", name,
				strings.Join(names(all), ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}
