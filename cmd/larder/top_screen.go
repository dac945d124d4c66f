// top_screen.go keeps a view on the whole of a terminal, until somebody has seen enough.

package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

const (
	// enter takes a screen of its own without a cursor, on which long lines are cut; leave gives
	// all that back (xterm, DECSET 1049, 25 and 7).
	enter = "\x1b[?1049h\x1b[?25l\x1b[?7l"
	leave = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	// afterEsc is how long the rest of an escape sequence may take to come.
	afterEsc = 50 * time.Millisecond
)

// told is what came of a question.
type told struct {
	overview *overview
	detail   *detail
	of       partName // whose detail it is
	err      error
}

// screen is a terminal that shows a view.
type screen struct {
	view     *view
	client   *debugClient
	interval time.Duration
	in, out  *os.File
	coloured bool

	asking  bool // a question is under way
	again   bool // another one has come up meanwhile
	answers chan told
	typed   string // what may be the beginning of a key
}

// show shows the view until a key or ctx ends it. Whatever happens, the terminal is left as it was.
func (s *screen) show(ctx context.Context) (err error) {
	old, err := term.MakeRaw(int(s.in.Fd()))
	if err != nil {
		return fmt.Errorf("top: %w", err)
	}
	defer func() {
		_, _ = s.out.WriteString(leave)
		_ = term.Restore(int(s.in.Fd()), old)
	}()
	if _, err := s.out.WriteString(enter); err != nil {
		return err
	}
	resized, stop := onResize()
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.answers = make(chan told, 1)
	return s.loop(ctx, keyboard(s.in), resized)
}

// keyboard reads what is typed, in a goroutine that ends with the process or the terminal.
func keyboard(in *os.File) <-chan string {
	typed := make(chan string)
	go func() {
		defer close(typed)
		var b [256]byte
		for {
			n, err := in.Read(b[:])
			if err != nil {
				return
			}
			typed <- string(b[:n])
		}
	}()
	return typed
}

// loop waits for what happens, and draws what follows from it.
func (s *screen) loop(ctx context.Context, typed <-chan string, resized <-chan os.Signal) error {
	tick := time.NewTicker(s.interval)
	defer tick.Stop()
	var late <-chan time.Time // when a lone ESC is a key
	for {
		if err := s.draw(); err != nil {
			return err
		}
		ends := false
		select {
		case <-ctx.Done():
			return ctx.Err()
		case text, open := <-typed:
			ends = !open || s.hear(ctx, text)
		case <-late:
			ends = s.hear(ctx, "")
		case a := <-s.answers:
			s.take(ctx, a)
		case <-tick.C:
			s.ask(ctx)
		case <-resized:
		}
		if ends {
			return nil
		}
		late = nil
		if s.typed != "" {
			late = time.After(afterEsc)
		}
	}
}

// hear does what keys mean, and reports whether one ends the view. Without text what was typed
// before is all there is.
func (s *screen) hear(ctx context.Context, text string) (ends bool) {
	rest := s.typed + text
	s.typed = ""
	for rest != "" {
		p, left, more := nextPress(rest)
		if more && text != "" {
			s.typed = rest
			return false
		}
		rest = left
		switch s.view.press(p) {
		case effectEnd:
			return true
		case effectAsk:
			s.ask(ctx)
		}
	}
	return false
}

// ask asks for what is shown, one question at a time.
func (s *screen) ask(ctx context.Context) {
	if s.asking {
		s.again = true
		return
	}
	s.asking, s.again = true, false
	of, whole := s.view.chosen, s.view.sheet == sheetParts
	go func() {
		a := told{of: of}
		if whole {
			o, err := s.client.overview(ctx)
			a.overview, a.err = &o, err
		} else {
			d, err := s.client.detail(ctx, of)
			a.detail, a.err = &d, err
		}
		s.answers <- a // there is room for the only one
	}()
}

// take takes an answer.
func (s *screen) take(ctx context.Context, a told) {
	s.asking = false
	s.view.take(a)
	if s.again {
		s.ask(ctx)
	}
}

// draw writes the view over what was there, in one piece.
func (s *screen) draw() error {
	width, height, err := term.GetSize(int(s.out.Fd()))
	if err != nil || width < 1 || height < 1 {
		width, height = 80, 24
	}
	var b strings.Builder
	b.WriteString("\x1b[H")
	for i, line := range s.view.frame(width, height) {
		if i >= height {
			break
		}
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(line.render(width, s.coloured) + "\x1b[K")
	}
	b.WriteString("\x1b[J")
	_, err = s.out.WriteString(b.String())
	return err
}
