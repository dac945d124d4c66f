// input.go is what a reader does with keys, mouse and fingers.

package browser

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Point is a place in the window, in CSS pixels.
type Point struct{ X, Y float64 }

// keys are those that have a name; all others are what they write.
var keys = map[string]string{
	"ArrowLeft": kb.ArrowLeft, "ArrowRight": kb.ArrowRight, "ArrowUp": kb.ArrowUp,
	"ArrowDown": kb.ArrowDown, "Home": kb.Home, "End": kb.End, "PageUp": kb.PageUp,
	"PageDown": kb.PageDown, "Enter": kb.Enter, "Escape": kb.Escape, "Tab": kb.Tab,
	"Backspace": kb.Backspace,
}

// Press presses keys one after the other, by the names that they have in pages.
func (p *Page) Press(names ...string) {
	p.t.Helper()
	for _, name := range names {
		p.key(name, nil)
	}
}

// Hold presses a key and holds it down until it has been repeated so many times.
func (p *Page) Hold(name string, times int) {
	p.t.Helper()
	repeat := true
	for range times {
		p.key(name, &repeat)
	}
}

// Type writes a text into what has the focus.
func (p *Page) Type(text string) {
	p.t.Helper()
	for _, r := range text {
		p.key(string(r), nil)
	}
}

func (p *Page) key(name string, repeat *bool) {
	p.t.Helper()
	p.do("press "+name, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for _, event := range downAndUp(name) {
			event.AutoRepeat = repeat
			if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, *event); err != nil {
				return err
			}
		}
		return nil
	}))
}

// downAndUp returns the events of a key. What it writes is part of its going down, so that a page
// can prevent it, as with real keys.
func downAndUp(name string) []*input.DispatchKeyEventParams {
	if known, ok := keys[name]; ok {
		name = known
	}
	events := kb.Encode([]rune(name)[0])
	if len(events) == 3 {
		events[0].Text, events[0].UnmodifiedText = events[1].Text, events[1].UnmodifiedText
		events = []*input.DispatchKeyEventParams{events[0], events[2]}
	}
	return events
}

// Click clicks the middle of the first element that a CSS selector matches.
func (p *Page) Click(selector string) {
	p.t.Helper()
	at := p.Middle(selector)
	p.do("click "+selector, chromedp.MouseClickXY(at.X, at.Y))
}

// Middle returns the middle of the first element that a CSS selector matches.
func (p *Page) Middle(selector string) Point {
	p.t.Helper()
	return Eval[Point](p, `(() => {
		const r = document.querySelector(`+"`"+selector+"`"+`).getBoundingClientRect();
		return { X: r.x + r.width / 2, Y: r.y + r.height / 2 };
	})()`)
}

// DoubleClick clicks a place twice.
func (p *Page) DoubleClick(at Point) {
	p.t.Helper()
	p.do("click", chromedp.MouseClickXY(at.X, at.Y),
		chromedp.MouseClickXY(at.X, at.Y, chromedp.ClickCount(2)))
}

// Wheel turns the wheel of the mouse at a place: down by so many pixels, up if they are negative.
func (p *Page) Wheel(at Point, down float64) {
	p.t.Helper()
	// The fields of the library leave out a deltaX of 0, which Chromium demands.
	event := map[string]any{"type": "mouseWheel", "x": at.X, "y": at.Y, "deltaX": 0, "deltaY": down}
	p.do("turn the wheel", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		return t.Call(ctx, input.CommandDispatchMouseEvent, event, nil)
	}))
}

// Drag drags the mouse from one place to another.
func (p *Page) Drag(from, to Point) {
	p.t.Helper()
	held := input.DispatchMouseEventParams{Button: input.MouseButtonLeft, Buttons: 1, ClickCount: 1}
	for i := range 6 {
		held.X = from.X + (to.X-from.X)*float64(i)/5
		held.Y = from.Y + (to.Y-from.Y)*float64(i)/5
		held.Type = input.DispatchMouseEventTypeMouseMoved
		if i == 0 {
			held.Type = input.DispatchMouseEventTypeMousePressed
		}
		p.mouse(held)
	}
	held.Type, held.Buttons = input.DispatchMouseEventTypeMouseReleased, 0
	p.mouse(held)
}

func (p *Page) mouse(event input.DispatchMouseEventParams) {
	p.t.Helper()
	p.do("use the mouse", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.DispatchMouseEvent, event)
		return err
	}))
}

// Swipe moves fingers, each along a line of its own from its first place to its last.
func (p *Page) Swipe(fingers ...[2]Point) {
	p.t.Helper()
	const steps = 6
	for i := range steps {
		kind := input.DispatchTouchEventTypeTouchMove
		if i == 0 {
			kind = input.DispatchTouchEventTypeTouchStart
		}
		p.touch(kind, along(fingers, float64(i)/(steps-1)))
	}
	p.touch(input.DispatchTouchEventTypeTouchEnd, []*input.TouchPoint{})
}

// along returns where fingers are after a part of their ways.
func along(fingers [][2]Point, part float64) (points []*input.TouchPoint) {
	for i, f := range fingers {
		id := float64(i)
		points = append(points, &input.TouchPoint{
			X: f[0].X + (f[1].X-f[0].X)*part, Y: f[0].Y + (f[1].Y-f[0].Y)*part, ID: &id,
		})
	}
	return points
}

func (p *Page) touch(kind input.DispatchTouchEventType, points []*input.TouchPoint) {
	p.t.Helper()
	p.do("touch", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.DispatchTouchEvent,
			input.DispatchTouchEventParams{Type: kind, TouchPoints: points})
		return err
	}))
}
