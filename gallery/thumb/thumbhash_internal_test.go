// thumbhash_internal_test.go turns placeholders back into pictures, as a page does.

package thumb

import (
	"encoding/hex"
	"math"
	"testing"
)

// unpacker reads values of four bits.
type unpacker struct {
	bytes []byte
	at    int
}

func (u *unpacker) waves(nx, ny int, scale float64) (out []float64) {
	for cy := range ny {
		for cx := 0; cx*ny < nx*(ny-cy); cx++ {
			if cx == 0 && cy == 0 {
				continue
			}
			nibble := u.bytes[u.at/2] >> (u.at % 2 * 4) & 15
			u.at++
			out = append(out, (float64(nibble)/7.5-1)*scale)
		}
	}
	return out
}

// sum returns the value of a channel at a pixel.
func sum(mean float64, waves []float64, nx, ny, x, y, w, h int) float64 {
	i := 0
	for cy := range ny {
		for cx := 0; cx*ny < nx*(ny-cy); cx++ {
			if cx == 0 && cy == 0 {
				continue
			}
			mean += waves[i] * wave(cx, x, w) * wave(cy, y, h) * 2
			i++
		}
	}
	return mean
}

// placeholder is a decoded hash.
type placeholder struct {
	lx, ly     int
	alpha      bool
	means      [4]float64
	l, p, q, a []float64
}

func decodeHash(b []byte) (d placeholder) {
	head, tail := int(b[0])|int(b[1])<<8|int(b[2])<<16, int(b[3])|int(b[4])<<8
	d.alpha = head>>23 != 0
	d.means = [4]float64{float64(head&63) / 63, float64(head>>6&63)/31.5 - 1,
		float64(head>>12&63)/31.5 - 1, 1}
	most := 7
	u := unpacker{bytes: b[5:]}
	aScale := 0.0
	if d.alpha {
		most = 5
		d.means[3], aScale = float64(b[5]&15)/15, float64(b[5]>>4)/15
		u.bytes = b[6:]
	}
	d.lx, d.ly = max(3, tail&7), most
	if tail>>15 != 0 {
		d.lx, d.ly = d.ly, d.lx
	}
	d.l = u.waves(d.lx, d.ly, float64(head>>18&31)/31)
	d.p = u.waves(3, 3, float64(tail>>3&63)/63*1.25)
	d.q = u.waves(3, 3, float64(tail>>9&63)/63*1.25)
	if d.alpha {
		d.a = u.waves(5, 5, aScale)
	}
	return d
}

// at returns the colour of a pixel.
func (d placeholder) at(x, y, w, h int) (r, g, b, a float64) {
	l := sum(d.means[0], d.l, d.lx, d.ly, x, y, w, h)
	p := sum(d.means[1], d.p, 3, 3, x, y, w, h)
	q := sum(d.means[2], d.q, 3, 3, x, y, w, h)
	a = d.means[3]
	if d.alpha {
		a = sum(a, d.a, 5, 5, x, y, w, h)
	}
	b = l - 2.0/3*p
	r = (3*l - b + q) / 2
	return r, r - q, b, a
}

// slope is a picture whose colours change evenly.
func slope(w, h int, alpha bool) small {
	s := small{w: w, h: h, rgba: true, planes: [][]byte{make([]byte, 4*w*h)}}
	for i := range w * h {
		x, y := i%w, i/w
		a := 255
		if alpha && x >= w/2 {
			a = 0
		}
		p := s.planes[0][4*i:]
		p[0], p[1], p[2] = byte(x*a/w), byte(y*a/h), byte((255-x*255/w)*a/255)
		p[3] = byte(a)
	}
	return s
}

func TestAThumbHashLooksLikeItsPicture(t *testing.T) {
	for _, size := range [][2]int{{64, 64}, {120, 30}, {30, 120}, {7, 5}} {
		w, h := size[0], size[1]
		d := decodeHash(hash(slope(w, h, false)))
		for i := range w * h {
			x, y := i%w, i/w
			r, g, b, a := d.at(x, y, w, h)
			off := max(math.Abs(r-float64(x)/float64(w)), math.Abs(g-float64(y)/float64(h)),
				math.Abs(b-1+float64(x)/float64(w)), math.Abs(a-1))
			if off > 0.25 {
				t.Fatalf("%v: off by %.2f at %d, %d", size, off, x, y)
			}
		}
	}
}

func TestAThumbHashKnowsWhatIsTransparent(t *testing.T) {
	d := decodeHash(hash(slope(60, 40, true)))
	if _, _, _, left := d.at(5, 20, 60, 40); !d.alpha || left < 0.8 {
		t.Errorf("alpha %.2f at the left", left)
	}
	if _, _, _, right := d.at(55, 20, 60, 40); right > 0.2 {
		t.Errorf("alpha %.2f at the right", right)
	}
}

func TestAnEvenPictureHasAnEvenHash(t *testing.T) {
	s := small{w: 8, h: 8, planes: [][]byte{make([]byte, 64)}}
	for i := range s.planes[0] {
		s.planes[0][i] = 255
	}
	// worked out by hand: lightness 63, both differences at their middle, no waves
	if got := hex.EncodeToString(hash(s)[:5]); got != "3f0802"+"0700" {
		t.Errorf("got %s", got)
	}
}
