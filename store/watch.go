// watch.go tells what others have changed.

package store

// Watcher tells what others change in a store, so that memory in front of it can forget it.
type Watcher interface {
	// Watch calls hear for each event from now on, one at a time and in their order, until stop is
	// called. It returns at once; the first event is Linked, when the link stands. hear must be
	// quick and must not call the store. stop waits for a hear that is running, so it must not be
	// called by hear; it may be called twice. Closing the store stops all.
	Watch(hear func(Event)) (stop func())
}

// Event is something that happened to a store.
type Event struct {
	Kind EventKind
	Key  string // of Changed
	Tag  string // of TagDeleted
}

// EventKind says what happened.
type EventKind uint8

// The kinds of events. What the listener itself did may be among them or not.
const (
	// Linked says that from now on changes are heard of; what happened before may not have been.
	Linked EventKind = iota + 1
	// Lost says that changes may go unheard until Linked comes.
	Lost
	// Changed says that the item of Key was set, deleted or has expired.
	Changed
	// TagDeleted says that all items of Tag were deleted.
	TagDeleted
	// Cleared says that any item may have changed.
	Cleared
)

// String returns the kind in a word.
func (k EventKind) String() string {
	names := [...]string{"none", "linked", "lost", "changed", "tag deleted", "cleared"}
	return names[min(int(k), len(names)-1)]
}

// Watch calls hear for what others change in s. Where s is no [Watcher], hear is told Linked before
// Watch returns, and nothing after that: nobody will know what others change.
func Watch(s Store, hear func(Event)) (stop func()) {
	if w, ok := s.(Watcher); ok {
		return w.Watch(hear)
	}
	hear(Event{Kind: Linked})
	return func() {}
}
