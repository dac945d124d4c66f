// progress.go shows a person at a terminal that something happens.

package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/term"
)

// progress is one line on stderr that is written over. It shows nothing if nobody looks.
type progress struct {
	on    bool
	drawn bool
	next  time.Time
}

const progressEvery = 100 * time.Millisecond

func newProgress(g *globals) *progress {
	return &progress{
		on:   !g.quiet && isTerminal(os.Stderr) && os.Getenv("TERM") != "dumb",
		next: time.Now().Add(3 * progressEvery), // what is quick needs none
	}
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// show says that done pages are done and which one is the last of them.
func (p *progress) show(done, failed int, last string) {
	p.line(fmt.Sprintf("%d pages, %d failed, %s", done, failed, oneLine(last)))
}

// line shows text, cut to the width of the terminal, unless another was shown a moment ago.
func (p *progress) line(text string) {
	if now := time.Now(); !p.on || now.Before(p.next) {
		return
	} else {
		p.next = now.Add(progressEvery)
	}
	width, _, err := term.GetSize(int(os.Stderr.Fd()))
	if err == nil && 0 < width && width <= len(text) {
		text = text[:width-1]
	}
	p.clear()
	fmt.Fprint(os.Stderr, text)
	p.drawn = true
}

// clear removes the line, so that another can be written.
func (p *progress) clear() {
	if p.drawn {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
		p.drawn = false
	}
}

// end removes the line for good.
func (p *progress) end() {
	p.clear()
	p.on = false
}
