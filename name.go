// name.go says what a key is called in a store, and which key a name belongs to.

package larder

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
)

// names turns keys into texts and back.
type names[K comparable] struct {
	text func(K) (string, error)
	key  func(string) (K, bool) // nil where a name does not tell the key
}

// namesOf chooses how keys are called.
func namesOf[K comparable](key func(K) string) names[K] {
	if key != nil {
		return names[K]{text: func(k K) (string, error) { return key(k), nil }}
	}
	t := reflect.TypeFor[K]()
	switch {
	case t == reflect.TypeFor[Key]():
		return names[K]{text: func(k K) (string, error) { return any(k).(Key).String(), nil }}
	case t.Implements(textType) && t.Kind() != reflect.Interface:
		return names[K]{text: func(k K) (string, error) {
			b, err := any(k).(encoding.TextMarshaler).MarshalText()
			return string(b), err
		}}
	}
	switch t.Kind() {
	case reflect.String:
		return stringNames[K]()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return intNames[K]()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Uintptr:
		return uintNames[K]()
	}
	return names[K]{text: func(k K) (string, error) {
		hashed, err := KeyOf(k)
		return hashed.String(), err
	}}
}

func stringNames[K comparable]() names[K] {
	return names[K]{
		func(k K) (string, error) {
			if s, ok := any(k).(string); ok {
				return s, nil
			}
			return reflect.ValueOf(k).String(), nil
		},
		func(name string) (k K, ok bool) {
			reflect.ValueOf(&k).Elem().SetString(name)
			return k, true
		},
	}
}

func intNames[K comparable]() names[K] {
	return names[K]{
		func(k K) (string, error) { return strconv.FormatInt(reflect.ValueOf(k).Int(), 10), nil },
		func(name string) (k K, ok bool) {
			v := reflect.ValueOf(&k).Elem()
			n, err := strconv.ParseInt(name, 10, v.Type().Bits())
			v.SetInt(n)
			return k, err == nil
		},
	}
}

func uintNames[K comparable]() names[K] {
	return names[K]{
		func(k K) (string, error) { return strconv.FormatUint(reflect.ValueOf(k).Uint(), 10), nil },
		func(name string) (k K, ok bool) {
			v := reflect.ValueOf(&k).Elem()
			n, err := strconv.ParseUint(name, 10, v.Type().Bits())
			v.SetUint(n)
			return k, err == nil
		},
	}
}

// of returns the name of a key. A method of the key may panic.
func (n names[K]) of(key K) (name string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("larder: the name of a key: panic: %v", p)
		}
	}()
	if name, err = n.text(key); err != nil {
		return "", fmt.Errorf("larder: the name of a key: %w", err)
	}
	return name, nil
}
