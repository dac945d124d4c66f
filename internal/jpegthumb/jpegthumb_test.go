// jpegthumb_test.go compares reduced pictures with what image/jpeg makes of the same file.

package jpegthumb_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"io"
	"math"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/larder-go/larder/internal/jpegthumb"
	"github.com/larder-go/larder/internal/jpegthumb/jpegtest"
)

var scales = []jpegthumb.Scale{jpegthumb.Eighth, jpegthumb.Quarter, jpegthumb.Half}

// kinds are JPEGs of every sampling, and of every way to write them.
func kinds() map[string]jpegtest.Options {
	all := map[string]jpegtest.Options{
		"gray": {Gray: true}, "gray restarts": {Gray: true, Restart: 1}, "rgb": {RGB: true},
		"gray progressive": {Gray: true, Scans: jpegtest.Progression(true)},
		"gray bands":       {Gray: true, Scans: jpegtest.Bands(true), Restart: 9},
		"4:2:0 split":      {H: 2, V: 2, Split: true},
		"4:2:2 bands":      {H: 2, Scans: jpegtest.Bands(false)},
		"4:4:4 poor":       {Quality: 5},
		"4:4:4 progressive restarts": {
			Restart: 7, Scans: jpegtest.Progression(false)},
	}
	for name, hv := range map[string][2]int{"4:4:4": {1, 1}, "4:2:2": {2, 1}, "4:2:0": {2, 2},
		"4:4:0": {1, 2}, "4:1:1": {4, 1}, "4:1:0": {4, 2}} {
		h, v := hv[0], hv[1]
		all[name] = jpegtest.Options{H: h, V: v}
		all[name+" restarts"] = jpegtest.Options{H: h, V: v, Restart: 5}
		all[name+" progressive"] = jpegtest.Options{H: h, V: v, Scans: jpegtest.Progression(false)}
	}
	return all
}

func decode(data []byte, s jpegthumb.Scale, c jpegthumb.Colour) (image.Image, error) {
	return jpegthumb.Decode(context.Background(), bytes.NewReader(data), s, c)
}

// plane is a channel of a picture: w x h samples of it are picture.
type plane struct {
	pix          []byte
	stride, w, h int
	across, down int // samples of luma for each of these
}

// sampling returns how many samples of luma there are for each of colour.
func sampling(r image.YCbCrSubsampleRatio) image.Point {
	return map[image.YCbCrSubsampleRatio]image.Point{
		image.YCbCrSubsampleRatio444: {X: 1, Y: 1}, image.YCbCrSubsampleRatio422: {X: 2, Y: 1},
		image.YCbCrSubsampleRatio420: {X: 2, Y: 2}, image.YCbCrSubsampleRatio440: {X: 1, Y: 2},
		image.YCbCrSubsampleRatio411: {X: 4, Y: 1}, image.YCbCrSubsampleRatio410: {X: 4, Y: 2},
	}[r]
}

// planesOf returns the channels of a decoded picture.
func planesOf(m image.Image) []plane {
	size := m.Bounds().Size()
	switch m := m.(type) {
	case *image.Gray:
		return []plane{{m.Pix, m.Stride, size.X, size.Y, 1, 1}}
	case *image.YCbCr:
		r := sampling(m.SubsampleRatio)
		w, h := (size.X+r.X-1)/r.X, (size.Y+r.Y-1)/r.Y
		return []plane{{m.Y, m.YStride, size.X, size.Y, 1, 1}, {m.Cb, m.CStride, w, h, r.X, r.Y},
			{m.Cr, m.CStride, w, h, r.X, r.Y}}
	case *image.RGBA:
		all := make([]plane, 3)
		for i := range all {
			all[i] = plane{make([]byte, size.X*size.Y), size.X, size.X, size.Y, 1, 1}
			for j := range all[i].pix {
				all[i].pix[j] = m.Pix[4*j+i]
			}
		}
		return all
	}
	return nil
}

// cosine is the value of the u-th function of an n-point DCT at x.
func cosine(u, x, n int) float64 {
	scale := math.Sqrt(2 / float64(n))
	if u == 0 {
		scale = math.Sqrt(1 / float64(n))
	}
	return scale * math.Cos(float64(2*x+1)*float64(u)*math.Pi/float64(2*n))
}

