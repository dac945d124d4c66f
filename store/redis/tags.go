// tags.go lets all items of a tag be gone at once, also those whose load is still under way.

package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/larder-go/larder/store"
	"github.com/redis/rueidis"
)

// A mark stands for each tag in use: 8 random bytes, its generation, then the server's time in
// microseconds at which it was last deleted, in decimal. Who makes a mark writes there a second
// before its own load began, so that loads that began about then may join it.
//
// An item carries the generation of each of its tags, as it was when the item was set. It is alive
// while all of them are still the same: no clock has a say in that.
//
// A clock has a say only where an item comes after its tag was deleted: it may be set if its load
// began after that. See clocks.go.
//
// A mark that was lost (evicted) comes back with another generation, so older items stay dead. A
// mark lives at least as long as every item with it, and a day.
const (
	generationSize = 8
	markLife       = 24 * time.Hour
)

// markScript reads the mark of a tag, or makes it. KEYS: the mark. ARGV: the age of the load in
// microseconds, a new generation, how many milliseconds the mark is to live where it must be given
// more time (0: for ever), how many it needs. It returns the mark and the server's time.
const markScript = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local mark = redis.pcall('GET', KEYS[1])
if type(mark) ~= 'string' or #mark > 25 or not string.match(mark, '^........%d+$') then
  mark = nil
end
local life = tonumber(ARGV[3])
if not mark then
  local began = math.max(0, now - tonumber(ARGV[1]) - 1000000)
  mark = ARGV[2] .. string.format('%.0f', began)
  redis.call('SET', KEYS[1], mark)
  if life > 0 then redis.call('PEXPIRE', KEYS[1], life) end
else
  local left = redis.call('PTTL', KEYS[1])
  if left >= 0 and life == 0 then redis.call('PERSIST', KEYS[1])
  elseif left >= 0 and left < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[1], life) end
end
return {mark, string.format('%.0f', now)}`

// deleteScript begins a new generation of a tag. KEYS: the mark, the sign. ARGV: the generation,
// the mark's life in milliseconds. It returns the server's time.
//
// The sign comes and goes: whose connections are tracked hears of it, and not of marks that are
// made or live longer. What was there before is dead, so nothing needs the old mark's life; but a
// clock that was set back must not open what was closed.
const deleteScript = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local mark = redis.pcall('GET', KEYS[1])
local old = type(mark) == 'string' and #mark <= 25 and tonumber(string.sub(mark, 9)) or 0
local life = math.max(tonumber(ARGV[2]), redis.call('PTTL', KEYS[1]))
redis.call('SET', KEYS[1], ARGV[1] .. string.format('%.0f', math.max(now, old)), 'PX', life)
redis.call('SET', KEYS[2], '')
redis.call('DEL', KEYS[2])
return string.format('%.0f', now)`

// mark is a mark as it was read.
type mark struct {
	generation string
	deleted    int64 // microseconds of the server's clock
}

func parseMark(raw string) (mark, bool) {
	if len(raw) <= generationSize {
		return mark{}, false
	}
	n, err := strconv.ParseInt(raw[generationSize:], 10, 64)
	return mark{raw[:generationSize], n}, err == nil
}

// newGeneration returns bytes that no generation has had.
func newGeneration() string {
	b := make([]byte, generationSize)
	rand.Read(b) // never fails
	return string(b)
}

// markTags returns the tags with their generations behind them, or nil if one of them was deleted
// since the load began. life is how long the item will live; 0: for ever.
func (c *call) markTags(tags []string, began time.Time, life time.Duration) ([]string, error) {
	fresh := newGeneration()
	distinct := slices.Compact(slices.Sorted(slices.Values(tags)))
	answers, err := c.scripts(markScript, c.markCalls(distinct, fresh, began, life))
	if err != nil {
		return nil, err
	}
	received := time.Now()
	generations := make(map[string]string, len(distinct))
	for i, answer := range answers {
		m, now, err := parseMarkAnswer(answer)
		if err != nil {
			return nil, err
		}
		clock := c.clockOf(distinct[i])
		c.s.clocks.observe(clock, now, received)
		if m.generation != fresh && c.s.clocks.at(clock, began, received) < m.deleted {
			return nil, nil
		}
		generations[distinct[i]] = m.generation
	}
	marked := make([]string, len(tags))
	for i, tag := range tags {
		marked[i] = tag + generations[tag]
	}
	return marked, nil
}

