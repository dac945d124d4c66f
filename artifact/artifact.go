// artifact.go is the face: what a cache of artifacts is told, and what it is asked.

// Package artifact keeps what long computations make: a model, an index, a rendered film.
//
// A [Cache] knows a computation by its arguments, by the content of the files it reads and by the
// version of its code. What it makes is a stream of bytes of any size that goes to a temporary file
// and then to a [store.Store], and is never in memory as a whole. One computes, among all
// goroutines and all processes that share the store; the others wait and then read. What failed,
// panicked or was killed leaves nothing, and the next in the queue takes over.
//
// The store should have streams and leases. [github.com/larder-go/larder/store/disk] has both, and
// its leases end at once with their process; give it a MaxBytes of more than four times the largest
// artifact. Without streams an artifact is held in memory and must not be larger than 64 MiB;
// without leases each process computes for itself.
//
// For values that fit into memory, [larder.Memoize] with a Store does the same with less to write.
package artifact

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/filehash"
	"github.com/larder-go/larder/store"
)

// maxName leaves room for the rest of a key and for a temporary file of that name.
const maxName = 200

// Options say what a cache keeps and where. Store must be set.
type Options struct {
	// Store keeps the artifacts, and short notes about large input files. The cache does not close
	// it. A store that may hang should come in a [store.Guard].
	Store store.Store
	// Name begins the keys in Store, and is the name of the files that Path returns: "model.onnx",
	// say, for a library that goes by the ending. At most 200 bytes, without a slash. Default:
	// "artifact".
	Name string
	// Version is the version of the code that computes: another one begins with nothing.
	Version string
	// TTL is how long an artifact is kept, from when it was made. 0 means for as long as there is
	// room.
	TTL time.Duration
	// TempDir is where artifacts are while they are made, and while they are read by Path. It needs
	// room for all that is in use at once. Default: os.TempDir(), which on some systems is memory.
	TempDir string
	// OnError hears of what no caller gets: that the store failed, or why an artifact was not kept.
	// Several goroutines may call it at once, and a panic of it is dropped. nil: nobody is told.
	OnError func(error)
}

// Key is what a computation depends on. Whatever it forgets to name (a clock, a random seed, an
// environment variable, the number of processors) had better not matter.
type Key struct {
	// Args are its arguments, of the types that [larder.KeyOf] takes.
	Args []any
	// Files are the files and folders it reads, in the order in which it takes them. Their content
	// counts, and in folders the names below them; where they are does not, nor does their time.
	// Who wants a name to count puts it into Args.
	Files []string
}

// Cache keeps artifacts in a store. All its methods are safe for concurrent use. It starts a
// goroutine for each computation, and there is nothing to close.
type Cache struct {
	o      Options
	hasher filehash.Hasher

	tally   tally
	mu      sync.Mutex // guards the field below, and what the flights say it does
	flights map[string]*flight
}

// New makes a cache. It panics on options that make no sense.
func New(o Options) *Cache {
	o.Name = cmp.Or(o.Name, "artifact")
	switch {
	case o.Store == nil:
		panic("artifact: Options.Store is nil")
	case len(o.Name) > maxName || o.Name != filepath.Base(o.Name) || !filepath.IsLocal(o.Name):
		panic(fmt.Sprintf("artifact: Options.Name %q cannot be the name of a file", o.Name))
	case o.TTL < 0:
		panic("artifact: Options.TTL is negative")
	}
	c := &Cache{o: o, flights: map[string]*flight{}}
	c.hasher.Memory = notes{o.Store}
	return c
}