// matrix returns what makes n points of eight: the inverse of n points after the transform of
// eight, times sqrt(n/8), so that a mean stays what it is.
func matrix(n int) (m [][8]float64) {
	m = make([][8]float64, n)
	for y := range m {
		for x := range 8 {
			for u := range n {
				m[y][x] += cosine(u, y, n) * cosine(u, x, 8) * math.Sqrt(float64(n)/8)
			}
		}
	}
	return m
}

// worst returns how far the samples of small are from those that p's blocks become, nh x nv each.
// Blocks that are not wholly picture are left out, since image/jpeg does not show all of them, as
// are those that it clipped.
func worst(p, small plane, nh, nv int) (off float64) {
	across, down := matrix(nh), matrix(nv)
	for i := range p.h / 8 * (p.w / 8) {
		bx, by := i%(p.w/8), i/(p.w/8)
		if p.clipped(bx, by) {
			continue
		}
		for j := range nh * nv {
			x, y := j%nh, j/nh
			got := small.pix[(by*nv+y)*small.stride+bx*nh+x]
			want := min(max(p.weigh(bx, by, across[x], down[y]), 0), 255)
			off = max(off, math.Abs(want-float64(got)))
		}
	}
	return off
}

// weigh returns the sum of a block's samples times the weights of their column and row.
func (p plane) weigh(bx, by int, across, down [8]float64) (sum float64) {
	for j, v := range down {
		for i, h := range across {
			sum += v * h * float64(p.pix[(by*8+j)*p.stride+bx*8+i])
		}
	}
	return sum
}

// clipped reports whether samples of a block are as low or as high as they can be.
func (p plane) clipped(bx, by int) bool {
	for i := range 64 {
		if v := p.pix[(by*8+i/8)*p.stride+bx*8+i%8]; v == 0 || v == 255 {
			return true
		}
	}
	return false
}

func TestSamplesAreTheLowFrequenciesOfBlocks(t *testing.T) {
	picture := jpegtest.Picture(237, 133, 3)
	for name, o := range kinds() {
		data := jpegtest.Encode(picture, o)
		full, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%s: image/jpeg: %v", name, err)
		}
		for _, s := range scales {
			for _, c := range []jpegthumb.Colour{jpegthumb.Coarse, jpegthumb.Fine} {
				small, err := decode(data, s, c)
				if err != nil {
					t.Errorf("%s at %d/8: %v", name, s, err)
					continue
				}
				compare(t, name, full, small, s)
			}
		}
	}
}

func compare(t *testing.T, name string, full, small image.Image, s jpegthumb.Scale) {
	t.Helper()
	size := full.Bounds().Size()
	if got, want := small.Bounds(), image.Rect(0, 0, s.Of(size.X), s.Of(size.Y)); got != want {
		t.Errorf("%s at %d/8: bounds %v, want %v", name, s, got, want)
	}
	big := planesOf(full)
	for i, p := range planesOf(small) {
		nh, nv := int(s)*big[i].across/p.across, int(s)*big[i].down/p.down
		if off := worst(big[i], p, nh, nv); off > 2 { // image/jpeg rounds, and so do we
			t.Errorf("%s at %d/8: channel %d is off by %.2f", name, s, i, off)
		}
	}
}

func TestFineColourHasAsManySamplesAsLuma(t *testing.T) {
	data := jpegtest.Encode(jpegtest.Picture(100, 80, 1), jpegtest.Options{H: 4, V: 2})
	for _, s := range []jpegthumb.Scale{jpegthumb.Eighth, jpegthumb.Quarter, jpegthumb.Half} {
		m, err := decode(data, s, jpegthumb.Fine)
		if err != nil {
			t.Fatal(err)
		}
		want := map[jpegthumb.Scale]image.YCbCrSubsampleRatio{
			jpegthumb.Eighth:  image.YCbCrSubsampleRatio444,
			jpegthumb.Quarter: image.YCbCrSubsampleRatio422,
			jpegthumb.Half:    image.YCbCrSubsampleRatio410}[s]
		if got := m.(*image.YCbCr).SubsampleRatio; got != want {
			t.Errorf("4:1:0 at %d/8: %v, want %v", s, got, want)
		}
	}
}

