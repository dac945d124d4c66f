// all.go fetches many pages at once and hands them over in the order they were asked for.

package scrape

import (
	"context"
	"iter"
	"strings"
	"sync"
)

// windowPerJob is how many addresses are in work for each job: enough to fill the other hosts'
// time while one is slow, few enough to hold their pages in memory.
const windowPerJob = 4

// Result is what became of one address.
type Result[T any] struct {
	Value T // the zero value if Err is set
	Err   error
}

// All fetches urls, Jobs at a time, and yields each address with its page, in the order of urls and
// as soon as it and all before it are there. At most 4 × Jobs pages are held at once. An address
// that comes again among those is fetched once; one that comes again later is in the cache.
//
// A page that fails does not stop the others. When ctx is done, what was taken from urls fails with
// its error and nothing more is taken, so ask ctx.Err() after the loop. Urls runs in a goroutine of
// its own; after a break or the end of ctx it is stopped when it next yields. One that is blocked,
// in a read say, keeps that goroutine until it yields or returns.
func (f *Fetcher) All(
	ctx context.Context, urls iter.Seq[string],
) iter.Seq2[string, Result[*Page]] {
	return Map(ctx, f, urls, func(p *Page) (*Page, error) { return p, nil })
}

// Map is [Fetcher.All] with some work done on each page where it was fetched, so that the work too
// is spread over the cores, and the page is let go.
func Map[T any](
	ctx context.Context, f *Fetcher, urls iter.Seq[string], work func(*Page) (T, error),
) iter.Seq2[string, Result[T]] {
	return func(yield func(string, Result[T]) bool) {
		ctx, cancel := context.WithCancel(ctx)
		b := &batch[T]{f: f, work: work, stop: make(chan struct{}), pending: map[string]*task[T]{}}
		defer b.end() // after cancel
		defer cancel()
		queue := make(chan turn[T], windowPerJob*f.o.Jobs-2) // one more at either end
		go b.feed(ctx, urls, queue)
		for t, ok := next(ctx, queue); ok; t, ok = next(ctx, queue) {
			<-t.done
			b.forget(t.task)
			if !yield(t.url, t.result) {
				return
			}
		}
	}
}

// next returns what comes next from queue, or false after its end. Once ctx is done it does not
// wait: whoever fills the queue may be blocked for ever.
func next[T any](ctx context.Context, queue <-chan turn[T]) (t turn[T], ok bool) {
	select {
	case t, ok = <-queue:
	case <-ctx.Done():
		select {
		case t, ok = <-queue:
		default:
		}
	}
	return t, ok
}

// turn is one element of the output; duplicates share a task.
type turn[T any] struct {
	url string
	*task[T]
}

// task is one address to fetch. Its result may be read once done is closed.
type task[T any] struct {
	key    string
	done   chan struct{}
	result Result[T]
}

// batch is one run of Map.
type batch[T any] struct {
	f       *Fetcher
	work    func(*Page) (T, error)
	running sync.WaitGroup
	stop    chan struct{} // closed when nobody wants results any more

	mu      sync.Mutex // guards the fields below
	pending map[string]*task[T]
	stopped bool
}

// feed starts a task for each address and queues it. It ends with urls, or at the first address
// after ctx is done or the batch has stopped.
func (b *batch[T]) feed(ctx context.Context, urls iter.Seq[string], queue chan<- turn[T]) {
	defer close(queue)
	for url := range urls {
		t, ok := b.start(ctx, url)
		if !ok {
			return
		}
		select {
		case queue <- turn[T]{url, t}:
		case <-b.stop:
			return
		}
	}
}

// start returns the running task of url, a new one if there is none, or false after the end.
func (b *batch[T]) start(ctx context.Context, url string) (*task[T], bool) {
	key, _, _ := strings.Cut(url, "#")
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped || ctx.Err() != nil {
		return nil, false
	}
	if t, ok := b.pending[key]; ok {
		return t, true
	}
	t := &task[T]{key: key, done: make(chan struct{})}
	b.pending[key] = t
	b.running.Go(func() {
		defer close(t.done)
		t.result = b.fetch(ctx, url)
	})
	return t, true
}

func (b *batch[T]) fetch(ctx context.Context, url string) (r Result[T]) {
	page, err := b.f.Fetch(ctx, url)
	if err != nil {
		return Result[T]{Err: err}
	}
	if r.Value, err = b.work(page); err != nil {
		return Result[T]{Err: failed(url, err)}
	}
	return r
}

func (b *batch[T]) forget(t *task[T]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pending[t.key] == t {
		delete(b.pending, t.key)
	}
}

// end lets nothing new start and waits for what runs, which ends soon as its context is cancelled.
func (b *batch[T]) end() {
	b.mu.Lock()
	b.stopped = true
	b.mu.Unlock()
	close(b.stop)
	b.running.Wait()
}
