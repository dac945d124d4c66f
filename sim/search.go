// search.go finds the size for a hit ratio where there is no curve, only one size after another.

package sim

import "math"

// Range is a size, and between which two it lies with a confidence of 95 %. A High of 0 says that
// no size is sure to be enough.
type Range struct{ Size, Low, High uint64 }

// precision is how near a size is found that is searched for.
const precision = 1.005

// FindSize finds the smallest size up to most, to within 0.5 %, where at returns a ratio of at
// least ratio; ok is false if none does. It takes it that a larger cache never hits less, which
// holds for LRU and nearly holds for the others. Where at is exact, Low and High are Size.
func FindSize(ratio float64, most uint64, at func(size uint64) (Estimate, error),
) (r Range, ok bool, err error) {
	known := map[uint64]Estimate{}
	bisect := func(within float64) (uint64, bool) {
		return search(most, func(size uint64) bool {
			e, found := known[size]
			if !found && err == nil {
				e, err = at(size)
				known[size] = e
			}
			return e.Ratio+within*e.Within >= ratio
		})
	}
	r.Size, ok = bisect(0)
	r.Low, _ = bisect(1)
	r.High, _ = bisect(-1)
	return r, ok && err == nil, err
}

// search returns the smallest size that is enough, 0 if most is not.
func search(most uint64, enough func(size uint64) bool) (size uint64, ok bool) {
	if most == 0 || !enough(most) {
		return 0, false
	}
	low, high := uint64(0), most // low is not enough, high is
	for high-low > 1 && float64(high) > float64(max(1, low))*precision {
		middle := uint64(math.Sqrt(float64(max(1, low)) * float64(high)))
		middle = min(max(middle, low+1), high-1)
		if enough(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high, true
}
