// alarm.go takes out what has expired, with nobody asking.

package larder

import "time"

// alarm wakes up when the next bucket of the wheel is due. There is no goroutine in between: the
// runtime's timer starts one when its time has come.
type alarm struct {
	wheel wheel
	timer *time.Timer
	due   int64 // when the timer fires; never if it does not
}

// atOnce is how many entries expire before others may enter the room.
const atOnce = 512

// schedule makes sure that an entry leaves after its time. The room must be held.
func (e *engine[K, V]) schedule(slot uint32, t times) {
	due := t.due(e.clock.last.Load())
	if due == never {
		return
	}
	a := &e.alarm
	if a.wheel.links == nil {
		a.wheel.at = uint64(e.clock.last.Load() / a.wheel.tick)
	}
	a.wheel.reach(slot, e.max)
	a.wheel.add(slot, due)
	e.arm()
}

func (e *engine[K, V]) unschedule(slot uint32) { e.alarm.wheel.remove(slot) }

// arm sets the timer for the next bucket, one tick early: the clock is read before any deadline
// comes, so that hits can do without (clock.go). The room must be held.
func (e *engine[K, V]) arm() {
	a := &e.alarm
	_, _, tick, ok := a.wheel.next()
	due := (int64(tick) - 1) * a.wheel.tick
	if !ok || a.timer != nil && due >= a.due {
		return
	}
	a.due = due
	delay := time.Duration(max(due-e.clock.last.Load(), 0))
	if a.timer == nil {
		a.timer = time.AfterFunc(delay, e.expire)
		return
	}
	a.timer.Reset(delay)
}

// expire takes out what is due, and sets the timer again.
func (e *engine[K, V]) expire() {
	for more := true; more; {
		e.enter()
		more = e.expireSome()
		e.leave()
	}
}

// expireSome takes out what is due, atOnce at most; more tells that this was not all. The room must
// be held.
func (e *engine[K, V]) expireSome() (more bool) {
	if e.closed {
		return false
	}
	now := e.clock.now()
	w := &e.alarm.wheel
	for range atOnce {
		slot, ok := w.pop(uint64(now/w.tick) + 1)
		if !ok {
			e.alarm.due = never
			e.arm()
			return false
		}
		slots := e.slots.Load()
		if t, _ := slots.timesOf(slots.at(slot)); t.leaves > now {
			w.add(slot, t.due(now))
			continue
		}
		e.policy.Remove(slot)
		e.depart(slot, Expired)
	}
	return true
}
