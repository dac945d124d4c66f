//go:build unix

// process_test.go has several processes on one folder, and kills them.

package disk_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

// TestMain turns the test binary into a process that works on a folder, if the environment says so.
func TestMain(m *testing.M) {
	if role := os.Getenv("LARDER_TEST_ROLE"); role != "" {
		if err := roles[role](os.Getenv("LARDER_TEST_DIR")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var roles = map[string]func(dir string) error{
	"soak":     soakRole,
	"torture":  tortureRole,
	"set":      setRole,
	"hold":     holdRole,
	"lease":    leaseRole,
	"readonly": readOnlyRole,
}

// child starts this test binary in a role. It is killed when the test ends.
func child(t *testing.T, role, dir string) (*exec.Cmd, io.Reader) {
	t.Helper()
	cmd := command(role, dir)
	return cmd, start(t, cmd)
}

func start(t *testing.T, cmd *exec.Cmd) io.Reader {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return out
}

// command is this test binary in a role.
func command(role, dir string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "LARDER_TEST_ROLE="+role, "LARDER_TEST_DIR="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

// value is what any process may set under key number k: it names its key and checks itself.
func value(k int, r *rand.Rand, most int) []byte {
	seed := r.Uint32()
	b := binary.LittleEndian.AppendUint32(nil, uint32(k))
	b = binary.LittleEndian.AppendUint32(b, seed)
	return append(b, filler(seed, int(seed)%most)...)
}

func filler(seed uint32, n int) []byte {
	b := make([]byte, 0, n+8)
	for x := uint64(seed) | 1; len(b) < n; x = x*6364136223846793005 + 1442695040888963407 {
		b = binary.LittleEndian.AppendUint64(b, x)
	}
	return b[:n]
}

func checkValue(k int, b []byte, most int) error {
	if len(b) < 8 || int(binary.LittleEndian.Uint32(b)) != k {
		return fmt.Errorf("key %d: foreign value of %d bytes", k, len(b))
	}
	seed := binary.LittleEndian.Uint32(b[4:])
	if !bytes.Equal(b[8:], filler(seed, int(seed)%most)) {
		return fmt.Errorf("key %d: wrong bytes", k)
	}
	return nil
}

func key(k int) string { return fmt.Sprintf("key-%d", k) }

const (
	soakKeys  = 3000
	soakMost  = 40_000 // some values lie in large files: the folder's limit is small
	soakLimit = 24 << 20
)

// soakRole reads and writes until it is told to stop by the end of its input.
func soakRole(dir string) error {
	s, err := disk.Open(dir, disk.Options{MaxBytes: soakLimit})
	if err != nil {
		return err
	}
	defer s.Close()
	var told atomic.Bool
	go func() { io.Copy(io.Discard, os.Stdin); told.Store(true) }()
	r := rand.New(rand.NewPCG(uint64(os.Getpid()), 3))
	fmt.Println("ready")
	n := 0
	for ; !told.Load(); n++ {
		if err := soakStep(s, r); err != nil {
			return err
		}
	}
	fmt.Println(n)
	return nil
}

func soakStep(s *disk.Store, r *rand.Rand) error {
	ctx, k := context.Background(), r.IntN(soakKeys)
	switch op := r.IntN(100); {
	case op < 60:
		begin := time.Now()
		item, err := s.Get(ctx, key(k))
		if took := time.Since(begin); took > 5*time.Second {
			return fmt.Errorf("Get took %v", took)
		}
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return checkValue(k, item.Value, soakMost)
	case op < 90:
		item := store.Item{Value: value(k, r, soakMost), Tags: []string{fmt.Sprint("tag", k%10)}}
		return s.Set(ctx, key(k), item)
	case op < 95:
		return s.Delete(ctx, key(k))
	case op < 96:
		return s.DeleteTag(ctx, fmt.Sprint("tag", k%10))
	}
	return soakStream(s, k, r)
}

// soakStream writes a value piece by piece, and in one case of four gives up.
func soakStream(s *disk.Store, k int, r *rand.Rand) error {
	w, err := s.Create(context.Background(), key(k), store.Item{})
	if err != nil {
		return err
	}
	defer w.Close()
	if _, err := w.Write(value(k, r, soakMost)); err != nil {
		return err
	}
	if r.IntN(4) == 0 {
		return w.Close()
	}
	return w.Commit()
}

// files is the sum of the sizes of all files below dir, as anybody can see it from outside.
func files(t *testing.T, dir string) (sum int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// soaker is a process in the soak role.
type soaker struct {
	cmd *exec.Cmd
	in  io.Closer
	out *bufio.Reader
}

// startSoaker starts a process and waits until it works.
func startSoaker(t *testing.T, dir string) *soaker {
	t.Helper()
	cmd := command("soak", dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := start(t, cmd)
	p := &soaker{cmd, in, bufio.NewReader(out)}
	if line, err := p.out.ReadString('\n'); line != "ready\n" {
		t.Fatalf("a process did not start: %q, %v", line, err)
	}
	return p
}

// stop ends the process and returns how much it did.
func (p *soaker) stop(t *testing.T) (operations int) {
	t.Helper()
	p.in.Close()
	line, _ := p.out.ReadString('\n')
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("a process failed: %v", err)
	}
	operations, _ = strconv.Atoi(strings.TrimSpace(line))
	return operations
}

// filesAtOnce is files at one moment: while this process holds the folder's lock no file changes its
// size. Without it a walk adds up sizes of different moments.
func filesAtOnce(t *testing.T, dir string) int64 {
	t.Helper()
	lock, err := os.Open(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	return files(t, dir)
}

// TestEightProcessesShareAFolder runs for soakTime: a few seconds, a minute with -tags slow.
func TestEightProcessesShareAFolder(t *testing.T) {
	dir := t.TempDir()
	var soakers []*soaker
	for range 8 {
		soakers = append(soakers, startSoaker(t, dir))
	}
	most, walked, samples := int64(0), int64(0), 0
	for until := time.Now().Add(soakTime); time.Now().Before(until); samples++ {
		most = max(most, filesAtOnce(t, dir))
		walked = max(walked, files(t, dir))
		if samples%20 == 0 { // others are killed in the middle of their work
			startSoaker(t, dir).cmd.Process.Kill()
		}
	}
	total := 0
	for _, p := range soakers {
		total += p.stop(t)
	}
	if most > soakLimit {
		t.Errorf("the folder had %d bytes, the limit is %d", most, soakLimit)
	}
	if most < soakLimit/2 {
		t.Errorf("the folder had at most %d bytes: the limit of %d was not tested", most, soakLimit)
	}
	if stats, err := open(t, dir, disk.Options{}).Stats(); err != nil || stats.Damaged > 0 {
		t.Errorf("reads met %d damaged records, %v", stats.Damaged, err)
	}
	t.Logf("%d operations, %d samples, at most %d bytes at once and %d in a walk, of %d",
		total, samples, most, walked, soakLimit)
	wantClean(t, dir)
}

// wantClean opens the folder and verifies it.
func wantClean(t *testing.T, dir string) disk.Report {
	t.Helper()
	s := open(t, dir, disk.Options{})
	defer s.Close()
	report, err := s.Verify(t.Context())
	if err != nil || len(report.Damaged) > 0 {
		t.Fatalf("Verify: %v, %d damaged, first %+v", err, len(report.Damaged),
			append(report.Damaged, disk.Damage{})[0])
	}
	return report
}

// tortureRole writes values of all sizes until it is killed, and a dot for each.
func tortureRole(dir string) error {
	s, err := disk.Open(dir, disk.Options{MaxBytes: soakLimit})
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(uint64(os.Getpid()), 5))
	for {
		if err := soakStep(s, r); err != nil {
			return err
		}
		fmt.Print(".")
	}
}

func TestKilledInMidWrite(t *testing.T) {
	dir := t.TempDir()
	for round := range 50 {
		cmd, out := child(t, "torture", dir)
		if _, err := io.ReadFull(out, make([]byte, 1+rand.IntN(300))); err != nil {
			t.Fatalf("round %d: the process did not work: %v", round, err)
		}
		cmd.Process.Kill() // somewhere in its work
		cmd.Wait()
		readAll(t, dir)
	}
	report := wantClean(t, dir)
	if report.Entries == 0 {
		t.Error("nothing is left")
	}
	if n := files(t, dir); n > soakLimit {
		t.Errorf("%d bytes of files, the limit is %d", n, soakLimit)
	}
}

// readAll reads every key; each must be right or absent.
func readAll(t *testing.T, dir string) {
	t.Helper()
	s := open(t, dir, disk.Options{})
	defer s.Close()
	begin := time.Now()
	for k := range soakKeys {
		item, err := s.Get(t.Context(), key(k))
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err == nil {
			err = checkValue(k, item.Value, soakMost)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Set(t.Context(), "after", store.Item{Value: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("reading took %v: something waits for a dead process", took)
	}
}

func setRole(dir string) error {
	s, err := disk.Open(dir, disk.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Set(context.Background(), "k", store.Item{Value: []byte("from another process")})
}

func TestOtherProcessSeesASetAtOnce(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, disk.Options{})
	if err := s.Set(t.Context(), "k", store.Item{Value: []byte("mine")}); err != nil {
		t.Fatal(err)
	}
	cmd, _ := child(t, "set", dir)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	item, err := s.Get(t.Context(), "k")
	if err != nil || string(item.Value) != "from another process" {
		t.Errorf("got %q, %v", item.Value, err)
	}
}

func leaseRole(dir string) error {
	s, err := disk.Open(dir, disk.Options{})
	if err != nil {
		return err
	}
	if _, err := s.TryLease(context.Background(), "job"); err != nil {
		return err
	}
	fmt.Println("leased")
	wait()
	return nil
}

func TestLeaseEndsWithItsProcess(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, disk.Options{})
	cmd, out := child(t, "lease", dir)
	if _, err := io.ReadFull(out, make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.TryLease(t.Context(), "job"); !errors.Is(err, store.ErrLeased) {
		t.Fatalf("TryLease = %v, want ErrLeased", err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	l, err := store.TakeLease(ctx, s, "job")
	if err != nil {
		t.Fatalf("after the holder died: %v", err)
	}
	l.Release()
}

// wait waits for the end.
func wait() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)
	<-c
}

func holdRole(dir string) error {
	s, err := disk.Open(dir, disk.Options{MaxBytes: soakLimit})
	if err != nil {
		return err
	}
	w, err := s.Create(context.Background(), "unfinished", store.Item{})
	if err != nil {
		return err
	}
	if _, err := w.Write(make([]byte, 3<<20)); err != nil {
		return err
	}
	fmt.Println("holding")
	wait()
	return nil
}

// TestRoomOfADeadWriterIsUsedAgain kills writers of large values in mid-stream; what they had
// reserved must not be missing for ever.
func TestRoomOfADeadWriterIsUsedAgain(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, disk.Options{MaxBytes: soakLimit})
	for range 10 { // 10 times 4 MiB in 24 MiB
		cmd, out := child(t, "hold", dir)
		if _, err := io.ReadFull(out, make([]byte, 7)); err != nil {
			t.Fatal(err)
		}
		cmd.Process.Kill()
		cmd.Wait()
	}
	if err := s.Set(t.Context(), "k", store.Item{Value: make([]byte, 5<<20)}); err != nil {
		t.Fatal(err)
	}
	if n := files(t, dir); n > soakLimit {
		t.Errorf("%d bytes of files, the limit is %d", n, soakLimit)
	}
	wantClean(t, dir)
}
