// bench_test.go measures what docs/codec.md says.

package codec_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/larder-go/larder/codec"
	"github.com/larder-go/larder/codec/msgpack"
)

// account is a value as caches have them.
type account struct {
	ID      int64
	Name    string
	Mail    string
	Created time.Time
	Roles   []string
	Scores  []float64
	Teams   map[string]int
	Avatar  []byte
}

func newAccount() account {
	return account{
		ID: 1234567, Name: "Ada Lovelace", Mail: "ada@example.org", Created: time.Now(),
		Roles: []string{"admin", "author"}, Scores: []float64{0.25, 17.125, 3.14159265, 1e9},
		Teams: map[string]int{"engines": 3, "notes": 7}, Avatar: make([]byte, 256),
	}
}

func BenchmarkCodecs(b *testing.B) {
	value := newAccount()
	for _, c := range []codec.Codec{codec.JSON{}, msgpack.Codec{}} {
		encoded, err := c.Append(nil, value)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.Name()+"/append", func(b *testing.B) {
			b.ReportAllocs()
			room := make([]byte, 0, 4096)
			for b.Loop() {
				if _, err := c.Append(room, value); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(encoded)), "bytes")
		})
		b.Run(c.Name()+"/decode", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Decode(encoded, new(account)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			if err := (codec.JSON{}).Check(reflect.TypeFor[account]()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("fingerprint", func(b *testing.B) {
		for b.Loop() {
			codec.Fingerprint(reflect.TypeFor[account]())
		}
	})
}
