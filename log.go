// log.go writes down what happens, for whoever debugs.

package larder

import (
	"context"
	"log/slog"
	"time"

	"github.com/larder-go/larder/internal/shadow"
)

// logs tells whether events are to be written now.
func (o *Options[K, V]) logs() bool {
	return o.Log != nil && o.Log.Enabled(context.Background(), slog.LevelDebug)
}

// log writes an event of a key. Whether anybody wants it was asked before.
func (o *Options[K, V]) log(event string, key K, rest ...slog.Attr) {
	attrs := append([]slog.Attr{
		slog.String("cache", o.Name), slog.Any("key", written[K]{key}),
	}, rest...)
	o.Log.LogAttrs(context.Background(), slog.LevelDebug, event, attrs...)
}

// written is a key that becomes text when somebody writes it.
type written[K any] struct{ key K }

// LogValue implements slog.LogValuer.
func (w written[K]) LogValue() slog.Value { return slog.StringValue(textOf(w.key)) }

// withLog returns options whose departures are logged. That makes Set slower, so it is only done if
// somebody wants to see them when the cache is made.
func (o Options[K, V]) withLog() Options[K, V] {
	if !o.logs() {
		return o
	}
	told := o.OnEvict
	o.OnEvict = func(key K, value V, cause Cause) {
		o.log("left", key, slog.String("cause", cause.String()))
		if told != nil {
			told(key, value, cause)
		}
	}
	return o
}

// logMiss writes a miss down.
func (e *engine[K, V]) logMiss(k K) {
	if !e.options.logs() {
		return
	}
	if e.observer == nil {
		e.options.log("miss", k)
		return
	}
	reason := e.reasonOf(&k, hash(&e.hasher, &k))
	e.options.log("miss", k, slog.String("reason", labelsOfReasons[reason]))
}

// logLoad writes a call of the origin down.
func (c *Cache[K, V]) logLoad(key K, took time.Duration, err error) {
	o := &c.engine.options
	if !o.logs() {
		return
	}
	rest := []slog.Attr{slog.Duration("took", took)}
	if err != nil {
		rest = append(rest, slog.Any("error", err))
	}
	o.log("load", key, rest...)
}

// reasonOf tells why a key is missed.
func (e *engine[K, V]) reasonOf(k *K, h uint32) shadow.Reason {
	if w, _, _ := e.find(k, h, nil); w != 0 { // it is there, and was of no use
		return shadow.Expired
	}
	return e.observer.Why(h)
}
