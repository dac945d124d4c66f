// pictures.go makes thumbnails when they are wanted, and keeps them.

package gallery

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/codec"
	"github.com/larder-go/larder/gallery/thumb"
)

// wrongFor is how long it is remembered that a picture cannot be shown, and why.
const wrongFor = 10 * time.Minute

// staleFor is how long the thumbnail of a picture by URL outlives its server.
const staleFor = 24 * time.Hour

// thumbKey names a thumbnail, also to other processes.
type thumbKey struct {
	Root    string // where the source is
	Path    string
	Version string
	Size    int // of the square it fits into, in pixels
}

// pictureKey names what is known of a picture from its bytes.
type pictureKey struct {
	Root, Path, Version string
}

// glance is what a page shows of a picture before there is a thumbnail.
type glance struct {
	Hash          []byte // ThumbHash; nil if there is none yet
	Width, Height int    // of the picture, upright; 0 if unknown
	Wrong         string // why it cannot be shown; "" if it can
}

// pictures makes and keeps thumbnails and glances.
type pictures struct {
	source  source
	maker   *thumb.Maker
	fresh   time.Duration
	thumbs  *larder.Cache[thumbKey, made]
	glances *larder.Cache[pictureKey, glance]
	ahead   *semaphore.Weighted // bytes that are read before a decoder has time for them
	memory  int64               // how many there may be

	made, cancelled, failed atomic.Int64
}

func newPictures(s source, m *thumb.Maker, o Options) *pictures {
	p := &pictures{source: s, maker: m, fresh: o.Fresh, memory: o.Memory / 8}
	p.ahead = semaphore.NewWeighted(p.memory)
	thumbs := larder.Options[thumbKey, made]{
		Name: "thumbs", MaxWeight: o.Memory / 4, Weigh: weigh,
		Reload: p.reload, CancelAbandoned: true, OnError: o.OnError,
		StaleOnError: staleFor,
	}
	if o.Store != nil {
		thumbs.Store, thumbs.Codec = o.Store, codec.Binary{}
	}
	p.thumbs = larder.New(thumbs)
	p.glances = larder.New(larder.Options[pictureKey, glance]{
		Name: "glances", MaxEntries: 200_000, Store: o.Store, OnError: o.OnError,
	})
	return p
}

func (p *pictures) close() {
	p.thumbs.Close()
	p.glances.Close()
}

func weigh(k thumbKey, m made) int {
	const overhead = 300 // bytes, of the entry and its key
	return overhead + len(k.Path) + len(m.Bytes)
}

// thumb returns the thumbnail of a picture. When ctx ends and nobody else wants it, its making does.
func (p *pictures) thumb(ctx context.Context, of *picture, size int) (made, error) {
	i := p.source.inspect(ctx, of)
	if i.err != nil {
		return made{}, i.err
	}
	return p.thumbs.Get(ctx, thumbKey{p.source.root(), of.path, i.version, size})
}

// reload makes a thumbnail, or lets the old one live on if the bytes are still those. What was made
// of other bytes than the key says is given out and not kept.
func (p *pictures) reload(
	ctx context.Context, k thumbKey, old larder.Entry[made],
) (e larder.Entry[made], err error) {
	file, err := p.open(ctx, k)
	if err != nil {
		p.count(ctx, err, e.Value)
		return e, err
	}
	defer file.Close()
	tag := file.version
	if tag == "" { // only the bytes can tell
		e.TTL = p.fresh
		if tag, err = digest(file); err != nil {
			return e, err
		}
		if tag == old.Value.Tag {
			e.Value = old.Value
			return e, nil
		}
	}
	e.Value, err = p.make(ctx, file, k.Size)
	e.Value.Tag = tag
	p.count(ctx, err, e.Value)
	if err != nil {
		return e, err
	}
	if file.version != k.Version || file.now() != file.version {
		e.TTL = unkept
		return e, nil
	}
	if e.Value.Wrong != "" {
		e.TTL = wrongFor
	}
	return e, p.remember(ctx, pictureKey{k.Root, k.Path, k.Version}, e.Value.glance())
}

// unkept is the time to live of what is not to be kept.
const unkept = -1

func (p *pictures) open(ctx context.Context, k thumbKey) (*opened, error) {
	of := p.source.catalog().byPath[k.Path]
	if of == nil {
		return nil, errGone
	}
	return p.source.open(ctx, of)
}

// make makes a thumbnail. What is wrong with the picture itself is not an error but part of what is
// made.
func (p *pictures) make(ctx context.Context, file *opened, size int) (m made, err error) {
	input, done, err := p.readAhead(ctx, file)
	if err != nil {
		return m, err
	}
	defer done()
	m.Thumb, err = p.maker.Make(ctx, input, size)
	if err != nil {
		if m.Wrong = wrong(err); m.Wrong == "" {
			return m, err
		}
	}
	return m, nil
}

