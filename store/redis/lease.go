// lease.go lets one at a time work for a key, among all processes.

package redis

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/larder-go/larder/store"
	"github.com/redis/rueidis"
)

// takeScript takes a lease that is free. KEYS: the lease, the last token. ARGV: the holder, the
// lease's life and the token's, in milliseconds. It returns the token, or nothing where somebody
// holds the lease. A lease without an end was put there by nobody of ours.
//
// The token is the server's time in microseconds, and at least one more than the last, which is
// remembered for an hour: it grows also where two leases fall into one microsecond, where the
// server's clock is set back by less than an hour, or where a replica takes over whose clock is
// late. A plain counter would have to be kept for ever for each key that was ever leased.
const takeScript = `
if redis.call('PTTL', KEYS[1]) >= 0 then return false end
local t = redis.call('TIME')
local token = t[1] * 1000000 + t[2]
local last = redis.pcall('GET', KEYS[2])
last = type(last) == 'string' and #last < 17 and tonumber(last) or 0
if token <= last then token = last + 1 end
token = string.format('%.0f', token)
redis.call('SET', KEYS[2], token, 'PX', ARGV[3])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return token`

// commitScript makes the staged item ready to be renamed, if the holder still holds the lease, and
// ends the lease. KEYS: the lease, the stage, what is renamed. ARGV: the holder.
//
// It does not write the item itself: a server tells a tracked connection of what a script of it has
// written, but not of what it has renamed itself.
const commitScript = `
if redis.pcall('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
  redis.call('RENAME', KEYS[2], KEYS[3])
  return 1
end
redis.call('DEL', KEYS[2])
return 0`

// releaseScript ends a lease that the holder still has. KEYS: the lease. ARGV: the holder.
const releaseScript = `
if redis.pcall('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`

// renewScript lets a lease that the holder still has begin anew. KEYS: the lease. ARGV: the holder,
// the lease's life in milliseconds.
const renewScript = `
if redis.pcall('GET', KEYS[1]) == ARGV[1] then
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0`

// tokenLife is how long the last token of a key is remembered.
const tokenLife = time.Hour

// lease implements [store.Lease].
type lease struct {
	s      *Store
	key    string
	holder string
	token  uint64
	asked  time.Time // when the lease was asked for: what the work builds on is not older

	mu    sync.Mutex // guards the fields below
	renew *time.Timer
	until time.Time // until then the server keeps it for us, if clocks run alike; zero: it was lost
	ended bool
}

