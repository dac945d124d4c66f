// key.go makes keys that say what a fragment depends on, and mistakes nobody for another.

package fragment

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/larder-go/larder"
)

// Tag is a name under which DeleteTag finds a fragment. In a template the function tag makes one of
// its arguments, anywhere behind the time, so that this one has the tag "team:7":
//
//	{{ fragment "team" .Team "1h" .Team.ID (tag "team:" 7) }}
type Tag string

// maxKey is how long a key may be, in bytes, before it is hashed.
const maxKey = 200

// identity is what a fragment is known by, besides versions.
type identity struct {
	name  string
	parts string // canonical: each begins with a slash and a letter for what it is
}

// identify makes an identity of a name and of the parts of a key. An error says which part is none.
func identify(name string, parts []any) (identity, error) {
	var b strings.Builder
	for i, part := range parts {
		text, err := textOf(part)
		if err != nil {
			return identity{}, fmt.Errorf("key part %d: %w", i+1, err)
		}
		b.WriteString("/" + url.PathEscape(text))
	}
	return identity{name, b.String()}, nil
}

// key returns the key of the fragment in some version of the program and its templates.
func (id identity) key(versions ...string) string {
	key := url.PathEscape(id.name)
	for _, v := range versions {
		key += "/" + url.PathEscape(v)
	}
	return short(key + id.parts)
}

// short returns a key, or a hash of one that is long.
func short(key string) string {
	if len(key) <= maxKey {
		return key
	}
	return fmt.Sprintf("#%x", sha256.Sum256([]byte(key))) // no escaped name begins so
}

// tags returns those of the fragment: by its name, by its key, and those that were given to it.
func (id identity) tags(given []string) []string {
	tags := []string{nameTag(id.name), id.keyTag()}
	for _, tag := range given {
		tags = append(tags, userTag(tag))
	}
	return tags
}

// keyMark begins the tags by which fragments are deleted with those around them.
const keyMark = "key:"

func (id identity) keyTag() string { return keyMark + id.key() }

func nameTag(name string) string { return "name:" + short(url.PathEscape(name)) }

func userTag(tag string) string { return "tag:" + tag }

// errNoKey is wrapped where a part of a key identifies nothing.
var errNoKey = errors.New("identifies nothing")

// textOf writes a part of a key down, with a letter for what it is before it. A fmt.Stringer is not
// asked: its text is for people, and two users may have one name.
func textOf(part any) (string, error) {
	if text, letter, ok := plain(part); ok {
		return letter + text, nil
	}
	v := reflect.ValueOf(part)
	switch v.Kind() {
	case reflect.Invalid:
		return "", fmt.Errorf("nil %w: it was not set", errNoKey)
	case reflect.Pointer, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return "", fmt.Errorf("a %T %w: give what it stands for, such as an ID", part, errNoKey)
	}
	key, err := larder.KeyOf(part)
	if err == nil {
		return "k" + key.String(), nil
	}
	return "", fmt.Errorf("a %T %w: %w", part, errNoKey, err)
}

// plain returns the text of a string, a number or a boolean of any type, and a letter for what it
// is. Methods of the type are not asked: their text may hide or round.
func plain(part any) (text, letter string, ok bool) {
	switch v := reflect.ValueOf(part); v.Kind() {
	case reflect.String:
		return v.String(), "s", true
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), "b", true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), "n", true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Uintptr:
		return strconv.FormatUint(v.Uint(), 10), "n", true
	case reflect.Float32, reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64), "f", true
	}
	return "", "", false
}

// makeTag is the function tag of templates.
func makeTag(parts ...any) (Tag, error) {
	var b strings.Builder
	for i, part := range parts {
		text, _, ok := plain(part)
		if !ok {
			const wrong = "fragment: part %d of a tag is a %T: give strings or numbers"
			return "", fmt.Errorf(wrong, i+1, part)
		}
		b.WriteString(text)
	}
	return Tag(b.String()), nil
}