func TestEverySizeDecodes(t *testing.T) {
	for w := 1; w <= 35; w += 2 {
		picture := jpegtest.Picture(w, 36-w, uint64(w))
		for name, o := range kinds() {
			data := jpegtest.Encode(picture, o)
			for _, s := range scales {
				if _, err := decode(data, s, jpegthumb.Fine); err != nil {
					t.Errorf("%s, %d x %d at %d/8: %v", name, w, 36-w, s, err)
				}
			}
		}
	}
}

func TestTheHeaderSaysWhatIsThere(t *testing.T) {
	data := jpegtest.Encode(jpegtest.Picture(50, 30, 1), jpegtest.Options{H: 2, V: 2,
		Scans: jpegtest.Progression(false)})
	h, err := jpegthumb.ReadHeader(bytes.NewReader(data))
	if err != nil || h.Width != 50 || h.Height != 30 || !h.Progressive || h.Blocks != 4*2*6 {
		t.Errorf("got %d x %d, progressive %v, %d blocks, %v", h.Width, h.Height, h.Progressive,
			h.Blocks, err)
	}
}

// frameOf returns a JPEG that ends after its frame.
func frameOf(marker byte, data ...byte) []byte {
	p := []byte{0xff, 0xd8, 0xff, marker, 0, byte(len(data) + 2)}
	return append(append(p, data...), 0xff, 0xda, 0, 2)
}

func TestUnusualFilesAreLeftToImageJPEG(t *testing.T) {
	three := []byte{3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0}
	for name, data := range map[string][]byte{
		"CMYK": frameOf(0xc0, 8, 0, 9, 0, 9, 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0,
			4, 0x11, 0),
		"12 bits":         frameOf(0xc1, append([]byte{12, 0, 9, 0, 9}, three...)...),
		"lossless":        frameOf(0xc3, append([]byte{8, 0, 9, 0, 9}, three...)...),
		"arithmetic":      frameOf(0xc9, append([]byte{8, 0, 9, 0, 9}, three...)...),
		"no height":       frameOf(0xc0, append([]byte{8, 0, 0, 0, 9}, three...)...),
		"sampling of 3":   frameOf(0xc0, 8, 0, 9, 0, 9, 3, 1, 0x31, 0, 2, 0x11, 0, 3, 0x11, 0),
		"colours differ":  frameOf(0xc0, 8, 0, 9, 0, 9, 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x21, 0),
		"more than luma":  frameOf(0xc0, 8, 0, 9, 0, 9, 3, 1, 0x11, 0, 2, 0x21, 0, 3, 0x21, 0),
		"two components":  frameOf(0xc0, 8, 0, 9, 0, 9, 2, 1, 0x11, 0, 2, 0x11, 0),
		"too many blocks": frameOf(0xc0, 8, 0, 9, 0, 9, 3, 1, 0x22, 0, 2, 0x22, 0, 3, 0x22, 0),
	} {
		m, err := decode(data, jpegthumb.Eighth, jpegthumb.Coarse)
		if !errors.Is(err, jpegthumb.ErrUnusual) || m != nil {
			t.Errorf("%s: got %v, %v, want ErrUnusual", name, m, err)
		}
	}
}

func TestFullMemoryIsKnownOfUnusualFiles(t *testing.T) {
	data := frameOf(0xc0, 8, 4, 0, 8, 0, 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0)
	h, err := jpegthumb.ReadHeader(bytes.NewReader(data))
	if !errors.Is(err, jpegthumb.ErrUnusual) || h.Width != 2048 || h.Height != 1024 {
		t.Errorf("got %d x %d, %v", h.Width, h.Height, err)
	}
	if got := h.FullMemory(); got < 8*2048*1024 {
		t.Errorf("got %d bytes", got)
	}
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p[:min(len(p), 512)])
	c.n += n
	return n, err
}

func TestProgressiveFilesAreReadNoFurtherThanTheirMeans(t *testing.T) {
	scans := []jpegtest.Scan{{Components: []int{0, 1, 2}}}
	for c := range 3 {
		scans = append(scans, jpegtest.Scan{Components: []int{c}, First: 1, Last: 63})
	}
	data := jpegtest.Encode(jpegtest.Picture(400, 300, 1),
		jpegtest.Options{H: 2, V: 2, Scans: scans})
	c := &counter{r: bytes.NewReader(data)}
	_, err := jpegthumb.Decode(context.Background(), c, jpegthumb.Eighth, jpegthumb.Coarse)
	if err != nil || c.n > len(data)/4 {
		t.Errorf("read %d of %d bytes, %v", c.n, len(data), err)
	}
}

