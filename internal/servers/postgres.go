// postgres.go starts PostgreSQL.

package servers

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Database is a PostgreSQL server with an empty database.
type Database struct {
	*Server
	DSN string // how to connect to it
}

const postgresUser = "larder"

// Postgres starts a PostgreSQL server that forces nothing to the disk, with args besides.
func Postgres(t testing.TB, args ...string) *Database {
	t.Helper()
	folder := postgresPrograms(t)
	dir, err := os.MkdirTemp("", "larder-postgres-") // another user cannot reach into t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &Server{Addr: FreeAddr(t), t: t, dir: dir, as: notRoot(t, dir)}
	data := filepath.Join(dir, "data")
	s.run(filepath.Join(folder, "initdb"), "-D", data, "-U", postgresUser, "--auth=trust",
		"--no-sync", "--no-locale", "--encoding=UTF8", "--no-instructions")
	host, port, _ := net.SplitHostPort(s.Addr)
	s.args = []string{
		filepath.Join(folder, "postgres"), "-D", data, "-h", host, "-p", port, "-k", dir,
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=50",
	}
	s.args = append(s.args, args...)
	s.ready = s.answersPostgres
	begin(s)
	t.Cleanup(s.quit)
	dsn := fmt.Sprintf("postgres://%s@%s/postgres?sslmode=disable", postgresUser, s.Addr)
	return &Database{s, dsn}
}

// postgresPrograms returns the folder of the server's programs: Debian keeps those of each version
// in a folder of their own, beside the path.
func postgresPrograms(t testing.TB) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	newest, best := "", 0
	for _, path := range found {
		folder := filepath.Dir(path)
		version, _ := strconv.Atoi(filepath.Base(filepath.Dir(folder)))
		if version >= best {
			newest, best = folder, version
		}
	}
	if newest != "" {
		return newest
	}
	return filepath.Dir(Program(t, "initdb", "postgresql"))
}

// notRoot returns who is to run the server, and gives dir to them: PostgreSQL refuses to run as
// root. Nobody needs to be chosen where the test does not.
func notRoot(t testing.TB, dir string) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	t.Skip("PostgreSQL does not run as root, and there is no user nobody")
	return nil
}

// run runs a program to its end as the user of the server.
func (s *Server) run(args ...string) {
	s.t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.SysProcAttr = s.dir, s.attributes()
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// answersPostgres reports whether the server lets a client in; it listens before it does.
func (s *Server) answersPostgres() bool {
	c, err := net.DialTimeout("tcp", s.Addr, time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Second))
	const version = 3 << 16
	hello := binary.BigEndian.AppendUint32(make([]byte, 4), version)
	hello = append(hello, "user\x00"+postgresUser+"\x00database\x00postgres\x00\x00"...)
	binary.BigEndian.PutUint32(hello, uint32(len(hello)))
	if _, err := c.Write(hello); err != nil {
		return false
	}
	answer := make([]byte, 1)
	_, err = c.Read(answer)
	return err == nil && answer[0] == 'R' // authentication; an error would be E
}

// quit ends the server so that it leaves no shared memory behind, as it does when it is killed.
func (s *Server) quit() {
	s.mu.Lock()
	cmd := s.cmd
	s.mu.Unlock()
	if cmd == nil {
		return
	}
	s.Continue()
	cmd.Process.Signal(syscall.SIGQUIT)
	awaitEnd(cmd.Process.Pid)
}
