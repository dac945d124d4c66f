// orient.go turns pictures the way their camera was held.

package thumb

// orientation is what EXIF says: 1 is upright; 2 to 4 are mirrored or upside down; 5 to 8 lie on
// their side. Anything else counts as 1.
type orientation int

const (
	unknown orientation = 0
	upright orientation = 1
)

func (o orientation) valid() bool { return o >= 1 && o <= 8 }
func (o orientation) lies() bool  { return o >= 5 && o <= 8 }

// size returns the size of a picture after it was turned.
func (o orientation) size(w, h int) (int, int) {
	if o.lies() {
		return h, w
	}
	return w, h
}

// apply returns the picture upright.
func (o orientation) apply(s small) small {
	if o == upright || !o.valid() {
		return s
	}
	channels := 1
	if s.rgba {
		channels = 4
	}
	out := small{rgba: s.rgba}
	out.w, out.h = o.size(s.w, s.h)
	for _, p := range s.planes {
		out.planes = append(out.planes, o.turn(p, s.w, s.h, channels))
	}
	return out
}

// turn returns a plane of w x h pixels upright.
func (o orientation) turn(p []byte, w, h, channels int) []byte {
	out := make([]byte, len(p))
	wide, high := o.size(w, h)
	for y := range high {
		for x := range wide {
			sx, sy := o.from(x, y, w, h)
			to, from := (y*wide+x)*channels, (sy*w+sx)*channels
			copy(out[to:to+channels], p[from:from+channels])
		}
	}
	return out
}

// from returns where in a picture of w x h the pixel is that belongs to x, y of the upright one.
func (o orientation) from(x, y, w, h int) (int, int) {
	right, bottom := w-1, h-1
	switch o {
	case 2:
		return right - x, y
	case 3:
		return right - x, bottom - y
	case 4:
		return x, bottom - y
	case 5:
		return y, x
	case 6:
		return y, bottom - x
	case 7:
		return right - y, bottom - x
	case 8:
		return right - y, x
	}
	return x, y
}
