// picture.go draws pictures with what photographs have: smooth parts, edges, noise.

package jpegtest

import (
	"image"
	"math"
	"math/rand/v2"
)

// Picture returns a picture that has something of a photograph: slopes, clouds of every size,
// edges, colours and noise. The same seed gives the same picture.
func Picture(w, h int, seed uint64) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	rnd := rand.New(rand.NewPCG(seed, 1))
	clouds := newClouds(rnd)
	for y := range h {
		for x := range w {
			u, v := float64(x)/float64(max(w, h)), float64(y)/float64(max(w, h))
			light := 128 + clouds.at(u, v) + rnd.NormFloat64()*6.5
			if math.Mod(u*8+v*3, 1) < 0.4 {
				light += 30
			}
			red, blue := light+40*math.Sin(5*v+2*u), light-40*math.Cos(3*u)
			if math.Mod(u*3+v*7, 1) > 0.8 {
				red, blue = red+60, blue-50
			}
			i := m.PixOffset(x, y)
			m.Pix[i], m.Pix[i+1], m.Pix[i+2] = clamp(red), clamp(light), clamp(blue)
			m.Pix[i+3] = 255
		}
	}
	return m
}

func clamp(v float64) byte { return byte(min(max(v, 0), 255)) }

// clouds are grids of random values, each twice as fine as the one before and a bit fainter.
type clouds [][]float64

func newClouds(rnd *rand.Rand) (c clouds) {
	for n := 4; n <= 1024; n *= 2 {
		grid := make([]float64, n*n)
		for i := range grid {
			grid[i] = rnd.Float64()*2 - 1
		}
		c = append(c, grid)
	}
	return c
}

// at returns the sum of all grids at a place, from 0 to 1 in both directions.
func (c clouds) at(u, v float64) (sum float64) {
	faint := 60.0
	for i, grid := range c {
		n := 4 << i
		x, y := u*float64(n-1), v*float64(n-1)
		x0, y0 := min(int(x), n-2), min(int(y), n-2)
		dx, dy := x-float64(x0), y-float64(y0)
		at := y0*n + x0
		above := grid[at]*(1-dx) + grid[at+1]*dx
		below := grid[at+n]*(1-dx) + grid[at+n+1]*dx
		sum += faint * (above*(1-dy) + below*dy)
		faint *= 0.72
	}
	return sum
}
