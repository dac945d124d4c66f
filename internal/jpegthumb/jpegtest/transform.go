// transform.go makes blocks of coefficients of a picture.

package jpegtest

import (
	"image"
	"image/color"
	"math"
)

// component is a plane as blocks of quantized coefficients, in zigzag order.
type component struct {
	h, v       int
	stride     int // blocks in a row
	wide, tall int // blocks with pixels in them
	blocks     [][64]int
	steps      *[64]int // by place, not in zigzag order
}

var zigzag = [64]int{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// steps returns quantization steps that grow with the frequency, and are finer at high quality.
func steps(quality int, colour bool) *[64]int {
	scale := 200 - 2*float64(quality)
	if quality < 50 {
		scale = 5000 / float64(quality)
	}
	base, slope := 12.0, 6.0
	if colour {
		base, slope = 16, 10
	}
	var s [64]int
	for i := range s {
		f := base + slope*math.Hypot(float64(i%8), float64(i/8))
		s[i] = int(min(max(1, f*scale/100), 255))
	}
	return &s
}

// planes fills the components.
func (w *writer) planes(m image.Image) {
	o, b := w.options, m.Bounds()
	if o.Gray {
		o.H, o.V = 1, 1
	}
	w.across, w.down = ceil(b.Dx(), 8*o.H), ceil(b.Dy(), 8*o.V)
	planes := w.channels(m)
	if o.Gray {
		planes = planes[:1]
	}
	for i, p := range planes {
		c := &component{h: o.H, v: o.V, steps: steps(o.Quality, i > 0)}
		if i > 0 && !o.RGB {
			c.h, c.v = 1, 1
		}
		c.stride = w.across * c.h
		c.wide, c.tall = ceil(b.Dx()*c.h, 8*o.H), ceil(b.Dy()*c.v, 8*o.V)
		c.blocks = make([][64]int, c.stride*w.down*c.v)
		c.fill(p, o.H/c.h, o.V/c.v)
		w.components = append(w.components, c)
	}
}

func ceil(n, by int) int { return (n + by - 1) / by }

// plane is a channel of a picture.
type plane struct {
	w, h int
	pix  []byte
}

// mean returns the mean of a rectangle, with the edge repeated.
func (p plane) mean(x, y, w, h int) float64 {
	sum := 0
	for j := y; j < y+h; j++ {
		for i := x; i < x+w; i++ {
			sum += int(p.pix[min(j, p.h-1)*p.w+min(i, p.w-1)])
		}
	}
	return float64(sum) / float64(w*h)
}

// channels returns Y, Cb, Cr or red, green, blue.
func (w *writer) channels(m image.Image) []plane {
	b := m.Bounds()
	out := make([]plane, 3)
	for i := range out {
		out[i] = plane{b.Dx(), b.Dy(), make([]byte, b.Dx()*b.Dy())}
	}
	for i := range out[0].pix {
		r, g, bl, _ := m.At(b.Min.X+i%b.Dx(), b.Min.Y+i/b.Dx()).RGBA()
		p := [3]byte{byte(r >> 8), byte(g >> 8), byte(bl >> 8)}
		if !w.options.RGB {
			p[0], p[1], p[2] = color.RGBToYCbCr(p[0], p[1], p[2])
		}
		for j := range out {
			out[j].pix[i] = p[j]
		}
	}
	return out
}

// cosines has the rows of the one-dimensional DCT.
var cosines = func() (c [8][8]float64) {
	for u := range c {
		for x := range c[u] {
			c[u][x] = math.Cos(float64(2*x+1)*float64(u)*math.Pi/16) / 2
			if u == 0 {
				c[u][x] = 1 / math.Sqrt(8)
			}
		}
	}
	return c
}()

// fill transforms p, of which each sample is the mean of h x v.
func (c *component) fill(p plane, h, v int) {
	for i := range c.blocks {
		var in [8][8]float64
		for y := range in {
			for x := range in[y] {
				in[y][x] = p.mean((i%c.stride*8+x)*h, (i/c.stride*8+y)*v, h, v) - 128
			}
		}
		out := dct(dct(in)) // twice, transposed by each
		for z, place := range zigzag {
			f := out[place/8][place%8] / float64(c.steps[place])
			c.blocks[i][z] = int(math.Round(f))
		}
	}
}

// dct transforms rows and transposes.
func dct(in [8][8]float64) (out [8][8]float64) {
	for y := range in {
		for u := range cosines {
			sum := 0.0
			for x, k := range cosines[u] {
				sum += k * in[y][x]
			}
			out[u][y] = sum
		}
	}
	return out
}
