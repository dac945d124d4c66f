// monitor.go reads what redis-cli MONITOR writes.

package trace

import (
	"bytes"
	"strings"
)

// reads says how the keys of a command that reads are found among its arguments.
type reads int

const (
	firstKey reads = iota + 1 // the first argument
	allKeys                   // all of them
)

// readCommands lists the commands of Redis that ask for values and what of their arguments is keys.
// A field of a hash is no key of its own: HGET asks for the whole hash.
var readCommands = map[string]reads{
	"get": firstKey, "getex": firstKey, "getrange": firstKey, "substr": firstKey,
	"strlen": firstKey, "getbit": firstKey, "bitcount": firstKey, "bitpos": firstKey,
	"mget": allKeys, "exists": allKeys, "touch": allKeys,
	"hget": firstKey, "hmget": firstKey, "hgetall": firstKey, "hexists": firstKey,
	"hkeys": firstKey, "hvals": firstKey, "hlen": firstKey, "hstrlen": firstKey,
	"hscan": firstKey, "hrandfield": firstKey,
	"lrange": firstKey, "lindex": firstKey, "llen": firstKey, "lpos": firstKey,
	"smembers": firstKey, "sismember": firstKey, "smismember": firstKey, "scard": firstKey,
	"srandmember": firstKey, "sscan": firstKey, "sinter": allKeys, "sunion": allKeys,
	"sdiff": allKeys, "pfcount": allKeys,
	"zrange": firstKey, "zrevrange": firstKey, "zrangebyscore": firstKey,
	"zrevrangebyscore": firstKey, "zrangebylex": firstKey, "zscore": firstKey,
	"zmscore": firstKey, "zrank": firstKey, "zrevrank": firstKey, "zcard": firstKey,
	"zcount": firstKey, "zscan": firstKey, "zrandmember": firstKey,
	"xrange": firstKey, "xrevrange": firstKey, "xlen": firstKey,
	"geopos": firstKey, "geodist": firstKey, "geosearch": firstKey,
	"json.get": firstKey, "ttl": firstKey, "pttl": firstKey, "type": firstKey,
}

// otherCommands lists the commands that touch no key. What is neither here nor above writes.
var otherCommands = map[string]bool{
	"ping": true, "echo": true, "auth": true, "hello": true, "select": true, "quit": true,
	"info": true, "config": true, "client": true, "command": true, "cluster": true, "role": true,
	"dbsize": true, "keys": true, "scan": true, "randomkey": true, "time": true, "memory": true,
	"monitor": true, "slowlog": true, "latency": true, "debug": true, "object": true,
	"multi": true, "exec": true, "discard": true, "watch": true, "unwatch": true,
	"subscribe": true, "psubscribe": true, "unsubscribe": true, "punsubscribe": true,
	"publish": true, "pubsub": true, "eval": true, "evalsha": true, "eval_ro": true,
	"evalsha_ro": true, "fcall": true, "fcall_ro": true, "script": true, "function": true,
	"replconf": true, "psync": true, "wait": true, "save": true, "bgsave": true,
	"readonly": true, "readwrite": true, "asking": true, "acl": true, "module": true,
}

// isMonitor recognizes 1339518083.107412 [0 127.0.0.1:60866] "keys" "*".
func isMonitor(line []byte) bool {
	_, ok := monitorArguments(line)
	return ok
}

// monitorArguments cuts off the time and the client.
func monitorArguments(line []byte) (arguments []byte, ok bool) {
	time, rest, ok := bytes.Cut(line, []byte(" ["))
	seconds, fraction, _ := bytes.Cut(time, []byte("."))
	if !ok || !isNumber(seconds) || !isNumber(fraction) {
		return nil, false
	}
	_, rest, ok = bytes.Cut(rest, []byte("] "))
	return rest, ok && len(rest) > 0 && rest[0] == '"'
}

// monitor is what readMonitor keeps between lines.
type monitor struct {
	*builder
	word []byte
}

// readMonitor reads the keys of the commands that read.
func readMonitor(b *builder) error {
	m := monitor{builder: b}
	return b.each(m.command)
}

func (m *monitor) command(line []byte) (bad string, err error) {
	if string(line) == "OK" { // before the first command
		return "", nil
	}
	rest, ok := monitorArguments(line)
	if !ok {
		return `not: time [database client] "command" "key"`, nil
	}
	if m.word, rest, ok = unescape(m.word[:0], rest); !ok {
		return "the command does not end", nil
	}
	m.word = lower(m.word)
	which, known := readCommands[string(m.word)]
	switch {
	case !known && otherCommands[string(m.word)]:
		m.t.Skipped++
		return "", nil
	case !known:
		m.t.Writes++
		return "", nil
	}
	return m.keys(rest, which)
}

// lower makes ASCII lower case in place, without an allocation for each command.
func lower(word []byte) []byte {
	for i, c := range word {
		if 'A' <= c && c <= 'Z' {
			word[i] = c | 0x20
		}
	}
	return word
}

// keys adds an access to the first key, or to each.
func (m *monitor) keys(rest []byte, which reads) (bad string, err error) {
	for n := 0; ; n++ {
		if rest = bytes.TrimLeft(rest, " "); len(rest) == 0 {
			if n == 0 {
				return "no key", nil
			}
			return "", nil
		}
		var ok bool
		if m.word, rest, ok = unescape(m.word[:0], rest); !ok {
			return "a key does not end", nil
		}
		if err := m.access(m.word); err != nil || which == firstKey {
			return "", err
		}
	}
}

// unescape appends the text in quotes at the beginning of line to word. Redis writes \n, \r, \t,
// \a, \b, \\, \" and \xHH.
func unescape(word, line []byte) (text, rest []byte, ok bool) {
	if len(line) == 0 || line[0] != '"' {
		return word, line, false
	}
	for at := 1; at < len(line); at++ {
		switch c := line[at]; {
		case c == '"':
			return word, line[at+1:], true
		case c == '\\' && at+1 < len(line):
			var skip int
			word, skip = escaped(word, line[at+1:])
			at += skip
		default:
			word = append(word, c)
		}
	}
	return word, nil, false
}

// escaped appends what stands behind a backslash, and says how long it is.
func escaped(word, text []byte) ([]byte, int) {
	if text[0] == 'x' && len(text) >= 3 {
		if high, low := hex(text[1]), hex(text[2]); high >= 0 && low >= 0 {
			return append(word, byte(high<<4|low)), 3
		}
	}
	if at := strings.IndexByte("nrtab", text[0]); at >= 0 {
		return append(word, "\n\r\t\a\b"[at]), 1
	}
	return append(word, text[0]), 1
}

func hex(c byte) int { return strings.IndexByte("0123456789abcdef", c|0x20) }
