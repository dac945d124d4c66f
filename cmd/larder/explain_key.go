// explain_key.go asks a running program about a key of one of its caches.

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/larder-go/larder/stats"
)

// keyFlags say where a program is asked about a key.
type keyFlags struct {
	debugFlags
	at string
}

func (k *keyFlags) bind(flags *pflag.FlagSet) {
	flags.StringVar(&k.at, "at", "",
		"`ADDRESS` of a running program, as 127.0.0.1:6060: explain a KEY of its CACHE")
	k.debugFlags.bind(flags)
}

// lifeOf is what is known of a key, and of which cache.
type lifeOf struct {
	Cache string `json:"cache"`
	Kind  string `json:"kind"`
	stats.Life
}

// checkKey refuses what can only be a slip where a key is to be explained, and what belongs to a
// key where none is.
func (e *explain) checkKey(args []string) error {
	aboutKey := e.key.at != ""
	switch {
	case !aboutKey && (e.key.token != "" || e.key.tokenFile != ""):
		return usagef("explain: --token is for --at: leave it out, or give both")
	case !aboutKey:
		return nil
	case len(args) == 0 || len(args) > 2:
		return usagef("explain: --at wants CACHE and KEY, or KEY alone if there is one cache,"+
			" got %d words: see larder explain --help", len(args))
	case args[len(args)-1] == "":
		return usagef("explain: no KEY: it is empty")
	case e.response != "" || e.through != "" || e.follow || e.shared || e.private ||
		len(e.headers) > 0 || e.method != http.MethodGet:
		return usagef("explain: --at explains a key: of the other flags it takes --token," +
			" --token-file, --timeout and --json")
	case e.timeout < 1:
		return usagef("explain: --timeout must be longer than 0s")
	}
	return nil
}

// runKey explains a key.
func (e *explain) runKey(ctx context.Context, out io.Writer, args []string) error {
	at, err := parseDebugAddress(e.key.at)
	if err != nil {
		return usagef("explain: --at %q: %w", e.key.at, err)
	}
	client, err := e.key.client(at, e.timeout)
	if err != nil {
		return fmt.Errorf("explain: %w", err)
	}
	defer client.Close()
	life, err := askLife(ctx, client, args)
	if err != nil {
		return fmt.Errorf("explain: %w", err)
	}
	if e.asJSON {
		return writeJSON(out, life)
	}
	return writeAll(out, newPage().life(&life))
}

// askLife asks for what is known of a key: the last of args, of the cache before it or of the only
// one.
func askLife(ctx context.Context, client *debugClient, args []string) (lifeOf, error) {
	all, err := client.overview(ctx)
	if err != nil {
		return lifeOf{}, err
	}
	name := ""
	if len(args) > 1 {
		name = args[0]
	}
	of, err := chooseCache(all.Parts, name)
	if err != nil {
		return lifeOf{}, fmt.Errorf("%s: %w", client.at, err)
	}
	query := of.query()
	query.Set("key", args[len(args)-1])
	life := lifeOf{Cache: of.name, Kind: of.kind}
	err = client.get(ctx, query, &life.Life)
	return life, err
}

// chooseCache returns the cache of that name, or without one the only one that knows its keys.
func chooseCache(parts []observed, name string) (partName, error) {
	var knowing, named []observed
	for _, p := range parts {
		if p.Inspectable {
			knowing = append(knowing, p)
		}
		if p.Name == name {
			named = append(named, p)
		}
	}
	i := slices.IndexFunc(named, func(p observed) bool { return p.Inspectable })
	switch {
	case i >= 0:
		return named[i].id(), nil
	case len(named) > 0:
		return partName{}, fmt.Errorf("%s (%s) cannot be asked about single keys", name,
			named[0].Kind)
	case len(knowing) == 0:
		return partName{}, fmt.Errorf("no cache there can be asked about single keys")
	case name != "":
		return partName{}, fmt.Errorf("no cache %q: there is %s", name, namesOf(knowing))
	case len(knowing) > 1:
		return partName{}, fmt.Errorf("several caches: name one of %s before the key",
			namesOf(knowing))
	}
	return knowing[0].id(), nil
}

// namesOf lists parts for people.
func namesOf(parts []observed) string {
	const most = 10
	var names []string
	for _, p := range parts[:min(len(parts), most)] {
		names = append(names, p.Name)
	}
	text := strings.Join(names, ", ")
	if len(parts) > most {
		text += fmt.Sprintf(" and %d more", len(parts)-most)
	}
	return text
}