// TryLease implements [store.Leaser]. A lease that its holder neither ends nor renews, because it
// died or cannot reach the server, is free after Options.LeaseTime. Who sets or deletes the item of
// the key ends its lease.
func (s *Store) TryLease(ctx context.Context, key string) (store.Lease, error) {
	l, err := s.take(ctx, key)
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (s *Store) take(ctx context.Context, key string) (*lease, error) {
	c, err := s.beginKey(ctx, key)
	if err != nil {
		return nil, err
	}
	defer c.end()
	l := &lease{s: s, key: key, holder: rand.Text(), asked: time.Now()}
	text, err := c.eval(takeScript, []string{s.keys.lease(key), s.keys.token(key)},
		l.holder, decimal(milliseconds(s.o.LeaseTime)), decimal(milliseconds(tokenLife))).ToString()
	if rueidis.IsRedisNil(err) {
		return nil, fmt.Errorf("redis: %w: %.60q", store.ErrLeased, key)
	}
	if err != nil {
		if _, answered := rueidis.IsRedisErr(err); !answered {
			go l.release() // it may have been taken all the same
		}
		return nil, c.fail("lease", err)
	}
	if l.token, err = strconv.ParseUint(text, 10, 64); err != nil {
		return nil, c.fail("lease", err)
	}
	s.count.leases.Add(1)
	l.schedule(l.asked)
	return l, nil
}

// eval runs a script. Its text goes along each time: it is short, and a server that has forgotten
// it would otherwise fail a transaction in the middle.
func (c *call) eval(script string, keys []string, args ...string) rueidis.RedisResult {
	return c.do(c.evalCommand(script, keys, args...))
}

func (c *call) evalCommand(script string, keys []string, args ...string) rueidis.Completed {
	return c.client.B().Eval().Script(script).Numkeys(int64(len(keys))).
		Key(keys...).Arg(args...).Build()
}

// Token implements [store.Lease].
func (l *lease) Token() uint64 { return l.token }

// Set implements [store.Lease]. It takes one round trip, and one more where the item has tags.
// Where the server could not be reached it is not known whether the item was set.
func (l *lease) Set(ctx context.Context, item store.Item) error {
	defer l.end()
	c, err := l.s.begin(ctx)
	if err != nil {
		return err
	}
	defer c.end()
	w, err := c.write(l.key, item, l.asked)
	if err != nil {
		return err
	}
	if w.gone && w.value != "" { // a tag of it was deleted
		l.release()
		return l.void()
	}
	held, err := c.commit(l, w)
	switch {
	case err != nil:
		return c.fail("set by a lease", err)
	case !held:
		return l.void()
	}
	l.s.count.sets.Add(1)
	l.s.waits.wake(l.key)
	return nil
}

func (l *lease) void() error {
	l.s.count.voids.Add(1)
	return fmt.Errorf("redis: %w: %.60q", store.ErrVoid, l.key)
}

// commit sets the item in one transaction, if the lease is still held.
func (c *call) commit(l *lease, w written) (held bool, err error) {
	if w.gone { // it has expired: there is nothing to set
		return c.commitNothing(l)
	}
	k := c.s.keys
	value, stage, ready := k.value(l.key), k.stage(l.key), k.name(kindReady, l.key)
	commands := []rueidis.Completed{
		c.setCommand(stage, w),
		c.evalCommand(commitScript, []string{k.lease(l.key), stage, ready}, l.holder),
		c.client.B().Rename().Key(ready).Newkey(value).Build(),
	}
	if c.client.publish {
		commands = append(commands, c.tell(kindValue, l.key))
	}
	results := c.transactRaw(commands)
	if err := firstError(results); err != nil {
		return false, err
	}
	answers, err := results[len(results)-1].ToArray()
	if err != nil || len(answers) < 3 {
		return false, err
	}
	for _, a := range answers[:2] {
		if err := a.Error(); err != nil {
			return false, err
		}
	}
	if n, _ := answers[1].AsInt64(); n != 1 {
		return false, nil
	}
	return true, answers[2].Error()
}

// commitNothing ends the lease and, if it was held, deletes the item.
func (c *call) commitNothing(l *lease) (held bool, err error) {
	n, err := c.eval(releaseScript, []string{c.s.keys.lease(l.key)}, l.holder).AsInt64()
	if err != nil || n != 1 {
		return false, err
	}
	return true, c.delete(l.key)
}

// Release implements [store.Lease]. Where the server cannot be reached the lease ends by itself.
func (l *lease) Release() {
	if l.end() {
		l.release()
	}
}

// end stops the renewing and reports whether it is the first to do so.
func (l *lease) end() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return false
	}
	l.ended = true
	if l.renew != nil {
		l.renew.Stop()
	}
	return true
}

// release lets others have the lease, unless somebody has it already.
func (l *lease) release() {
	c, err := l.s.begin(l.s.ctx)
	if err != nil {
		return
	}
	defer c.end()
	release := c.evalCommand(releaseScript, []string{l.s.keys.lease(l.key)}, l.holder)
	if c.client.publish {
		err = c.transact(release, c.tell(kindLease, l.key))
	} else {
		err = c.do(release).Error()
	}
	if c.fail("release", err) == nil {
		l.s.waits.wake(l.key)
	}
}

// schedule renews the lease after a third of its time. It began when the server was asked for it.
func (l *lease) schedule(asked time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = asked.Add(l.s.o.LeaseTime)
	l.scheduleLocked()
}

func (l *lease) scheduleLocked() {
	if !l.ended {
		l.renew = time.AfterFunc(l.s.o.LeaseTime/3, l.renewNow)
	}
}

// safeUntil returns until when the lease is surely ours if clocks differ by a part of its time.
func (l *lease) safeUntil(drift float64) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return time.Time{}
	}
	return l.until.Add(-time.Duration(drift*float64(l.s.o.LeaseTime)) - 2*time.Millisecond)
}

// renewNow runs on a goroutine of its own. A lease that was lost is not renewed any more; Set finds
// out by itself.
func (l *lease) renewNow() {
	asked := time.Now()
	n, err := l.askToRenew()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.s.ctx.Err() != nil:
	case err != nil: // perhaps the next time
		l.scheduleLocked()
	case n == 1:
		l.until = asked.Add(l.s.o.LeaseTime)
		l.scheduleLocked()
	default:
		l.until = time.Time{}
	}
}

func (l *lease) askToRenew() (int64, error) {
	c, err := l.s.begin(l.s.ctx)
	if err != nil {
		return 0, err
	}
	defer c.end()
	n, err := c.eval(renewScript, []string{l.s.keys.lease(l.key)},
		l.holder, decimal(milliseconds(l.s.o.LeaseTime))).AsInt64()
	return n, c.fail("renew a lease", err)
}
