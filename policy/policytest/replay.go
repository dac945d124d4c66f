// replay.go plays a text in which each line says what must happen.

package policytest

import (
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-go/larder/policy"
)

// Replay plays a script and returns it with what happened in place of what it says: a script that
// comes back as it was is right. The lines are
//
//	policy 2Q        which one, by its name; first
//	max 4            second
//	a miss           asked for and brought in without a victim
//	a hit            asked for and there
//	b*3 victim a     brought in with a weight of 3; a leaves for it, and whoever else is named
//	remove a         leaves for another reason
//	weigh b 2        weighs 2 from now on
//	resize 2 victim  the new maximum, and who leaves for it, if anybody
//	ranked b a       who is there, the one most worth having first
//
// From # on a line is a comment. A key is any word but these of the last four lines.
func Replay(script string) (played string, err error) {
	var p *player
	lines := strings.SplitAfter(script, "\n")
	for i, line := range lines {
		text, _, _ := strings.Cut(line, "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		if p == nil {
			p = &player{keys: map[string]uint32{}}
		}
		said, happened, err := p.play(words)
		if err != nil {
			return "", fmt.Errorf("line %d: %w", i+1, err)
		}
		if want := strings.Join(words[said:], " "); want != happened {
			lines[i] = strings.Join(append(words[:said:said], happened), " ") + "\n"
		}
	}
	return strings.Join(lines, ""), nil
}

// player plays one script.
type player struct {
	*cache
	new   policy.New
	keys  map[string]uint32 // the number of each
	names []string
}

// play does what the words say; what is expected begins at words[said].
func (p *player) play(words []string) (said int, happened string, err error) {
	if p.cache == nil {
		return len(words), "", p.start(words)
	}
	switch words[0] {
	case "remove", "weigh", "resize":
		return p.command(words)
	case "ranked":
		happened, err = p.ranked()
		return 1, happened, err
	}
	name, star, weighed := strings.Cut(words[0], "*")
	weight := uint64(1)
	if weighed {
		if weight, err = strconv.ParseUint(star, 10, 32); err != nil || weight == 0 {
			return 0, "", fmt.Errorf("weight %q", star)
		}
	}
	if weight > p.max {
		return 0, "", fmt.Errorf("weight %d is above the maximum", weight)
	}
	happened, err = p.access(p.number(name), uint32(weight))
	return 1, happened, err
}

// start takes the first two lines.
func (p *player) start(words []string) error {
	switch {
	case p.new == nil && words[0] == "policy" && len(words) == 2:
		named, ok := policy.ByName(words[1])
		if !ok {
			return fmt.Errorf("no policy %q", words[1])
		}
		p.new = named.New
		return nil
	case p.new != nil && words[0] == "max" && len(words) == 2:
		max, err := strconv.ParseUint(words[1], 10, 32)
		if err != nil || max == 0 {
			return fmt.Errorf("max %q", words[1])
		}
		p.cache = newCache(p.new(max), max)
		return nil
	}
	return fmt.Errorf("%q: a script begins with policy NAME, then max N", strings.Join(words, " "))
}

// command does what is not an access.
func (p *player) command(words []string) (said int, happened string, err error) {
	if len(words) < 2 || words[0] == "weigh" && len(words) < 3 {
		return 0, "", fmt.Errorf("%s what?", words[0])
	}
	if words[0] == "resize" {
		max, err := strconv.ParseUint(words[1], 10, 32)
		if err != nil || max == 0 {
			return 0, "", fmt.Errorf("resize %q", words[1])
		}
		happened, err = p.leaving("", func() error { return p.resize(max) })
		return 2, happened, err
	}
	slot, ok := p.slots[p.number(words[1])]
	if !ok {
		return 0, "", fmt.Errorf("%q is not there", words[1])
	}
	if words[0] == "remove" {
		p.remove(slot)
		return 2, "", nil
	}
	weight, err := strconv.ParseUint(words[2], 10, 32)
	if err != nil || weight == 0 {
		return 0, "", fmt.Errorf("weight %q", words[2])
	}
	p.weigh(slot, uint32(weight))
	happened, err = p.leaving("", func() error { return p.fit(0) })
	return 3, happened, err
}

// ranked says in which order the entries are ranked.
func (p *player) ranked() (happened string, err error) {
	r, ok := p.policy.(policy.Ranker)
	if !ok {
		return "", errors.New("the policy ranks nothing")
	}
	var names []string
	for slot := range r.Ranked {
		names = append(names, p.name(p.entries[slot].key))
	}
	return strings.Join(names, " "), nil
}

// number gives each key a number whose hash nobody else has.
func (p *player) number(name string) uint32 {
	if n, ok := p.keys[name]; ok {
		return n
	}
	h := fnv.New32a()
	h.Write([]byte(name))
	n := h.Sum32() &^ 15
	for slices.Contains(p.numbers(), n) {
		n += 16
	}
	p.keys[name] = n
	p.names = append(p.names, name)
	return n
}

func (p *player) numbers() (all []uint32) {
	for _, name := range p.names {
		all = append(all, p.keys[name])
	}
	return all
}

// access asks for a key, and brings it in on a miss.
func (p *player) access(key, weight uint32) (happened string, err error) {
	if slot, ok := p.slots[key]; ok {
		p.policy.Touch(slot, p.entries[slot].hash)
		return "hit", nil
	}
	return p.leaving("miss", func() error { return p.miss(key, weight) })
}

// leaving does something and says who left, or that nobody did.
func (p *player) leaving(nobody string, do func() error) (happened string, err error) {
	before := make(map[uint32]uint32, len(p.entries))
	for slot, e := range p.entries {
		before[slot] = e.key
	}
	from := len(p.victims)
	err = do()
	if len(p.victims) == from {
		return nobody, err
	}
	happened = "victim"
	for _, slot := range p.victims[from:] {
		happened += " " + p.name(before[slot])
	}
	return happened, err
}

func (p *player) name(key uint32) string {
	for _, name := range p.names {
		if p.keys[name] == key {
			return name
		}
	}
	return "?"
}
