// lease.go lets one process at a time work for a key.

package disk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/larder-go/larder/store"
)

// TryLease implements [store.Leaser] by the lock of a file, which the kernel takes from a process
// that dies. It does not outlive the process and it is not handed to child processes. It has no
// fencing token, and it does not see what others set or delete meanwhile: its Set never is void.
func (s *Store) TryLease(ctx context.Context, key string) (store.Lease, error) {
	if err := store.CheckKey(key); err != nil {
		return nil, err
	}
	c, err := s.enter(ctx, time.Now().UnixNano())
	if err != nil {
		return nil, err
	}
	readOnly := s.readOnly
	s.leave(c)
	if readOnly {
		return nil, fmt.Errorf("%w: %s", ErrReadOnly, s.dir)
	}
	sum := sha256.Sum256([]byte(key))
	release, err := leaseFile(s.path(leaseDir), hex.EncodeToString(sum[:16]))
	if err != nil {
		return nil, err
	}
	return &lease{s, key, release}, nil
}

// AwaitLease implements [store.Leaser].
func (s *Store) AwaitLease(ctx context.Context, key string) error {
	wait := time.Millisecond
	for {
		l, err := s.TryLease(ctx, key)
		if err == nil {
			l.Release()
			return nil
		}
		if !errors.Is(err, store.ErrLeased) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = min(wait*3/2, 20*time.Millisecond)
	}
}

// lease is the locked file of a key.
type lease struct {
	store   *Store
	key     string
	release func()
}

func (l *lease) Token() uint64 { return 0 }

func (l *lease) Set(ctx context.Context, item store.Item) error {
	defer l.release()
	return l.store.Set(ctx, l.key, item)
}

func (l *lease) Release() { l.release() }

// leaseFile locks the file of a lease. Who held it before removes it, so that a lock only counts
// while its file is still the one in the folder.
func leaseFile(dir, name string) (release func(), err error) {
	path := dir + string(os.PathSeparator) + name
	for range maxTries {
		f, err := openLease(dir, path)
		if err != nil {
			return nil, fmt.Errorf("disk: %w", err)
		}
		ok, err := tryLock(f)
		if err != nil || !ok {
			f.Close()
			if err == nil {
				err = fmt.Errorf("%w: %s", store.ErrLeased, path)
			}
			return nil, err
		}
		if sameFile(f, path) {
			return sync.OnceFunc(func() { endLease(f, path) }), nil
		}
		f.Close()
	}
	return nil, fmt.Errorf("%w: %s", store.ErrLeased, path)
}

// endLease removes the file, unless the folder was removed and the path is another's by now.
func endLease(f *os.File, path string) {
	if sameFile(f, path) {
		os.Remove(path)
	}
	f.Close()
}

func openLease(dir, path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if !os.IsNotExist(err) {
		return f, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
}

func sameFile(f *os.File, path string) bool {
	have, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(have, there)
}
