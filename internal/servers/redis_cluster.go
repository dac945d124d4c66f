// redis_cluster.go starts several Redis servers that know of each other.

package servers

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const clusterSlots = 16384

// RedisCluster starts a Cluster of masters without replicas.
func RedisCluster(t testing.TB, masters int) []*Server {
	t.Helper()
	all := make([]*Server, masters)
	buses := make([]string, masters)
	for i := range all {
		_, buses[i], _ = net.SplitHostPort(FreeAddr(t))
		all[i] = Redis(t, "--cluster-enabled", "yes", "--cluster-port", buses[i],
			"--cluster-node-timeout", "1000")
	}
	for i, s := range all {
		first, last := clusterSlots*i/masters, clusterSlots*(i+1)/masters-1
		redisAsk(t, s.Addr, fmt.Sprintf("CLUSTER ADDSLOTSRANGE %d %d", first, last), "OK")
		host, port, _ := net.SplitHostPort(s.Addr)
		redisAsk(t, all[0].Addr, fmt.Sprintf("CLUSTER MEET %s %s %s", host, port, buses[i]), "OK")
	}
	for _, s := range all {
		redisAsk(t, s.Addr, "CLUSTER INFO", "cluster_state:ok")
		redisAsk(t, s.Addr, "CLUSTER INFO", fmt.Sprint("cluster_known_nodes:", masters))
	}
	return all
}

// RedisSentinel starts a master, a replica of it and a Sentinel that watches them under the name
// "main" and fails over half a second after the master went.
func RedisSentinel(t testing.TB) (master, replica, sentinel *Server) {
	t.Helper()
	master = Redis(t)
	host, port, _ := net.SplitHostPort(master.Addr)
	replica = Redis(t, "--replicaof", host+" "+port, "--repl-diskless-sync-delay", "0")
	redisAsk(t, replica.Addr, "INFO replication", "master_link_status:up")
	dir, addr := t.TempDir(), FreeAddr(t)
	_, own, _ := net.SplitHostPort(addr)
	file := filepath.Join(dir, "sentinel.conf")
	text := fmt.Sprintf("port %s\nbind %s\nsentinel monitor main %s %s 1\n"+
		"sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n",
		own, host, host, port)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel = start(t, addr, dir, Program(t, "redis-server", "redis-server"), file, "--sentinel")
	redisAsk(t, addr, "SENTINEL MASTERS", "num-slaves\r\n$1\r\n1")
	return master, replica, sentinel
}

// redisAsk sends a command until its answer has want in it.
func redisAsk(t testing.TB, addr, line, want string) {
	t.Helper()
	var got string
	for late := time.Now().Add(startTime); time.Now().Before(late); {
		if got = redisAnswer(addr, line); strings.Contains(got, want) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s: %s: %q, want %q", addr, line, got, want)
}

// redisAnswer is all a server says to a command, and to the PING after it.
func redisAnswer(addr, line string) string {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Second))
	fmt.Fprintf(c, "%s\r\nECHO that-was-all\r\n", line)
	var all strings.Builder
	for lines := bufio.NewScanner(c); lines.Scan(); {
		if strings.Contains(lines.Text(), "that-was-all") {
			break
		}
		all.WriteString(lines.Text() + "\r\n")
	}
	return strings.ReplaceAll(all.String(), "\r\r", "\r")
}
