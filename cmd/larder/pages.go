// pages.go is what fetch and titles share: their flags, their addresses, and what went wrong.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/scrape"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

// pages fetches what the user asked for, page by page.
type pages struct {
	g    *globals
	name string // of the command, for messages

	ttl, timeout, maxWait duration
	rate                  float64
	jobs                  int
	maxBody               size
	userAgent             string
	allowPrivate, offline bool
	asJSON                bool

	asked, failed, absent, requests int
	outcomes                        map[httpcache.Outcome]int
}

// pagesHelp and pagesExits are what the help of both commands says.
const (
	pagesHelp = "Pages are kept for --ttl; after that they are asked for again, and\n" +
		"come again only if they have changed. robots.txt, Crawl-delay and Retry-After are\n" +
		"obeyed. With - URLs are read from stdin, one a line."
	pagesExits = "Exit codes: 0 all pages done, 1 none, 2 usage, 3 some, 4 not in the cache with\n" +
		"--offline."
)

func newPages(g *globals, name string) *pages {
	return &pages{
		g: g, name: name, ttl: duration(15 * time.Minute), timeout: duration(30 * time.Second),
		maxWait: duration(time.Minute), maxBody: 10 << 20,
		userAgent: "larder/" + larder.Version() + " (+https://github.com/larder-go/larder)",
		outcomes:  map[httpcache.Outcome]int{},
	}
}

func (p *pages) bind(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.Var(&p.ttl, "ttl", "how long a page is served without asking for it again")
	flags.Float64Var(&p.rate, "rate", 5,
		"at most `N` requests a second to one host by this process; 0: no limit")
	flags.IntVar(&p.jobs, "jobs", 8, "at most `N` requests at once, 1 to 256")
	flags.BoolVar(&p.allowPrivate, "allow-private", false,
		"allow hosts in private networks and on this machine, and the proxy of HTTP_PROXY")
	flags.BoolVar(&p.offline, "offline", false, "answer from the cache alone")
	flags.Var(&p.timeout, "timeout", "bound of one request")
	flags.Var(&p.maxWait, "max-wait", "longest pause that a host may ask for (Retry-After)")
	flags.Var(&p.maxBody, "max-body", "longest page, after decompression")
	flags.StringVar(&p.userAgent, "user-agent", p.userAgent,
		"`NAME` to send; robots.txt is asked about what stands before the slash")
	flags.Lookup("user-agent").DefValue = ""
	bindJSON(flags, &p.asJSON)
}

// check refuses flags and addresses that can only be a slip, before anything is fetched.
func (p *pages) check(urls []string) error {
	switch {
	case !(p.rate >= 0) || p.rate > 1e6:
		return usagef("%s: --rate %v: not a number of requests a second: give 0 to 1000000",
			p.name, p.rate)
	case p.jobs < 1 || p.jobs > 256:
		return usagef("%s: --jobs %d: give 1 to 256", p.name, p.jobs)
	case p.maxBody < 1:
		return usagef("%s: --max-body 0: give at least one byte", p.name)
	case p.ttl < 1 || p.timeout < 1:
		return usagef("%s: --ttl and --timeout must be longer than 0s", p.name)
	case len(urls) == 0:
		return usagef("%s: no URL: give some, or - to read them from stdin", p.name)
	}
	for _, url := range urls {
		if _, err := scrape.Canonical(url); url != "-" && err != nil {
			return usagef("%s: %s", p.name, p.explain(err))
		}
	}
	return nil
}

// open returns a fetcher over the cache; close ends both.
func (p *pages) open() (f *scrape.Fetcher, close func()) {
	s := p.g.openOrPass(p.name)
	f = scrape.New(scrape.Options{
		Store: s, TTL: time.Duration(p.ttl), Rate: p.rate, Jobs: p.jobs, UserAgent: p.userAgent,
		AllowPrivate: p.allowPrivate, MaxBody: int64(p.maxBody), Timeout: time.Duration(p.timeout),
		MaxWait: time.Duration(p.maxWait), Offline: p.offline,
		Notice: p.notice, OnStoreError: p.storeNotice(),
	})
	return f, func() { f.Close(); s.Close() }
}

