// trouble_linux_test.go has a cache that is there and cannot be written.

package main

import (
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// mount mounts a small file system for the cache of s.
func (s *scene) mount() (dir string) {
	dir = filepath.Join(s.dir, "cache")
	if err := os.Mkdir(dir, 0o700); err != nil {
		s.t.Fatal(err)
	}
	s.mountAt(dir, 0)
	s.t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func (s *scene) mountAt(dir string, flags uintptr) {
	err := syscall.Mount("tmpfs", dir, "tmpfs", flags, "size=4m")
	if errors.Is(err, syscall.EPERM) {
		s.t.Skip("mounting a small file system needs root: ", err)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// fill leaves no room in dir.
func (s *scene) fill(dir string) {
	f, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		s.t.Fatal(err)
	}
}

// says runs larder, which must end with code and say one line on stderr that matches.
func (s *scene) says(code int, line string, args ...string) {
	s.t.Helper()
	cmd, out := s.start(args...)
	s.ends(cmd, code)
	said := regexp.MustCompile("(?m)^larder: .*\n").FindAllString(out.String(), -1)
	if len(said) != 1 || !regexp.MustCompile(line).MatchString(said[0]) {
		s.t.Errorf("%q said %q, want one line like %q", args, said, line)
	}
}

func TestAFullDiskIsToldOnce(t *testing.T) {
	s := newScene(t)
	server := httptest.NewServer(&origin{})
	t.Cleanup(server.Close)
	dir := s.mount()
	titles := []string{"titles", "--allow-private", "--rate", "0"}
	first, _ := s.start(append(titles, server.URL+"/p/0")...)
	s.ends(first, 0)
	s.fill(dir)
	for _, name := range strings.Fields("a b c d e f") {
		titles = append(titles, server.URL+"/p/"+name+strings.Repeat("x", 3000))
	}
	s.says(0, "titles: the cache cannot be written: no space left on device: pages are not kept\n",
		titles...)
}

func TestAReadOnlyFolderIsToldOnce(t *testing.T) {
	s := newScene(t)
	server := httptest.NewServer(&origin{})
	t.Cleanup(server.Close)
	dir := s.mount()
	first, _ := s.start("run", "--key", "kept", "--", "echo")
	s.ends(first, 0)
	s.mountAt(dir, syscall.MS_REMOUNT|syscall.MS_RDONLY)
	s.says(0, "titles: the cache is read-only: nothing is kept\n",
		"titles", "--allow-private", "--rate", "0", server.URL+"/p/a", server.URL+"/p/b")
	s.says(0, "run: output not kept: disk: folder is read-only: ", "run", "--", "echo", "hello")
	s.says(1, "cache rm: 1 entry not removed: disk: folder is read-only: ",
		"cache", "rm", "--match", "run:*")
}
