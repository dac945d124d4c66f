// thumb.go is the face of the package: what a Maker is told, and what it returns.

// Package thumb makes small pictures of big ones.
//
// JPEG, PNG, GIF, WebP, TIFF and BMP are decoded here, and the JPEGs in camera raw files; HEIF,
// AVIF, JPEG XL and videos by vipsthumbnail or ffmpeg, where they are installed. Pictures are
// untrusted: what a header promises is weighed before anything is decoded, memory is bounded for
// all of them together, and a context that ends stops the work, within milliseconds but for a WebP
// or a strip of TIFF that is being unpacked.
//
// Colours are taken as they are: embedded ICC profiles are not applied.
package thumb

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
)

// Never in place of a program's name says that it is not to be run.
const Never = "-"

// Options says what making thumbnails may take. The zero value is good.
type Options struct {
	// Memory is how many bytes decoding may take at any moment, all pictures together. A picture
	// that needs more alone is ErrTooLarge. 0 means 192 MiB.
	Memory int64
	// Parallel is how many pictures are decoded at once. 0 means runtime.GOMAXPROCS.
	Parallel int
	// Quality is that of the JPEGs written, 1 to 100. 0 means 82.
	Quality int
	// VipsThumbnail and FFmpeg are the programs for HEIF, AVIF, JPEG XL, raw files and videos.
	// "" means to look on the PATH, Never not to run it.
	VipsThumbnail, FFmpeg string
}

// Maker makes thumbnails. Its methods may be called by many goroutines at once; between calls it
// runs none.
type Maker struct {
	options Options
	budget  *budget
}

// Thumb is a small picture, and what there is to say about the big one.
type Thumb struct {
	// Bytes is the small picture, upright, in the format that Type says.
	Bytes []byte
	// Type is the media type of Bytes: image/jpeg, or image/png where there is transparency.
	Type string
	// Width and Height are those of the big picture in pixels, after its orientation was applied.
	Width, Height int
	// Hash is the ThumbHash of the picture: about 25 bytes that a page turns into a placeholder.
	Hash []byte
}

// Info is what the header of a file says.
type Info struct {
	Kind Kind
	// Width and Height are in pixels, after orientation.
	Width, Height int
}

// New returns a Maker. It panics on negative options.
func New(o Options) *Maker {
	if o.Memory < 0 || o.Parallel < 0 || o.Quality < 0 || o.Quality > 100 {
		panic(fmt.Sprintf("thumb: options make no sense: %+v", o))
	}
	o.Memory = cmp.Or(o.Memory, 192<<20)
	o.Parallel = cmp.Or(o.Parallel, runtime.GOMAXPROCS(0))
	o.Quality = cmp.Or(o.Quality, 82)
	return &Maker{options: o, budget: newBudget(o.Memory, o.Parallel)}
}

// Make returns f as a picture that fits into size x size pixels, upright. A smaller one keeps its
// size. It may wait for others to finish, and for memory that they use. Errors: those of this
// package, of ctx, and of reading. It panics unless size is at least 1.
func (m *Maker) Make(ctx context.Context, f File, size int) (Thumb, error) {
	if size < 1 {
		panic(fmt.Sprintf("thumb: size %d", size))
	}
	end, err := m.budget.turn(ctx)
	if err != nil {
		return Thumb{}, err
	}
	defer end()
	r, err := f.open(ctx)
	if err != nil {
		return Thumb{}, err
	}
	return m.make(r, size)
}

// Preview returns the small picture that a camera put into the first 128 KiB of f, without reading
// more and in a few milliseconds. ErrNoPreview means that there is none: Make will do.
func (m *Maker) Preview(ctx context.Context, f File) (Thumb, error) {
	r, err := f.open(ctx)
	if err != nil {
		return Thumb{}, err
	}
	return m.preview(r)
}

// Size returns what the header of f says, without decoding it. The size of what needs a program is
// not always known: Width and Height are 0 then.
func (m *Maker) Size(ctx context.Context, f File) (Info, error) {
	r, err := f.open(ctx)
	if err != nil {
		return Info{}, err
	}
	k := kindOf(r.head, f.Name)
	if k.NeedsProgram() {
		size := containerSize(k, r)
		return Info{Kind: k, Width: size.X, Height: size.Y}, nil
	}
	h, err := readHeader(k, r, 1)
	if err != nil {
		return Info{Kind: k}, err
	}
	w, high := h.orientation.size(h.width, h.height)
	return Info{Kind: k, Width: w, Height: high}, nil
}
