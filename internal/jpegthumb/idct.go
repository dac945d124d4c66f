// idct.go turns the low frequencies of a block into fewer samples than it had.

package jpegthumb

// zigzag has the place in a block, eight in a row, of each coefficient of a scan.
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// trash is where coefficients go that nobody wants.
const trash = 16

// block holds the lowest coefficients, times their steps, four in a row, and trash.
type block [trash + 1]int32

// An N-point inverse DCT of the N lowest of 8 frequencies, times N/8, is the picture without what
// a smaller one cannot show. With the factors drawn together, one dimension is for
//
//	N = 1: F0
//	N = 2: F0 ± F1
//	N = 4: F0 ± F2 ± the odd part, of F1 and F3
//
// and all that remains after two of them is a division by 8, whatever the two Ns are.
const (
	fraction = 12   // bits behind the point
	odd1     = 5352 // sqrt(2) cos(pi/8), times 1<<fraction
	odd3     = 2217 // sqrt(2) cos(3 pi/8), times 1<<fraction
)

// sample returns the sample that is v/8 above the middle.
func sample(v int32) byte {
	v = (v+4)>>3 + 128
	if uint32(v) > 255 {
		v = ^v >> 31 & 255
	}
	return byte(v)
}

// put writes the samples of b into the plane.
func (c *component) put(b *block, x, y int) {
	stride := c.stride * c.nh
	at := c.plane[y*c.nv*stride+x*c.nh:]
	switch {
	case c.nh == 1 && c.nv == 1:
		at[0] = sample(b[0])
	case c.nh == 2 && c.nv == 2:
		put2x2(b, at, stride)
	case c.nh == 4 && c.nv == 4:
		put4x4(b, at, stride)
	default:
		c.putAny(b, at, stride)
	}
}

func put2x2(b *block, at []byte, stride int) {
	left, right := b[0]+b[1], b[0]-b[1]
	below := at[stride:]
	dl, dr := b[4]+b[5], b[4]-b[5]
	at[0], at[1] = sample(left+dl), sample(right+dr)
	below[0], below[1] = sample(left-dl), sample(right-dr)
}

func put4x4(b *block, at []byte, stride int) {
	var columns [4][4]int32 // [u][y]
	for u := range columns {
		columns[u] = four(b[u], b[4+u], b[8+u], b[12+u])
	}
	for y := range 4 {
		p := four(columns[0][y], columns[1][y], columns[2][y], columns[3][y])
		row := at[:4]
		row[0], row[1], row[2], row[3] = sample(p[0]), sample(p[1]), sample(p[2]), sample(p[3])
		at = at[min(stride, len(at)):]
	}
}

// putAny writes as many samples as a block becomes.
func (c *component) putAny(b *block, at []byte, stride int) {
	var columns [4][4]int32 // [u][y]
	for u := range c.nh {
		columns[u] = points(c.nv, b[u], b[4+u], b[8+u], b[12+u])
	}
	for y := range c.nv {
		p := points(c.nh, columns[0][y], columns[1][y], columns[2][y], columns[3][y])
		row := at[y*stride:]
		row = row[:c.nh]
		for x := range row {
			row[x] = sample(p[x&3])
		}
	}
}

// points is the inverse DCT of n points.
func points(n int, f0, f1, f2, f3 int32) [4]int32 {
	switch n {
	case 1:
		return [4]int32{f0}
	case 2:
		return [4]int32{f0 + f1, f0 - f1}
	}
	return four(f0, f1, f2, f3)
}

// four is the inverse DCT of four points.
func four(f0, f1, f2, f3 int32) [4]int32 {
	outer := (odd1*f1 + odd3*f3 + 1<<(fraction-1)) >> fraction
	inner := (odd3*f1 - odd1*f3 + 1<<(fraction-1)) >> fraction
	return [4]int32{f0 + f2 + outer, f0 - f2 + inner, f0 - f2 - inner, f0 + f2 - outer}
}