// glance is what a page needs to know of what was made.
func (m made) glance() glance {
	return glance{Hash: m.Hash, Width: m.Width, Height: m.Height, Wrong: m.Wrong}
}

// remember keeps a glance: as long as the picture does not change, as far as one can know.
func (p *pictures) remember(ctx context.Context, k pictureKey, g glance) error {
	ttl := larder.Forever
	if g.Wrong != "" {
		ttl = wrongFor
	} else if k.Version == "" {
		ttl = staleFor
	}
	err := p.glances.SetFor(ctx, k, g, ttl)
	if errors.Is(err, context.Canceled) {
		return err
	}
	return nil // a store that fails is told to OnError
}

// readAtMost is the longest file that is read before a decoder has time for it, in bytes: several
// are read from a slow share while others are being decoded.
const readAtMost = 16 << 20

// readAhead returns the file, in memory if it is short, which is what done gives back.
func (p *pictures) readAhead(
	ctx context.Context, file *opened,
) (in thumb.File, done func(), err error) {
	n := file.Size
	_, there := file.Reader.(*bytes.Reader)
	if there || n > min(readAtMost, p.memory/2) || file.kind().NeedsProgram() {
		return file.File, func() {}, nil
	}
	if err := p.ahead.Acquire(ctx, n); err != nil {
		return in, nil, err
	}
	done = func() { p.ahead.Release(n) }
	buf := make([]byte, 0, n+1) // that byte tells the end without growing
	all := bytes.NewBuffer(buf)
	_, err = all.ReadFrom(io.LimitReader(&impatient{ctx, file.Reader}, n))
	if err != nil {
		done()
		return in, nil, err
	}
	in = file.File
	in.Reader, in.Size = bytes.NewReader(all.Bytes()), int64(all.Len())
	return in, done, nil
}

// kind is what the name promises.
func (o *opened) kind() thumb.Kind { return thumb.KindOf(o.Name) }

// impatient reads until ctx ends.
type impatient struct {
	ctx context.Context
	r   io.Reader
}

func (r *impatient) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}

// digest names the bytes of a file by a hash of them.
func digest(file *opened) (string, error) {
	hash := sha256.New()
	if _, err := io.Copy(hash, file.Reader); err != nil {
		return "", err
	}
	_, err := file.Reader.Seek(0, io.SeekStart)
	return hex.EncodeToString(hash.Sum(nil)[:16]), err
}

// wrong says what is wrong with a picture, if it is the picture and not the way to it.
func wrong(err error) string {
	for _, its := range []error{
		thumb.ErrFormat, thumb.ErrTooLarge, thumb.ErrDamaged, thumb.ErrNoProgram,
	} {
		if errors.Is(err, its) {
			return label(err)
		}
	}
	return ""
}

func (p *pictures) count(ctx context.Context, err error, m made) {
	switch {
	case ctx.Err() != nil:
		p.cancelled.Add(1)
	case err != nil, m.Wrong != "":
		p.failed.Add(1)
	default:
		p.made.Add(1)
	}
}

// known returns what is known of several pictures, by their paths.
func (p *pictures) known(ctx context.Context, all []*picture) map[string]glance {
	keys := make([]pictureKey, 0, len(all))
	for _, of := range all {
		if i := of.known(); i.err == nil {
			keys = append(keys, pictureKey{p.source.root(), of.path, i.version})
		}
	}
	found, _ := p.glances.GetMany(ctx, keys) // a store that fails is told to OnError
	byPath := make(map[string]glance, len(found))
	for k, g := range found {
		byPath[k.Path] = g
	}
	return byPath
}

// glance looks at a picture as far as that is cheap: at the preview that a camera has put into it.
func (p *pictures) glance(ctx context.Context, of *picture) (g glance, err error) {
	i := p.source.inspect(ctx, of)
	if i.err != nil || of.kind.NeedsProgram() {
		return g, i.err
	}
	file, err := p.source.open(ctx, of)
	if err != nil {
		return g, err
	}
	defer file.Close()
	small, err := p.maker.Preview(ctx, file.File)
	g = glance{Hash: small.Hash, Width: small.Width, Height: small.Height}
	if errors.Is(err, thumb.ErrNoPreview) {
		var head thumb.Info
		head, err = p.maker.Size(ctx, file.File)
		g.Width, g.Height = head.Width, head.Height
	}
	if err != nil || file.version != file.now() {
		return g, err
	}
	return g, p.remember(ctx, pictureKey{p.source.root(), of.path, file.version}, g)
}
