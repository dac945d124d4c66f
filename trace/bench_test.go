// bench_test.go measures accesses read per second.

package trace_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/larder-go/larder/trace"
)

func BenchmarkRead(b *testing.B) {
	const accesses = 1_000_000
	r := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(r, 1.1, 1, 1<<18)
	inputs := map[string]*bytes.Buffer{"text": {}, "log": {}, "csv": {}, "u32": {}, "monitor": {}}
	inputs["csv"].WriteString("time,key,size\n")
	for i := range accesses {
		k := uint32(zipf.Uint64())
		fmt.Fprintf(inputs["text"], "user:%d:profile\n", k)
		fmt.Fprintln(inputs["log"], strings.Replace(combined, "x=1", fmt.Sprint("x=", k), 1))
		fmt.Fprintf(inputs["csv"], "%d,user:%d,%d\n", i, k, k%1000)
		fmt.Fprintf(inputs["monitor"], "1.%06d [0 127.0.0.1:6379] \"get\" \"user:%d\"\n", i, k)
		inputs["u32"].WriteString(u32(k))
	}
	for _, name := range []string{"text", "log", "csv", "monitor", "u32"} {
		b.Run(name, func(b *testing.B) {
			in := inputs[name].Bytes()
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				t, err := trace.Read(bytes.NewReader(in), trace.Options{})
				if err != nil || len(t.Keys) != accesses || t.Format != name {
					b.Fatal(t.Format, len(t.Keys), err)
				}
			}
			b.ReportMetric(accesses*float64(b.N)/b.Elapsed().Seconds()/1e6, "M/s")
		})
	}
}
