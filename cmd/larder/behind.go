// behind.go refreshes kept output in a process of its own, of which the caller notices nothing.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/larder-go/larder/store"
)

// startBehind starts larder again, with the same words, to refresh what is kept. It has nothing
// of the caller's open, so that no pipe waits for it and no terminal ends it. While another one
// runs, it starts none.
func (r *runner) startBehind(ctx context.Context) error {
	free, err := r.tryLease(ctx)
	if errors.Is(err, store.ErrLeased) {
		return nil
	}
	if err != nil {
		return err
	}
	free() // the new process takes it for itself
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := keepDescriptors(); err != nil {
		return err
	}
	behind := fmt.Sprintf("--behind=%d", r.called.UnixNano())
	cmd := exec.Command(self, append([]string{behind}, os.Args[1:]...)...)
	cmd.SysProcAttr = detached()
	if r.stdin != nil {
		cmd.Stdin = r.stdin
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}

func (r *runner) tryLease(ctx context.Context) (release func(), err error) {
	return released(store.TryLease(ctx, r.store, r.key))
}

// behind refreshes what is kept, unless another process does or has done so. If the command fails
// the old output stays, with a note of what went wrong.
func (r *runner) behind(ctx context.Context) error {
	r.stdout, r.stderr = io.Discard, io.Discard
	release, err := r.tryLease(ctx)
	if err != nil {
		return err
	}
	defer release()
	k, found := r.lookup(ctx)
	called := time.Unix(0, r.g.behind)
	if found && (k.item.Created.After(called) || k.failed.After(called)) {
		return nil
	}
	_, failure := r.load(ctx)
	if failure == nil {
		return nil
	}
	return r.note(ctx, failure)
}

// note keeps the failure of a refresh with the old output, if that is still there.
func (r *runner) note(ctx context.Context, failure error) error {
	k, found := r.lookup(ctx)
	if !found {
		return nil
	}
	k.failed, k.failure = time.Now(), oneLine(failure.Error())
	k.item.Value = k.record.encode()
	if !slices.Contains(k.item.Tags, failedTag) {
		k.item.Tags = append(k.item.Tags, failedTag)
	}
	return r.store.Set(ctx, r.key, k.item)
}
