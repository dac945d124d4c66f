// origin_internal_test.go shows loads to what learns from them.

package prefetch

import (
	"math"
	"testing"
	"time"
)

// observe lets an origin see loads at several widths of a share with that latency and transfer
// time.
func observe(latency, transfer time.Duration) *origin {
	o := &origin{}
	for i := range 40 {
		width := 1 + float64(i%3)
		weight := int64(900 + 100*(i%3))
		took := float64(latency) + float64(transfer)*width*float64(weight)/1000
		o.note(time.Duration(took), width, weight)
	}
	return o
}

func TestOriginTellsLatencyFromTransfer(t *testing.T) {
	for _, c := range []struct {
		latency, transfer time.Duration
		least, most       float64 // width
	}{
		{30 * time.Millisecond, 500 * time.Millisecond, 1, 1.6},
		{180 * time.Millisecond, 60 * time.Millisecond, 3, 5},
		{200 * time.Millisecond, 0, 8, math.Inf(1)},
		{0, 200 * time.Millisecond, 1, 1.5},
	} {
		o := observe(c.latency, c.transfer)
		if w := o.width(); w < c.least || w > c.most {
			t.Errorf("latency %v, transfer %v: width %.2f, want %v to %v",
				c.latency, c.transfer, w, c.least, c.most)
		}
		want := (c.latency + c.transfer).Seconds()
		if got := o.takes(0); math.Abs(got-want) > want/5 {
			t.Errorf("latency %v, transfer %v: a load takes %.3f s, want %.3f",
				c.latency, c.transfer, got, want)
		}
	}
}

func TestOriginKnowsNothingAtFirst(t *testing.T) {
	o := &origin{}
	if o.known() || o.width() != 1 || o.estimate() != 1 {
		t.Errorf("got %v, %v, %v, want false, 1, 1", o.known(), o.width(), o.estimate())
	}
}

func TestOriginFollowsChange(t *testing.T) {
	o := observe(200*time.Millisecond, 0)
	for range 40 {
		o.note(2*time.Second, 2, 1000)
		o.note(time.Second, 1, 1000)
	}
	if w := o.width(); w > 2 {
		t.Errorf("the wire has become slow, but the width is %.1f, want at most 2", w)
	}
}

func TestOriginSurvivesLoadsThatTakeNoTime(t *testing.T) {
	o := &origin{}
	for range 20 {
		o.note(0, 1, 1)
	}
	if w := o.width(); math.IsNaN(w) || w < 1 {
		t.Errorf("width %v", w)
	}
	if s := o.takes(patience); math.IsNaN(s) || s != 0 {
		t.Errorf("takes %v s, want 0", s)
	}
}

func TestPaceKeepsToQuickLooks(t *testing.T) {
	p, now := pace{}, time.Now()
	for i := range 40 {
		p.ask(now)
		now = now.Add(100 * time.Millisecond)
		if i%10 == 9 {
			now = now.Add(10 * time.Second) // a pause
		}
	}
	if p.think < 100*time.Millisecond || p.think > 150*time.Millisecond {
		t.Errorf("thinks for %v, want about 100ms", p.think)
	}
}

func TestPaceSkipsWhatCannotBeThereInARush(t *testing.T) {
	p, now := pace{}, time.Now()
	o := observe(300*time.Millisecond, 30*time.Millisecond)
	for range 5 {
		p.ask(now)
		p.giveUp()
		now = now.Add(33 * time.Millisecond)
	}
	if n := p.skip(o); n < 9 || n > 15 {
		t.Errorf("skips %d steps of 33ms while 330ms pass, want 9 to 15", n)
	}
	if p.serve(now); p.skip(o) != 0 {
		t.Errorf("still skips %d after somebody waited", p.skip(o))
	}
}
