// heard.go keeps what a page says: to the console, and over the network.

package browser

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// Request is one that the page made.
type Request struct {
	URL       string
	Priority  string // as the browser saw it: VeryLow, Low, Medium, High, VeryHigh
	Cached    bool   // it never left the browser
	Done      bool   // it was answered whole
	Cancelled bool   // the page gave it up
}

// heard is what a page has said so far.
type heard struct {
	mu       sync.Mutex // guards the fields below
	problems []string
	requests []*Request
	byID     map[network.RequestID]*Request
}

// hear takes an event of the browser. It must not call the browser.
func (h *heard) hear(event any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		h.problems = append(h.problems, fmt.Sprintf("console.%s: %s", e.Type, words(e.Args)))
	case *runtime.EventExceptionThrown:
		h.problems = append(h.problems, "exception: "+exception(e.ExceptionDetails))
	case *log.EventEntryAdded:
		text := fmt.Sprintf("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL)
		h.problems = append(h.problems, text)
	default:
		h.hearNetworkLocked(event)
	}
}

func (h *heard) hearNetworkLocked(event any) {
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		r := &Request{URL: e.Request.URL, Priority: string(e.Request.InitialPriority)}
		if h.byID == nil {
			h.byID = map[network.RequestID]*Request{}
		}
		h.requests = append(h.requests, r)
		h.byID[e.RequestID] = r
	case *network.EventRequestServedFromCache:
		h.noteLocked(e.RequestID, func(r *Request) { r.Cached = true })
	case *network.EventResponseReceived:
		if e.Response.FromDiskCache {
			h.noteLocked(e.RequestID, func(r *Request) { r.Cached = true })
		}
	case *network.EventLoadingFinished:
		h.noteLocked(e.RequestID, func(r *Request) { r.Done = true })
	case *network.EventLoadingFailed:
		h.noteLocked(e.RequestID, func(r *Request) { r.Cancelled = e.Canceled })
	}
}

func (h *heard) noteLocked(id network.RequestID, note func(*Request)) {
	if r := h.byID[id]; r != nil {
		note(r)
	}
}

func (h *heard) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.problems)
}

// Requests returns the requests since the page was opened, or since Forget, whose URL has part in
// it, in their order.
func (p *Page) Requests(part string) (found []Request) {
	p.heard.mu.Lock()
	defer p.heard.mu.Unlock()
	for _, r := range p.heard.requests {
		if strings.Contains(r.URL, part) {
			found = append(found, *r)
		}
	}
	return found
}

// Forget forgets the requests made so far, so that those of what comes next can be counted.
func (p *Page) Forget() {
	p.heard.mu.Lock()
	defer p.heard.mu.Unlock()
	p.heard.requests = nil
	clear(p.heard.byID)
}

func words(args []*runtime.RemoteObject) string {
	var said []string
	for _, a := range args {
		said = append(said, strings.TrimSpace(a.Description+" "+string(a.Value)))
	}
	return strings.Join(said, " ")
}

func exception(d *runtime.ExceptionDetails) string {
	text := fmt.Sprintf("%s (%s:%d)", d.Text, d.URL, d.LineNumber+1)
	if d.Exception != nil {
		text += " " + d.Exception.Description
	}
	return text
}
