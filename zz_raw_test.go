package larder_test

import (
	"compress/gzip"
	"encoding/binary"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/larder-go/larder/trace"
)

func readRaw(t *testing.T, path string) *trace.Trace {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	wide := strings.Contains(path, "u64")
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	w := 4
	if wide {
		w = 8
	}
	tr := &trace.Trace{}
	ids := map[uint64]uint32{}
	for ; len(b) >= w; b = b[w:] {
		var k uint64
		if wide {
			k = binary.LittleEndian.Uint64(b)
		} else {
			k = uint64(binary.LittleEndian.Uint32(b))
		}
		id, ok := ids[k]
		if !ok {
			id = uint32(len(ids))
			ids[k] = id
		}
		tr.Keys = append(tr.Keys, id)
	}
	tr.Distinct = len(ids)
	return tr
}
