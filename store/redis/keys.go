// keys.go says under which names things stand in the server.

package redis

import "strings"

// The kinds of names: the letter behind the prefix.
const (
	kindValue = 'v'
	kindLease = 'l'
	kindToken = 'n'
	kindStage = 's'
	kindReady = 'r'
	kindTag   = 't'
	kindSign  = 'd'
	kindAll   = 'c' // on the channel alone
)

// keyspace names all that belongs to one prefix.
type keyspace struct{ prefix string }

func (k keyspace) name(kind byte, key string) string {
	return k.prefix + string([]byte{kind}) + ":{" + escape(key) + "}"
}

func (k keyspace) value(key string) string  { return k.name(kindValue, key) }
func (k keyspace) lease(key string) string  { return k.name(kindLease, key) }
func (k keyspace) token(key string) string  { return k.name(kindToken, key) }
func (k keyspace) stage(key string) string  { return k.name(kindStage, key) }
func (k keyspace) mark(tag string) string   { return k.name(kindTag, tag) }
func (k keyspace) sign(tag string) string   { return k.name(kindSign, tag) }
func (k keyspace) kind(kind byte) string    { return k.prefix + string([]byte{kind}) + ":" }
func (k keyspace) events() string           { return k.prefix + "events" }
func (k keyspace) heard(name string) string { return k.prefix + "events:" + name }

// parse undoes name. Other names than ours are not ok.
func (k keyspace) parse(name string) (kind byte, key string, ok bool) {
	rest, ok := strings.CutPrefix(name, k.prefix)
	if !ok || len(rest) < len("v:{}") || rest[1:3] != ":{" || rest[len(rest)-1] != '}' {
		return 0, "", false
	}
	return rest[0], unescape(rest[3 : len(rest)-1]), true
}

// escape keeps the braces from holding nothing: then the whole name would decide upon the slot, and
// the lease of a key would be on another server than its item. It is injective.
func escape(key string) string {
	if key != "" && (key[0] == '}' || key[0] == '\\') {
		return `\` + key
	}
	return key
}

func unescape(key string) string { return strings.TrimPrefix(key, `\`) }

// pattern matches, for SCAN, the values whose key starts with prefix.
func (k keyspace) pattern(kind byte, prefix string) string {
	return globQuote(k.kind(kind)+"{"+escape(prefix)) + "*"
}

var globQuoter = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)

func globQuote(s string) string { return globQuoter.Replace(s) }
