// ears.go listens to what the system tells of changes, folder by folder.

package gallery

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"github.com/fsnotify/fsnotify"
)

// ears listens to folders. One goroutine at a time may use it.
type ears struct {
	folder  *folder
	watcher *fsnotify.Watcher // nil if nobody tells of anything
	fresh   []string          // folders that came since somebody has looked around
	said    map[string]bool   // why folders cannot be listened to, as far as it was told
}

// newEars returns ears that hear of changes, if anybody tells of them where the top is.
func newEars(f *folder) *ears {
	e := &ears{folder: f, said: map[string]bool{}}
	if tellsNothing(f.path) {
		return e
	}
	var err error
	if e.watcher, err = fsnotify.NewBufferedWatcher(4096); err != nil {
		e.watcher = nil
		e.say(".", err)
	}
	return e
}

// close ends the listening.
func (e *ears) close() {
	if e.watcher != nil {
		_ = e.watcher.Close() // nothing is lost
	}
}

// events is where changes are told of.
func (e *ears) events() <-chan fsnotify.Event {
	if e.watcher == nil {
		return nil
	}
	return e.watcher.Events
}

// errors is where it is told what was missed.
func (e *ears) errors() <-chan error {
	if e.watcher == nil {
		return nil
	}
	return e.watcher.Errors
}

// place is the path of a folder as the system knows it.
func (e *ears) place(at string) string {
	return filepath.Join(e.folder.path, filepath.FromSlash(at))
}

// deaf tells whether nobody tells of changes in the folder at path. What is below a share is
// taken as part of it: asking would take a round trip for each folder.
func (e *ears) deaf(at string, above *dir) bool {
	return e.watcher == nil || above != nil && above.deaf || tellsNothing(e.place(at))
}

// listen begins to listen to the folder at path, and tells whether changes will be told of. There
// are folders where that fails: the system's table is full, or they cannot be read, or their path
// is too long. They are looked at instead, and listened to again when they are read again.
func (e *ears) listen(at string) bool {
	err := e.watcher.Add(e.place(at))
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // what has just gone is told of above it
		e.say(at, err)
	}
	return err == nil
}

// again listens once more to folders that came not long ago, and returns them: they are to be read
// again. A folder that was moved has two names for a moment, and its watch may end with the first.
func (e *ears) again() []string {
	fresh := e.fresh
	e.fresh = nil
	for _, at := range fresh {
		_ = e.watcher.Add(e.place(at)) // who was heard before is told of by the folder above
	}
	return fresh
}

// leave ends the listening to the folder at path.
func (e *ears) leave(at string) {
	if e.watcher != nil {
		_ = e.watcher.Remove(e.place(at)) // the system may have done so itself
	}
}

// say tells why folders are looked at instead, once for each reason.
func (e *ears) say(at string, err error) {
	if e.said[err.Error()] {
		return
	}
	e.said[err.Error()] = true
	e.folder.options.OnError(fmt.Errorf("gallery: watch %s: %w: looking every %v instead",
		path.Join(e.folder.path, at), err, e.folder.options.Poll))
}
