// thumbhash.go makes the placeholder of a picture, by the algorithm that Evan Wallace published as
// ThumbHash (2023): a few DCT coefficients of lightness, two colour differences and alpha, in four
// bits each.

package thumb

import "math"

// hashSide is how many pixels are looked at across the longer side. 7 frequencies need no more.
const hashSide = 32

// hash returns the ThumbHash of s.
func hash(s small) []byte {
	w, h := fit(s.w, s.h, hashSide)
	red := s.resize(w, h)
	pixels := red.colors()
	alpha := false
	for _, c := range pixels {
		alpha = alpha || c[3] < 1
	}
	return hashOf(channelsOf(pixels), w, h, alpha)
}

// hashOf packs channels of w x h values: lightness, yellow against blue, red against green, alpha.
func hashOf(channels [4][]float64, w, h int, alpha bool) []byte {
	most := 7.0
	if alpha {
		most = 5
	}
	long := float64(max(w, h))
	lx, ly := frequencies(most*float64(w)/long), frequencies(most*float64(h)/long)
	l := spectrumOf(channels[0], w, h, max(3, lx), max(3, ly))
	p := spectrumOf(channels[1], w, h, 3, 3)
	q := spectrumOf(channels[2], w, h, 3, 3)
	head := part(l.mean, 63) | part(0.5+0.5*p.mean, 63)<<6 | part(0.5+0.5*q.mean, 63)<<12 |
		part(l.scale, 31)<<18
	tail := lx | part(p.scale, 63)<<3 | part(q.scale, 63)<<9
	if w > h {
		tail = ly | tail&^7 | 1<<15
	}
	packer := packer{bytes: []byte{byte(head), byte(head >> 8), byte(head >> 16), byte(tail),
		byte(tail >> 8)}}
	if alpha {
		a := spectrumOf(channels[3], w, h, 5, 5)
		packer.bytes[2] |= 1 << 7
		packer.bytes = append(packer.bytes, byte(part(a.mean, 15)|part(a.scale, 15)<<4))
		return packer.add(l).add(p).add(q).add(a).bytes
	}
	return packer.add(l).add(p).add(q).bytes
}

func frequencies(n float64) int { return max(1, int(math.Round(n))) }

// part returns v, of 0 to 1, as one of most+1 steps.
func part(v float64, most int) int {
	return int(math.Round(min(max(v, 0), 1) * float64(most)))
}

// spectrum is the lower triangle of a channel's DCT.
type spectrum struct {
	mean  float64
	waves []float64 // from 0 to 1, 0.5 being none
	scale float64   // what 1 stands for
}

// spectrumOf transforms a channel. The sum is taken across first, once for each row.
func spectrumOf(channel []float64, w, h, nx, ny int) (s spectrum) {
	for cy := range ny {
		for cx := 0; cx*ny < nx*(ny-cy); cx++ {
			f := 0.0
			for y := range h {
				row := 0.0
				for x, v := range channel[y*w : (y+1)*w] {
					row += v * wave(cx, x, w)
				}
				f += row * wave(cy, y, h)
			}
			f /= float64(w * h)
			if cx == 0 && cy == 0 {
				s.mean = f
				continue
			}
			s.waves = append(s.waves, f)
			s.scale = max(s.scale, math.Abs(f))
		}
	}
	for i, f := range s.waves {
		if s.waves[i] = 0.5; s.scale > 0 {
			s.waves[i] += 0.5 / s.scale * f
		}
	}
	return s
}

// wave returns the value at x, of n, of the cosine of a frequency.
func wave(frequency, x, n int) float64 {
	return math.Cos(math.Pi / float64(n) * float64(frequency) * (float64(x) + 0.5))
}

// packer writes values of four bits.
type packer struct {
	bytes []byte
	half  bool // the last byte has room
}

func (p packer) add(s spectrum) packer {
	for _, v := range s.waves {
		nibble := byte(part(v, 15))
		if p.half {
			p.bytes[len(p.bytes)-1] |= nibble << 4
		} else {
			p.bytes = append(p.bytes, nibble)
		}
		p.half = !p.half
	}
	return p
}

// channelsOf splits colours, premultiplied and from 0 to 1, on a ground of their mean.
func channelsOf(pixels [][4]float64) (channels [4][]float64) {
	var mean [4]float64
	for _, c := range pixels {
		for i, v := range c {
			mean[i] += v
		}
	}
	for i := range 3 {
		if mean[3] > 0 {
			mean[i] /= mean[3]
		}
	}
	for _, c := range pixels {
		through := 1 - c[3]
		r, g, b := c[0]+mean[0]*through, c[1]+mean[1]*through, c[2]+mean[2]*through
		channels[0] = append(channels[0], (r+g+b)/3)
		channels[1] = append(channels[1], (r+g)/2-b)
		channels[2] = append(channels[2], r-g)
		channels[3] = append(channels[3], c[3])
	}
	return channels
}
