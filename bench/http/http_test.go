// http_test.go runs the measurement for a moment, and proves no figure.

package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestMain turns the test into the plain server, if it is asked to: see plain.
func TestMain(m *testing.M) {
	if serving() {
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestContestantsServeTheSame(t *testing.T) {
	if _, err := exec.LookPath("wrk"); err != nil {
		t.Skip("wrk is not installed: apt-get install wrk")
	}
	var out, diagnostics bytes.Buffer
	args := []string{"-rounds", "1", "-seconds", "1"}
	if err := run(t.Context(), args, &out, &diagnostics); err != nil {
		t.Fatalf("%v\n%s", err, diagnostics.String())
	}
	for _, want := range []string{"| package |", "| 1 MB |", ">= 0.95"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}
}

func TestWrongArgumentsAreRefused(t *testing.T) {
	for _, args := range [][]string{
		{"-only", "nobody"}, {"-rounds", "0"}, {"-seconds", "0"}, {"more"}, {"-nothing"},
	} {
		var out, diagnostics bytes.Buffer
		if err := run(t.Context(), args, &out, &diagnostics); err == nil || out.Len() > 0 {
			t.Errorf("%q: %v, %q", args, err, out.String())
		}
	}
}

const wrkSays = `Running 3s test @ http://127.0.0.1:8080/1024
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.26ms    1.51ms  24.21ms   91.01%
    Req/Sec    60.74k     7.50k   72.47k    70.00%
  Latency Distribution
     50%  831.00us
     99%    7.37ms
  181403 requests in 3.01s, 230.27MB read
Requests/sec:  60272.42
Transfer/sec:     76.51MB
`

func TestFiguresOfWrkAreRead(t *testing.T) {
	r, err := parseWrk(wrkSays)
	if err != nil || r.rate != 60272.42 || r.p99 != 7370*time.Microsecond {
		t.Errorf("got %+v, %v", r, err)
	}
	slow := strings.Replace(wrkSays, "7.37ms", "1.49s ", 1) // wrk fills up to a width
	if r, err := parseWrk(slow); err != nil || r.p99 != 1490*time.Millisecond {
		t.Errorf("got %+v, %v", r, err)
	}
	for _, bad := range []string{
		"", "Requests/sec: 5\n", wrkSays + "  Non-2xx or 3xx responses: 7\n",
		wrkSays + "  Socket errors: connect 0, read 5, write 0, timeout 0\n",
	} {
		if r, err := parseWrk(bad); err == nil {
			t.Errorf("%q: got %+v", bad, r)
		}
	}
}
