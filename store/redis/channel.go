// channel.go lets every write tell of itself on a channel, for servers that cannot track.

package redis

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// A message is the id of the writer, a kind, and a key or a tag: any bytes.
const idLength = 16

// tell makes the command that tells others that something happened.
func (c *call) tell(kind byte, key string) rueidis.Completed {
	return c.client.B().Publish().Channel(c.s.keys.events()).
		Message(c.s.id + string([]byte{kind}) + key).Build()
}

// hearMessage takes in a message. Our own are not told.
func (l *link) hearMessage(m string) {
	if len(m) <= idLength || m[:idLength] == l.s.id {
		return
	}
	l.heard(m[idLength], m[idLength+1:])
}

// channel is one subscription.
type channel struct {
	l      *link
	heard  atomic.Int64 // Unix nanoseconds at which something last came
	closed chan error   // why the subscription ended
}

// subscribe has the link by a subscription, until it breaks. It has a connection of its own, and
// sends itself a message each half Heartbeat: so the whole way is tried, through a Cluster too.
func (l *link) subscribe() error {
	w := &wires{}
	ch := &channel{l: l, closed: make(chan error, 1)}
	w.onLoss = func(*wires) { l.lose(ch) }
	raw, err := rueidis.NewClient(l.s.clientOption(w))
	if err != nil {
		w.close()
		return err
	}
	cl := &client{Client: raw, wires: w}
	ctx, cancel := context.WithCancel(l.s.ctx)
	own := l.s.keys.heard(l.s.id)
	ended := make(chan struct{})
	heed := rueidis.WithOnSubscriptionHook(ctx, func(sub rueidis.PubSubSubscription) {
		if sub.Kind == "subscribe" && sub.Channel == own { // it comes after that of the events
			l.raise(ch)
		}
	})
	go func() {
		defer close(ended)
		ch.closed <- cl.Receive(heed, cl.B().Subscribe().Channel(l.s.keys.events(), own).Build(),
			func(m rueidis.PubSubMessage) { ch.take(m, own) })
	}()
	err = ch.beat(own)
	l.lose(ch)
	cancel()
	cl.close()
	<-ended
	return err
}

func (ch *channel) take(m rueidis.PubSubMessage, own string) {
	ch.heard.Store(time.Now().UnixNano())
	if m.Channel != own {
		ch.l.hearMessage(m.Message)
	}
}

// beat sends messages to ourselves until none comes back in time.
func (ch *channel) beat(own string) error {
	s := ch.l.s
	ch.heard.Store(time.Now().UnixNano())
	for {
		sent := time.Now()
		ctx, cancel := context.WithTimeout(s.ctx, s.o.Heartbeat)
		if cl, err := s.conn.get(ctx); err == nil {
			cl.Do(ctx, cl.B().Publish().Channel(own).Message("").Build())
		}
		cancel()
		select {
		case err := <-ch.closed:
			return err
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-time.After(time.Until(sent.Add(s.o.Heartbeat / 2))):
		}
		if time.Since(time.Unix(0, ch.heard.Load())) > s.o.Heartbeat {
			return errSilent
		}
	}
}
