// resample.go makes rows of samples smaller with the Catmull-Rom kernel.

package thumb

import (
	"context"
	"math"
)

// rows is a picture as it comes from a decoder that reduced it: some channels of samples, row by
// row. It may end within its last samples, since 3001 pixels are 750.25 of a quarter of the size:
// without that the picture would be stretched.
type rows struct {
	w, h          int     // samples
	width, height float64 // how many of them are picture: more than w-1, h-1 of them
	channels      int
	row           func(y int) []byte // until it is called again; y only grows
}

// weightBits are those behind the point of weights, halfBits of what is between both passes.
const (
	weightBits = 14
	halfBits   = 6
)

// tap is what one sample of the result is made of: weights of the samples from first on.
type tap struct {
	first   int
	weights []int32
}

// taps returns the taps of n samples of the result, made of the first size of have samples.
func taps(n, have int, size float64) []tap {
	scale := size / float64(n)
	wide := max(scale, 1) // the kernel grows with what is to be averaged, but never shrinks
	all := make([]tap, n)
	for i := range all {
		center := (float64(i)+0.5)*scale - 0.5
		first := max(0, int(math.Ceil(center-2*wide)))
		last := min(have-1, int(math.Floor(center+2*wide)))
		kernel := make([]float64, last-first+1)
		sum := 0.0
		for j := range kernel {
			kernel[j] = catmullRom((float64(first+j) - center) / wide)
			sum += kernel[j]
		}
		all[i] = tap{first, whole(kernel, sum)}
	}
	return all
}

// catmullRom is the cubic with B = 0, C = 1/2 (Mitchell and Netravali, 1988).
func catmullRom(x float64) float64 {
	x = math.Abs(x)
	switch {
	case x < 1:
		return (1.5*x-2.5)*x*x + 1
	case x < 2:
		return ((-0.5*x+2.5)*x-4)*x + 2
	}
	return 0
}

// whole returns weights as numbers of 1<<weightBits, of which they are exactly one together, so
// that an even area stays what it is.
func whole(kernel []float64, sum float64) []int32 {
	w := make([]int32, len(kernel))
	left, most := int32(1)<<weightBits, 0
	for i, k := range kernel {
		w[i] = int32(math.Round(k / sum * (1 << weightBits)))
		left -= w[i]
		if w[i] > w[most] {
			most = i
		}
	}
	w[most] += left
	return w
}

// resize returns r as w x h samples. It stops when ctx is done, with whatever is there.
func resize(ctx context.Context, r rows, w, h int) []byte {
	across, down := taps(w, r.w, r.width), taps(h, r.h, r.height)
	n := w * r.channels
	kept := 0
	for _, t := range down {
		kept = max(kept, len(t.weights))
	}
	ring := make([]int32, kept*n) // rows that are narrow but not yet low
	sums := make([]int32, n)
	out := make([]byte, h*n)
	next := 0
	for y, t := range down {
		if ctx.Err() != nil {
			break
		}
		for ; next < t.first+len(t.weights); next++ {
			at := next % kept * n
			narrow(ring[at:at+n], r.row(next), across, r.channels)
		}
		clear(sums)
		for i, weight := range t.weights {
			at := (t.first + i) % kept * n
			for x, v := range ring[at : at+n] {
				sums[x] += v * weight
			}
		}
		finish(out[y*n:(y+1)*n], sums)
	}
	return out
}

// narrow makes one row narrower.
func narrow(dst []int32, src []byte, across []tap, channels int) {
	if channels == 1 {
		narrowPlane(dst, src, across)
		return
	}
	for x, t := range across {
		for c := range channels {
			sum, at := int32(0), t.first*channels+c
			for _, weight := range t.weights {
				sum += int32(src[at]) * weight
				at += channels
			}
			dst[x*channels+c] = sum >> (weightBits - halfBits)
		}
	}
}

func narrowPlane(dst []int32, src []byte, across []tap) {
	for x, t := range across {
		part := src[t.first:]
		part = part[:len(t.weights)]
		sum := int32(0)
		for i, weight := range t.weights {
			sum += int32(part[i]) * weight
		}
		dst[x] = sum >> (weightBits - halfBits)
	}
}

// finish rounds sums to bytes.
func finish(dst []byte, sums []int32) {
	const bits = weightBits + halfBits
	for x, v := range sums {
		dst[x] = byte(min(max((v+1<<(bits-1))>>bits, 0), 255))
	}
}