// Open returns what work makes for key: from the store if it is kept, else by calling work, once
// for all who ask for key meanwhile, here or in other processes. The reader must be closed.
//
// What work writes is kept if it returns nil. If it returns an error, everybody in this process who
// waits gets that error; a panic comes as a *larder.PanicError. The context of work carries the
// values of the one that asked first and ends when nobody waits any more; if work returns nil all
// the same, its artifact is kept. To ask for key within work is [larder.ErrRecursive].
//
// A file of key that cannot be read is an error that names it. If one has changed while work ran,
// the caller gets what was made, and OnError an [ErrChanged]: nobody knows which content it is of.
// If the store fails, or cannot hold it, the caller gets it as well, and OnError hears why it is
// not kept. If what is kept turns out to be damaged while it is read, Read returns an error that
// wraps store.ErrDamaged, and the next Open computes anew.
func (c *Cache) Open(
	ctx context.Context, key Key, work func(ctx context.Context, w io.Writer) error,
) (store.Reader, error) {
	t, err := c.taskOf(ctx, key)
	var r store.Reader
	if err == nil {
		t.work = func(ctx context.Context) (*made, error) { return c.makeStream(ctx, work) }
		r, err = c.open(ctx, &t)
	}
	c.tally.ask(ctx, t.role, err)
	return r, c.wrap(err)
}

func (c *Cache) open(ctx context.Context, t *task) (store.Reader, error) {
	for {
		if r := c.find(ctx, t.name); r != nil {
			return r, nil
		}
		m, err := c.await(ctx, t)
		if err != nil {
			return nil, err
		}
		if m != nil {
			return m.reader(), nil
		}
	}
}

// Path is [Cache.Open] for those who need a file: what work makes at the path that it is given, in
// an empty folder, is kept, and path leads to a file with that content. The file is for reading
// alone, and others of this process may have the same; it is there until release, which may be
// called twice. Open and Path of one key share what they keep.
//
// What a killed process has left of such files is removed by the next that needs one, except on
// Windows.
func (c *Cache) Path(
	ctx context.Context, key Key, work func(ctx context.Context, path string) error,
) (path string, release func(), err error) {
	t, err := c.taskOf(ctx, key)
	if err == nil {
		t.work = func(ctx context.Context) (*made, error) { return c.makeFile(ctx, work) }
		path, release, err = c.path(ctx, &t)
	}
	c.tally.ask(ctx, t.role, err)
	return path, release, c.wrap(err)
}

func (c *Cache) path(ctx context.Context, t *task) (path string, release func(), err error) {
	for {
		if r := c.find(ctx, t.name); r != nil {
			path, release, err = c.pour(ctx, r)
			if err == nil || !r.bad {
				return path, release, err
			}
		}
		m, err := c.await(ctx, t)
		switch {
		case err != nil:
			return "", nil, err
		case m != nil && m.path != "":
			return m.path, sync.OnceFunc(m.release), nil
		case m != nil:
			return c.pour(ctx, m.reader())
		}
	}
}

// task is a computation that somebody asked for.
type task struct {
	name  string // its key in the store
	files []string
	sums  []filehash.Sum // of what is in files
	work  func(ctx context.Context) (*made, error)
	role  role // of who asked, in the last flight
}

// taskOf finds out what key is called in the store.
func (c *Cache) taskOf(ctx context.Context, key Key) (t task, err error) {
	t.files = key.Files
	if t.sums, err = c.sumsOf(ctx, key.Files); err != nil {
		return t, err
	}
	args := append([]any{c.o.Version, len(key.Args)}, key.Args...)
	for _, sum := range t.sums {
		args = append(args, string(sum[:]))
	}
	k, err := larder.KeyOf(args...)
	t.name = c.o.Name + ":" + k.String()
	return t, err
}

func (c *Cache) sumsOf(ctx context.Context, files []string) ([]filehash.Sum, error) {
	sums := make([]filehash.Sum, len(files))
	for i, file := range files {
		var err error
		if sums[i], err = c.hasher.Sum(ctx, file); err != nil {
			return nil, err
		}
	}
	return sums, nil
}

// wrap says which cache an error is of.
func (c *Cache) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("artifact: %s: %w", c.o.Name, err)
}

// report tells OnError.
func (c *Cache) report(err error) {
	defer func() { _ = recover() }() // it would leave others waiting
	if c.o.OnError != nil {
		c.o.OnError(c.wrap(err))
	}
}