// markCalls are those of markScript. A mark that lives too short for the item gets twice the time
// it needs, so that this is seldom.
func (c *call) markCalls(
	tags []string, fresh string, began time.Time, life time.Duration,
) []scriptCall {
	var need, lasts int64
	if life > 0 {
		need = milliseconds(life + time.Minute)
		lasts = max(2*need, milliseconds(markLife))
	}
	age := max(0, time.Since(began)).Microseconds()
	calls := make([]scriptCall, len(tags))
	for i, tag := range tags {
		args := []string{decimal(age), fresh, decimal(lasts), decimal(need)}
		calls[i] = scriptCall{c.s.keys.mark(tag), args}
	}
	return calls
}

func parseMarkAnswer(answer rueidis.RedisMessage) (m mark, now int64, err error) {
	fields, err := answer.AsStrSlice()
	if err != nil {
		return m, 0, err
	}
	if len(fields) != 2 {
		return m, 0, fmt.Errorf("redis: a mark came with %d fields", len(fields))
	}
	m, ok := parseMark(fields[0])
	now, err = strconv.ParseInt(fields[1], 10, 64)
	if !ok || err != nil {
		return m, 0, fmt.Errorf("redis: %.40q is no mark", fields[0])
	}
	return m, now, nil
}

// clockOf names the clock that stamps a tag: each server of a Cluster has its own.
func (c *call) clockOf(tag string) string {
	if c.client.cluster {
		return tag
	}
	return ""
}

// splitTags takes the generations off the tags of an item that was read.
func splitTags(marked []string) (tags, generations []string, err error) {
	if len(marked) == 0 {
		return nil, nil, nil
	}
	tags, generations = make([]string, len(marked)), make([]string, len(marked))
	for i, m := range marked {
		n := len(m) - generationSize
		if n < 0 {
			return nil, nil, fmt.Errorf("%w: %w: a tag without generation",
				store.ErrNotFound, store.ErrDamaged)
		}
		tags[i], generations[i] = m[:n], m[n:]
	}
	return tags, generations, nil
}

// alive reports of each item whether none of its tags was deleted. On an error, those with tags are
// not alive.
func (c *call) alive(items ...found) ([]bool, error) {
	var tags []string
	for _, f := range items {
		tags = append(tags, f.item.Tags...)
	}
	generations := map[string]string{}
	var err error
	if len(tags) > 0 {
		slices.Sort(tags)
		generations, err = c.generations(slices.Compact(tags))
	}
	alive := make([]bool, len(items))
	for i, f := range items {
		alive[i] = true
		for j, tag := range f.item.Tags {
			alive[i] = alive[i] && generations[tag] == f.generations[j]
		}
	}
	return alive, err
}

// generations returns those of the tags that have one.
func (c *call) generations(tags []string) (map[string]string, error) {
	all := make(map[string]string, len(tags))
	for len(tags) > 0 {
		n := min(len(tags), batch)
		names := make([]string, n)
		for i, tag := range tags[:n] {
			names[i] = c.s.keys.mark(tag)
		}
		raws, err := c.rawMany(names)
		if err != nil {
			return all, c.fail("read the marks of tags", err)
		}
		for i, raw := range raws {
			if raw.err != nil && !errors.Is(raw.err, store.ErrNotFound) {
				return all, c.fail("read the marks of tags", raw.err)
			}
			if m, ok := parseMark(string(raw.bytes)); ok {
				all[tags[i]] = m.generation
			}
		}
		tags = tags[n:]
	}
	return all, nil
}

// DeleteTag implements [store.TagDeleter]. It takes one round trip, however many items there are:
// they stay in the server, unseen, until they expire or are evicted. Items that are set later are
// gone too if their load (Item.Created) began before.
func (s *Store) DeleteTag(ctx context.Context, tag string) error {
	c, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer c.end()
	now, err := c.eval(deleteScript, []string{s.keys.mark(tag), s.keys.sign(tag)},
		newGeneration(), decimal(milliseconds(markLife))).AsInt64()
	if err != nil {
		return c.fail("delete a tag", err)
	}
	s.clocks.observe(c.clockOf(tag), now, time.Now())
	if c.client.publish {
		if err := c.do(c.tell(kindSign, tag)).Error(); err != nil {
			return c.fail("tell that a tag was deleted", err)
		}
	}
	s.count.deletes.Add(1)
	return nil
}

// scriptCall is one key and the arguments of a script.
type scriptCall struct {
	key  string
	args []string
}

// scripts runs a script for each call, all in one round trip.
func (c *call) scripts(script string, calls []scriptCall) ([]rueidis.RedisMessage, error) {
	commands := make([]rueidis.Completed, len(calls))
	for i, call := range calls {
		commands[i] = c.client.B().Eval().Script(script).Numkeys(1).
			Key(call.key).Arg(call.args...).Build()
	}
	results := c.doMulti(commands...)
	answers := make([]rueidis.RedisMessage, len(results))
	for i, r := range results {
		var err error
		if answers[i], err = r.ToMessage(); err != nil {
			return nil, err
		}
	}
	return answers, nil
}
