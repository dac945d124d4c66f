//go:build unix

// disk_test.go runs the acceptance suite on a folder, and what a folder alone promises.

package disk_test

import (
	"testing"

	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
	"github.com/larder-go/larder/store/storetest"
)

func open(t *testing.T, dir string, o disk.Options) *disk.Store {
	t.Helper()
	s, err := disk.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestDisk(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		return open(t, t.TempDir(), disk.Options{})
	})
}

// TestSmallDisk has values of 8 KiB and more in files of their own.
func TestSmallDisk(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		return open(t, t.TempDir(), disk.Options{MaxBytes: 8 << 20})
	})
}
