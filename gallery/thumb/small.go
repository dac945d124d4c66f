// small.go is the small picture on its way from the decoder to the encoder.

package thumb

import (
	"context"
	"image"
	"image/draw"
)

// small is a small picture: one channel of gray, three of Y, Cb and Cr in planes of one size, or
// four of red, green, blue and alpha, premultiplied and side by side.
type small struct {
	w, h   int
	planes [][]byte
	rgba   bool
}

// extent is how large a picture is in samples of what was decoded: 750.25 samples are what a
// quarter of 3001 pixels are.
type extent struct{ w, h float64 }

// within returns what of e is in m, which is all unless a decoder contradicts its header.
func (e extent) within(m image.Image) extent {
	size := m.Bounds().Size()
	return extent{min(e.w, float64(size.X)), min(e.h, float64(size.Y))}
}

// shrink fits a decoded picture, e of it, into size. It stops when ctx is done.
func shrink(ctx context.Context, m image.Image, e extent, size image.Point) small {
	w, h := size.X, size.Y
	switch m := m.(type) {
	case *image.Gray:
		return small{w: w, h: h, planes: [][]byte{resize(ctx, grayRows(m, e.within(m)), w, h)}}
	case *image.YCbCr:
		return shrinkYCbCr(ctx, m, e.within(m), size)
	}
	k := max(1, int(min(e.w/float64(2*w), e.h/float64(2*h))))
	return small{w: w, h: h, rgba: true, planes: [][]byte{resize(ctx, boxRows(m, e, k), w, h)}}
}

func grayRows(m *image.Gray, e extent) rows {
	return planeRows(m.Pix[m.PixOffset(m.Rect.Min.X, m.Rect.Min.Y):], m.Stride,
		m.Rect.Dx(), m.Rect.Dy(), e)
}

func planeRows(pix []byte, stride, w, h int, e extent) rows {
	return rows{w: w, h: h, width: e.w, height: e.h, channels: 1,
		row: func(y int) []byte { return pix[y*stride:] }}
}

func shrinkYCbCr(ctx context.Context, m *image.YCbCr, e extent, size image.Point) small {
	w, h := size.X, size.Y
	min := m.Rect.Min
	luma := planeRows(m.Y[m.YOffset(min.X, min.Y):], m.YStride, m.Rect.Dx(), m.Rect.Dy(), e)
	across, down := sampling(m.SubsampleRatio)
	e.w, e.h = e.w/float64(across), e.h/float64(down)
	cw, ch := (m.Rect.Dx()+across-1)/across, (m.Rect.Dy()+down-1)/down
	at := m.COffset(min.X, min.Y)
	return small{w: w, h: h, planes: [][]byte{
		resize(ctx, luma, w, h),
		resize(ctx, planeRows(m.Cb[at:], m.CStride, cw, ch, e), w, h),
		resize(ctx, planeRows(m.Cr[at:], m.CStride, cw, ch, e), w, h),
	}}
}

// sampling returns how many samples of luma there are for each of colour.
func sampling(r image.YCbCrSubsampleRatio) (across, down int) {
	switch r {
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	}
	return 1, 1
}

// boxRows returns the means of k x k pixels, which is exact and cheap; the kernel does the rest.
// Transparent pixels count by their alpha, since colours are premultiplied. Pixels are converted
// row by row.
func boxRows(m image.Image, e extent, k int) rows {
	wide, high := int(e.w), int(e.h)
	line := image.NewRGBA(image.Rect(0, 0, wide, 1))
	sums := make([]uint64, 4*((wide+k-1)/k))
	row := make([]byte, len(sums))
	return rows{
		w: len(row) / 4, h: (high + k - 1) / k, channels: 4,
		width: e.w / float64(k), height: e.h / float64(k),
		row: func(y int) []byte {
			clear(sums)
			below := min(high, (y+1)*k)
			for i := y * k; i < below; i++ {
				clear(line.Pix) // a frame of a GIF may not reach here
				draw.Draw(line, line.Rect, m, image.Pt(0, i), draw.Src)
				addBoxes(sums, line.Pix, k)
			}
			for i, sum := range sums {
				n := uint64((below - y*k) * min(k, wide-i/4*k))
				row[i] = byte((sum + n/2) / n)
			}
			return row
		},
	}
}

