// action.go refreshes and deletes keys for those who may.

package dash

import (
	"context"
	"net/http"
	"time"

	"github.com/larder-go/larder/stats"
)

// longestForm bounds the body of a POST, in bytes.
const longestForm = 64 << 10

// act refreshes or deletes a key.
func (h *Handler) act(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, longestForm)
	if err := r.ParseForm(); err != nil {
		return refuse(http.StatusBadRequest, "the form cannot be read: "+err.Error())
	}
	if err := h.guard.checkAct(r); err != nil {
		return err
	}
	do, ok := actions[r.PostForm.Get("do")]
	if !ok {
		return refuse(http.StatusBadRequest, "do must be refresh or delete")
	}
	c, err := h.choose(r.PostForm)
	if err != nil {
		return err
	}
	outlast(w, longLoad)
	if err := h.actOn(r, c, do); err != nil {
		return err
	}
	h.details.drop(idOf(c.shot))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// action does something to a key.
type action func(i stats.Inspector, ctx context.Context, key string) error

// actions are those that there are, by the names that forms have for them.
var actions = map[string]action{
	"refresh": stats.Inspector.Refresh,
	"delete":  stats.Inspector.Delete,
}

// actOn does something to the key that a request names. A refresh may take as long as a person has
// patience.
func (h *Handler) actOn(r *http.Request, c chosen, do action) error {
	inspector, err := c.inspector()
	if err != nil {
		return err
	}
	key, err := h.names.asked(r.PostForm.Get("key"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), longLoad)
	defer cancel()
	if err := do(inspector, ctx, key); err != nil {
		return h.names.failure(err)
	}
	return nil
}

// outlast lets an answer take longer than the server allows in general. Where that cannot be
// changed, nothing is lost but this answer.
func outlast(w http.ResponseWriter, d time.Duration) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d + time.Minute))
}