// notice says what a Fetcher notices.
func (p *pages) notice(text string) { p.g.say("%s: %s", p.name, p.flagWords(text)) }

// storeNotice returns what says that the cache fails: once, not for each page.
func (p *pages) storeNotice() func(error) {
	var said sync.Map
	return func(err error) {
		text := storeTrouble(err)
		if _, again := said.LoadOrStore(text, true); !again {
			p.g.say("%s: %s", p.name, text)
		}
	}
}

// storeTrouble says what is wrong with the cache, in words that are the same for all pages.
func storeTrouble(err error) string {
	switch text := err.Error(); {
	case errors.Is(err, disk.ErrReadOnly):
		return "the cache is read-only: nothing is kept"
	case errors.Is(err, store.ErrTooLarge):
		return text // of this page alone
	case strings.HasPrefix(text, "httpcache: store "):
		return fmt.Sprintf("the cache cannot be written: %v: pages are not kept", innermost(err))
	}
	return fmt.Sprintf("the cache is in trouble: %v: see larder cache verify", innermost(err))
}

// work fetches each of urls, does work on each page where it was fetched, and hands the results to
// show in their order. What goes wrong with a page is said on stderr and does not stop the others.
func work[T any](
	ctx context.Context, p *pages, urls []string,
	work func(*scrape.Page) (T, error), show func(*scrape.Page, T) error,
) error {
	type result struct {
		page *scrape.Page
		made T
	}
	f, closeAll := p.open()
	defer closeAll()
	progress := newProgress(p.g)
	defer progress.end()
	var unread error
	results := scrape.Map(ctx, f, addresses(urls, os.Stdin, &unread),
		func(page *scrape.Page) (result, error) {
			made, err := work(page)
			head := *page
			head.Body = nil // only what was made of it is kept until its turn comes
			return result{&head, made}, err
		})
	for url, r := range results {
		p.asked++
		progress.show(p.asked, p.failed, url)
		if r.Err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			progress.clear()
			p.complain(url, r.Err)
			continue
		}
		p.requests += r.Value.page.Requests
		p.outcomes[r.Value.page.Outcome]++
		if err := show(r.Value.page, r.Value.made); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	progress.end()
	if ctx.Err() != nil {
		return ctx.Err() // before unread, which may still be written
	}
	if unread != nil {
		return fmt.Errorf("%s: stdin: %w", p.name, unread)
	}
	return p.result()
}

// complain says what is wrong with one page.
func (p *pages) complain(url string, err error) {
	p.failed++
	if errors.Is(err, scrape.ErrNotCached) {
		p.absent++
	}
	fmt.Fprintf(os.Stderr, "larder: %s: %s\n", p.name, oneLine(p.explain(err)))
}

// explain is the text of err in the words of the command.
func (p *pages) explain(err error) string {
	return p.flagWords(strings.TrimPrefix(err.Error(), "scrape: "))
}

// flagWords names flags where the library names fields.
func (p *pages) flagWords(text string) string {
	return strings.NewReplacer(
		"set AllowPrivate", "give --allow-private", "raise MaxBody", "raise --max-body",
		"raise Timeout", "raise --timeout", "Offline is set", "--offline is given",
		"MaxBody is", "--max-body is", "than MaxWait", "than --max-wait",
		"MaxWait is", "--max-wait is",
	).Replace(text)
}

// result says how it went, to a person and in the exit code.
func (p *pages) result() error {
	if p.asked > 1 && isTerminal(os.Stderr) {
		p.g.say("%s: %d pages, %d requests, %d from the cache, %d failed", p.name, p.asked,
			p.requests, p.outcomes[httpcache.Hit]+p.outcomes[httpcache.Stale], p.failed)
	}
	switch p.failed {
	case 0:
		return nil
	case p.absent:
		return exitWith(exitAbsent)
	case p.asked:
		return exitWith(exitFailed)
	}
	return exitWith(exitPartly)
}