// addBoxes adds each k pixels of a line to the sums of their box.
func addBoxes(sums []uint64, line []byte, k int) {
	for ; len(sums) >= 4; sums = sums[4:] {
		part := line[:min(4*k, len(line))]
		line = line[len(part):]
		var r, g, b, a uint64
		for ; len(part) >= 4; part = part[4:] {
			r += uint64(part[0])
			g += uint64(part[1])
			b += uint64(part[2])
			a += uint64(part[3])
		}
		sums[0], sums[1], sums[2], sums[3] = sums[0]+r, sums[1]+g, sums[2]+b, sums[3]+a
	}
}

// opaque reports whether nothing shines through.
func (s small) opaque() bool {
	if !s.rgba {
		return true
	}
	for i := 3; i < len(s.planes[0]); i += 4 {
		if s.planes[0][i] != 255 {
			return false
		}
	}
	return true
}

// image returns the picture for an encoder.
func (s small) image() image.Image {
	r := image.Rect(0, 0, s.w, s.h)
	switch {
	case s.rgba:
		s.bound()
		return &image.RGBA{Pix: s.planes[0], Stride: 4 * s.w, Rect: r}
	case len(s.planes) == 1:
		return &image.Gray{Pix: s.planes[0], Stride: s.w, Rect: r}
	}
	return &image.YCbCr{Y: s.planes[0], Cb: s.planes[1], Cr: s.planes[2],
		YStride: s.w, CStride: s.w, SubsampleRatio: image.YCbCrSubsampleRatio444, Rect: r}
}

// bound keeps colours below their alpha: the kernel overshoots at edges.
func (s small) bound() {
	for p := s.planes[0]; len(p) >= 4; p = p[4:] {
		p[0], p[1], p[2] = min(p[0], p[3]), min(p[1], p[3]), min(p[2], p[3])
	}
}

// resize returns the picture at yet another size.
func (s small) resize(w, h int) small {
	channels := 1
	if s.rgba {
		channels = 4
	}
	out := small{w: w, h: h, rgba: s.rgba}
	for _, p := range s.planes {
		out.planes = append(out.planes, resize(context.Background(), rows{
			w: s.w, h: s.h, width: float64(s.w), height: float64(s.h), channels: channels,
			row: func(y int) []byte { return p[y*s.w*channels:] },
		}, w, h))
	}
	return out
}

// colors returns the pixels as red, green, blue and alpha from 0 to 1, premultiplied.
func (s small) colors() [][4]float64 {
	m := s.image().(image.RGBA64Image)
	out := make([][4]float64, 0, s.w*s.h)
	for y := range s.h {
		for x := range s.w {
			c := m.RGBA64At(x, y)
			out = append(out, [4]float64{float64(c.R) / 0xffff, float64(c.G) / 0xffff,
				float64(c.B) / 0xffff, float64(c.A) / 0xffff})
		}
	}
	return out
}

// fit returns the size of a picture of w x h that fits into side x side, and is never larger.
func fit(w, h, side int) (int, int) {
	long := max(w, h)
	if long <= side {
		return w, h
	}
	scaled := func(n int) int { return max(1, (2*n*side+long)/(2*long)) }
	return scaled(w), scaled(h)
}

// crop returns a camera's preview without the bars above and below, or beside it, that fill it up
// to 4:3 where the picture is wider or narrower.
func (h header) crop(preview image.Image) small {
	b := preview.Bounds()
	w, high := b.Dx(), b.Dy()
	wide, tall := max(1, high*h.width/h.height), max(1, w*h.height/h.width)
	const slack = 2 // pixels that rounding may have cost
	if wide < w-slack {
		b.Min.X += (w - wide) / 2
		b.Max.X = b.Min.X + wide
	} else if tall < high-slack {
		b.Min.Y += (high - tall) / 2
		b.Max.Y = b.Min.Y + tall
	}
	part := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(part, part.Rect, preview, b.Min, draw.Src)
	return small{w: b.Dx(), h: b.Dy(), rgba: true, planes: [][]byte{part.Pix}}
}
