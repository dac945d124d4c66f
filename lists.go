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

// takeTag takes out all entries of a tag, and returns those to be told of.
func (e *engine[K, V]) takeTag(tag string) []departure[K, V] {
	e.enter()
	e.byTag += uint64(len(e.tagged[tag]))
	for slot := range e.tagged[tag] {
		e.policy.Remove(slot)
		e.depart(slot, Deleted)
	}
	return e.exit()
}

// takeNamed takes out the entry that the store knows by name.
func (e *engine[K, V]) takeNamed(name string) []departure[K, V] {
	e.enter()
	if slot, ok := e.named[name]; ok {
		e.policy.Remove(slot)
		e.depart(slot, Deleted)
	}
	return e.exit()
}

// takeWhere takes out all entries that match, one at a time, so that others may enter the room in
// between. match is called without it.
func (e *engine[K, V]) takeWhere(match func(K) bool) (gone []departure[K, V]) {
	for i := range e.shards {
		for _, entry := range e.copyShard(&e.shards[i]) {
			if match(entry.key) {
				some, _ := e.take(entry.key)
				gone = append(gone, some...)
			}
		}
	}
	return gone
}

// takeAll takes out all entries.
func (e *engine[K, V]) takeAll() []departure[K, V] {
	e.enter()
	e.clear()
	return e.exit()
}

// distrust lets no entry be served as it is any more: only where the origin fails. Where that is
// not allowed, all leave.
func (e *engine[K, V]) distrust() []departure[K, V] {
	if e.rules.onError == 0 || !e.slots.Load().rich {
		return e.takeAll()
	}
	e.enter()
	slots := e.slots.Load()
	for i := range e.shards {
		s := &e.shards[i]
		s.lock()
		s.each(func(slot uint32) {
			at := slots.at(slot)
			if l := slots.lifeOf(at).Load(); l != nil {
				l.distrusted.Store(true)
				l.next.Store(always)
			}
			setInt64(slots.look(at), always)
		})
		s.unlock()
	}
	return e.exit()
}
