// sys_linux.go lets servers die with a test that was killed, and finds their children.

package servers

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// children returns the processes that a process has started.
func children(pid int) (pids []int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil
	}
	for _, word := range strings.Fields(string(text)) {
		if child, err := strconv.Atoi(word); err == nil {
			pids = append(pids, child)
		}
	}
	return pids
}

// isRunning reports whether a process is there and has not ended; of one that has, nothing but its
// number may be left.
func isRunning(pid int) bool {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && len(line) > 0
}

// awaitStop waits until all threads of a process that was stopped have stopped.
func awaitStop(pid int) {
	for running := true; running; time.Sleep(time.Millisecond) {
		running = false
		stats, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		for _, stat := range stats {
			line, err := os.ReadFile(stat)
			_, state, ok := strings.Cut(string(line), ") ") // after the name, which may have brackets
			running = running || err == nil && ok && !strings.HasPrefix(state, "T")
		}
	}
}
