// slowshare.go mounts a folder as if it were far away.

//go:build linux

// Package slowshare mounts a folder for tests as if it were on a slow network share.
package slowshare

import (
	"context"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// Options says how slow a share is. The zero value is as fast as the file system allows.
type Options struct {
	// Latency is what opening a file takes before its first byte.
	Latency time.Duration
	// Bandwidth is how many bytes a second all readers get together; 0 means no limit.
	Bandwidth float64
}

// Share is a mounted folder. It ends with its test.
type Share struct {
	Dir string // where it is mounted

	Opens atomic.Int64 // how often a file was opened
	Bytes atomic.Int64 // how many were read

	options Options
	mu      sync.Mutex // guards free
	free    time.Time  // when the wire is free
}

// Mount mounts the folder dir, to be read. It needs /dev/fuse and the right to mount: where they are
// not to be had, which no package can change, the test is skipped.
func Mount(t testing.TB, dir string, o Options) *Share {
	t.Helper()
	s := &Share{Dir: t.TempDir(), options: o}
	server, err := fs.Mount(s.Dir, s.root(t, dir), &fs.Options{
		MountOptions: fuse.MountOptions{FsName: "slowshare", DirectMount: true},
	})
	if err != nil {
		t.Skipf("mount by FUSE: %v (it needs /dev/fuse, and root or fuse3)", err)
	}
	t.Cleanup(func() {
		if err := server.Unmount(); err != nil {
			t.Errorf("unmount: %v", err)
			_ = syscall.Unmount(s.Dir, syscall.MNT_DETACH)
		}
	})
	return s
}

func (s *Share) root(t testing.TB, dir string) fs.InodeEmbedder {
	t.Helper()
	root, err := fs.NewLoopbackRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &node{root.(*fs.LoopbackNode), s}
}

// node is a file or folder of a share.
type node struct {
	*fs.LoopbackNode
	share *Share
}

// WrapChild makes all below slow.
func (n *node) WrapChild(_ context.Context, child fs.InodeEmbedder) fs.InodeEmbedder {
	return &node{child.(*fs.LoopbackNode), n.share}
}

// Open takes the latency of the share.
func (n *node) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	n.share.Opens.Add(1)
	if !wait(ctx, n.share.options.Latency) {
		return nil, 0, syscall.EINTR
	}
	h, fuseFlags, errno := n.LoopbackNode.Open(ctx, flags)
	if errno != 0 {
		return nil, 0, errno
	}
	return &file{h.(handle), n.share}, fuseFlags, 0
}

// handle is what an open file of a loopback can do, as far as it is read.
type handle interface {
	fs.FileReader
	fs.FileReleaser
	fs.FileGetattrer
}

// file is an open file of a share.
type file struct {
	handle
	share *Share
}

// Read takes its time on the wire.
func (f *file) Read(ctx context.Context, b []byte, at int64) (fuse.ReadResult, syscall.Errno) {
	r, errno := f.handle.Read(ctx, b, at)
	if errno != 0 {
		return nil, errno
	}
	n := r.Size()
	f.share.Bytes.Add(int64(n))
	if !wait(ctx, f.share.turn(n)) {
		r.Done()
		return nil, syscall.EINTR
	}
	return r, 0
}

// turn returns how long it takes until n bytes have crossed the wire, after those that came before.
func (s *Share) turn(n int) time.Duration {
	if s.options.Bandwidth == 0 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.free.Before(now) {
		s.free = now
	}
	s.free = s.free.Add(time.Duration(float64(n) / s.options.Bandwidth * 1e9))
	return s.free.Sub(now)
}

// wait waits for d, and tells whether nobody has interrupted the reader.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
