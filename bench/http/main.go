// main.go lets caches serve the same bodies to wrk, and prints how many requests a second they did.

// Command http measures cached hits over HTTP: larder's proxy, nginx and varnish in front of one
// origin, and a plain net/http handler that writes bytes from a map, which is the most that a
// server made with net/http can do. All are programs of their own on the loopback interface, with
// the settings they come with; they take turns.
//
//	cd bench && go run ./http          # needs wrk, nginx, varnishd (Debian's names: wrk, nginx,
//	                                   # varnish); varnish wants a C compiler
//	go run ./http -only larder,plain -rounds 5 -seconds 10
//
// "larder" is `larder proxy` as it is built from this tree, "package" the least program around
// httpcache.Cache.Proxy. Who is not installed is left out. How to read it: compare the ratios of
// one run. Single runs move by a sixth, medians of ratios by less. Measure on a machine that has
// nothing else to do: where cores are short, varnish with its hundreds of threads gets a larger
// share of them than programs that have one for each core.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// settings is what the flags say.
type settings struct {
	only    string
	rounds  int
	seconds int
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("http: ")
	if serving() {
		os.Exit(1)
	}
	// A contestant does not end with this program unless it is told to.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		log.Fatal(err)
	}
}

// errUsage is a call that makes no sense; what is wrong was said.
var errUsage = errors.New("usage")

// run does what args say, and writes the tables to out.
func run(ctx context.Context, args []string, out, diagnostics io.Writer) error {
	var s settings
	set := flag.NewFlagSet("http", flag.ContinueOnError)
	set.SetOutput(diagnostics)
	set.StringVar(&s.only, "only", "", "contestants to measure, separated by commas (default all)")
	set.IntVar(&s.rounds, "rounds", 3, "how often each takes its turn; medians are printed")
	set.IntVar(&s.seconds, "seconds", 3, "how long a turn takes")
	if err := set.Parse(args); err != nil {
		return errors.Join(errUsage, err)
	}
	if s.rounds < 1 || s.seconds < 1 || set.NArg() > 0 {
		set.Usage()
		return errUsage
	}
	chosen, err := choose(contestants(), s.only)
	if err != nil {
		return err
	}
	return compare(ctx, chosen, s, out, diagnostics)
}

// choose returns the contestants with the names in only, all if it is empty.
func choose(all []contestant, only string) (chosen []contestant, err error) {
	if only == "" {
		return all, nil
	}
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(all, func(c contestant) bool { return c.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no contestant %q", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// compare starts the contestants, lets them take turns with each body, and prints what came of it.
func compare(
	ctx context.Context, chosen []contestant, s settings, out, diagnostics io.Writer,
) error {
	dir, err := os.MkdirTemp("", "larder-bench-http-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	a := &arena{dir: dir, origin: startOrigin(), diagnostics: diagnostics}
	defer a.close()
	if err := a.start(chosen); err != nil {
		return err
	}
	busy := load()
	all := measured{}
	for _, b := range bodies {
		took := time.Now()
		if err := a.measure(ctx, b, s, all); err != nil {
			return err
		}
		fmt.Fprintf(diagnostics, "%s: %v\n", b.name, time.Since(took).Round(time.Second))
	}
	all.print(out, a.names())
	if busy != "" {
		fmt.Fprintf(out, "\nThe machine has %d cores and began with a load of %s.\n",
			runtime.NumCPU(), busy)
	}
	return nil
}

// load returns how many programs wanted to run in the last minute, where the system tells.
func load() string {
	text, _ := os.ReadFile("/proc/loadavg")
	minute, _, _ := strings.Cut(string(text), " ")
	return minute
}