func TestWhatWasDecodedOfAShortFileIsReturned(t *testing.T) {
	picture := jpegtest.Picture(200, 160, 1)
	for name, o := range kinds() {
		data := jpegtest.Encode(picture, o)
		part := data[:len(data)*3/4]
		whole, _ := decode(data, jpegthumb.Half, jpegthumb.Fine)
		m, err := decode(part, jpegthumb.Half, jpegthumb.Fine)
		if !errors.Is(err, jpegthumb.ErrDamaged) || m == nil {
			t.Errorf("%s: got %v, %v", name, m == nil, err)
			continue
		}
		if o.Scans == nil && planesOf(m)[0].pix[0] != planesOf(whole)[0].pix[0] {
			t.Errorf("%s: the beginning is not that of the whole file", name)
		}
	}
}

func TestNoPrefixPanicsOrCountsAsWhole(t *testing.T) {
	picture := jpegtest.Picture(40, 24, 1)
	for _, name := range []string{"4:2:0 restarts", "4:2:0 progressive", "gray bands"} {
		data := jpegtest.Encode(picture, kinds()[name])
		for n := range len(data) - 20 {
			_, err := decode(data[:n], jpegthumb.Half, jpegthumb.Fine)
			if err == nil && n < len(data)/2 {
				t.Errorf("%s: %d of %d bytes pass for all", name, n, len(data))
			}
		}
	}
}

func TestReadersMayReturnAnyNumberOfBytes(t *testing.T) {
	for name, o := range kinds() {
		data := jpegtest.Encode(jpegtest.Picture(70, 50, 1), o)
		want, _ := decode(data, jpegthumb.Quarter, jpegthumb.Fine)
		got, err := jpegthumb.Decode(context.Background(),
			iotest.DataErrReader(iotest.OneByteReader(bytes.NewReader(data))), jpegthumb.Quarter,
			jpegthumb.Fine)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, p := range planesOf(got) {
			if !bytes.Equal(p.pix, planesOf(want)[i].pix) {
				t.Errorf("%s: channel %d differs", name, i)
			}
		}
	}
}

func TestAFailingReaderFailsAtOnce(t *testing.T) {
	data := jpegtest.Encode(jpegtest.Picture(200, 160, 1), jpegtest.Options{})
	failure := errors.New("share is gone")
	r := io.MultiReader(bytes.NewReader(data[:len(data)/2]), iotest.ErrReader(failure))
	_, err := jpegthumb.Decode(context.Background(), r, jpegthumb.Eighth, jpegthumb.Coarse)
	if !errors.Is(err, failure) || errors.Is(err, jpegthumb.ErrDamaged) {
		t.Errorf("got %v, want %v", err, failure)
	}
}

func TestAReaderThatReturnsNothingIsGivenUp(t *testing.T) {
	nothing := readerFunc(func([]byte) (int, error) { return 0, nil })
	_, err := jpegthumb.Decode(context.Background(), nothing, jpegthumb.Eighth, jpegthumb.Coarse)
	if !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v, want %v", err, io.ErrNoProgress)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestACancelledContextStopsDecoding(t *testing.T) {
	data := jpegtest.Encode(jpegtest.Picture(200, 160, 1), jpegtest.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	r := readerFunc(func(p []byte) (int, error) { // all of it comes with the first read
		cancel()
		return copy(p, data), nil
	})
	_, err := jpegthumb.Decode(ctx, r, jpegthumb.Eighth, jpegthumb.Coarse)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestMemoryIsWhatTheHeaderSays(t *testing.T) {
	picture := jpegtest.Picture(900, 700, 1)
	for _, name := range []string{"4:2:0", "4:4:4 progressive", "rgb", "gray progressive"} {
		data := jpegtest.Encode(picture, kinds()[name])
		h, err := jpegthumb.ReadHeader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range scales {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if _, err := decode(data, s, jpegthumb.Fine); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			got, most := int64(after.TotalAlloc-before.TotalAlloc), h.Memory(s, jpegthumb.Fine)
			if got > most+most/8 {
				t.Errorf("%s at %d/8: %d bytes, want at most %d", name, s, got, most)
			}
		}
	}
}
