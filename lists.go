// lists.go finds entries by something else than their key: by tag, by their name in the store.

package larder

// enlist notes under which tags and which name an entry is found. The room must be held.
func (e *engine[K, V]) enlist(slot uint32, l *life) {
	if l == nil {
		return
	}
	for _, tag := range l.tags {
		if e.tagged == nil {
			e.tagged = map[string]map[uint32]struct{}{}
		}
		if e.tagged[tag] == nil {
			e.tagged[tag] = map[uint32]struct{}{}
		}
		e.tagged[tag][slot] = struct{}{}
	}
	if l.name != "" {
		if e.named == nil {
			e.named = map[string]uint32{}
		}
		e.named[l.name] = slot
	}
}

// delist takes back what enlist has noted. The room must be held.
func (e *engine[K, V]) delist(slot uint32, l *life) {
	if l == nil {
		return
	}
	for _, tag := range l.tags {
		delete(e.tagged[tag], slot)
		if len(e.tagged[tag]) == 0 {
			delete(e.tagged, tag)
		}
	}
	if l.name != "" {
		delete(e.named, l.name)
	}
}

// deleteTag takes out all entries of a tag, and returns how many they were.
func (e *engine[K, V]) deleteTag(tag string) int {
	e.enter()
	defer e.leave()
	n := len(e.tagged[tag])
	for slot := range e.tagged[tag] {
		e.policy.Remove(slot)
		e.depart(slot, Deleted)
	}
	return n
}

// deleteNamed takes out the entry that the store knows by name.
func (e *engine[K, V]) deleteNamed(name string) {
	e.enter()
	defer e.leave()
	if slot, ok := e.named[name]; ok {
		e.policy.Remove(slot)
		e.depart(slot, Deleted)
	}
}

// deleteWhere takes out all entries that match, some at a time, so that others may enter the room
// in between. match is called without it.
func (e *engine[K, V]) deleteWhere(match func(K) bool) {
	for i := range e.shards {
		for _, entry := range e.copyShard(&e.shards[i]) {
			if match(entry.key) {
				e.delete(entry.key)
			}
		}
	}
}

// distrust lets no entry be served as it is any more: only where the origin fails.
func (e *engine[K, V]) distrust() {
	e.enter()
	defer e.leave()
	slots := e.slots.Load()
	if e.rules.onError == 0 || !slots.rich {
		e.clear()
		return
	}
	for i := range e.shards {
		s := &e.shards[i]
		s.lock()
		s.each(func(slot uint32) {
			at := slots.at(slot)
			if l := slots.lifeOf(at).Load(); l != nil {
				l.distrusted.Store(true)
			}
			setInt64(slots.look(at), always)
		})
		s.unlock()
	}
}
