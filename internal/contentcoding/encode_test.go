// encode_test.go tests that what is encoded comes back, and that nothing comes back without bound.

package contentcoding_test

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"

	"github.com/larder-go/larder/internal/contentcoding"
)

// text returns n bytes that compress as source code does: this file, over and over, with numbers.
func text(t testing.TB, n int) []byte {
	t.Helper()
	source, err := os.ReadFile("encode_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for i := 0; len(out) < n; i++ {
		line := source[i*61%(len(source)-61):][:61]
		out = fmt.Appendf(out, "%d: %s", i*7919, line)
	}
	return out[:n]
}

func TestEncodeAndDecodeEachSize(t *testing.T) {
	for _, coding := range offered {
		for _, n := range []int{0, 1, 100, 16 << 10, 16<<10 + 1, 200 << 10, 1<<20 + 1} {
			body := text(t, n)
			encoded, err := contentcoding.Encode(coding, body)
			if err != nil {
				t.Fatalf("%s of %d bytes: %v", coding, n, err)
			}
			if n > 1000 && !contentcoding.Worth(n, len(encoded)) {
				t.Errorf("%s makes %d bytes of %d", coding, len(encoded), n)
			}
			got, err := contentcoding.Decode(coding, encoded, int64(n))
			if err != nil || !bytes.Equal(got, body) {
				t.Errorf("%s of %d bytes: got %d back, %v", coding, n, len(got), err)
			}
		}
	}
}

func TestZstdNeverWantsALargerWindowThanHTTPAllows(t *testing.T) {
	for _, n := range []int{100, 1 << 20, 8 << 20, 8<<20 + 1, 20 << 20} {
		encoded, err := contentcoding.Encode("zstd", bytes.Repeat([]byte("0123456789abcdef"), n/16))
		if err != nil {
			t.Fatal(err)
		}
		var h zstd.Header
		if err := h.Decode(encoded); err != nil {
			t.Fatal(err)
		}
		window := h.WindowSize
		if h.SingleSegment {
			window = h.FrameContentSize
		}
		if window > 8<<20 {
			t.Errorf("a body of %d bytes wants a window of %d", n, window)
		}
	}
}

func TestWriterFlushesWhatItWasGiven(t *testing.T) {
	for _, coding := range offered {
		var out bytes.Buffer
		w, err := contentcoding.NewWriter(coding, &out)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, "first")
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		r, _ := contentcoding.NewReader(coding, bytes.NewReader(out.Bytes()), 100)
		got := make([]byte, 5)
		if _, err := io.ReadFull(r, got); err != nil || string(got) != "first" {
			t.Errorf("%s: got %q, %v after Flush", coding, got, err)
		}
		io.WriteString(w, " second")
		if err := errors.Join(w.Close(), w.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("x")); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: Write after Close: %v", coding, err)
		}
		if err := w.Flush(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: Flush after Close: %v", coding, err)
		}
		all, err := contentcoding.Decode(coding, out.Bytes(), 100)
		if err != nil || string(all) != "first second" {
			t.Errorf("%s: got %q, %v", coding, all, err)
		}
	}
}

func TestWriterReportsWhatFailsBelow(t *testing.T) {
	for _, coding := range offered {
		w, err := contentcoding.NewWriter(coding, brokenPipe{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Write(text(t, 1<<20))
		if err := errors.Join(err, w.Close()); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: got %v", coding, err)
		}
		// The encoder of the failed stream must serve the next one.
		if got, err := contentcoding.Encode(coding, []byte("next")); err != nil || len(got) == 0 {
			t.Errorf("%s: got %q, %v", coding, got, err)
		}
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestManyEncodeAtOnce(t *testing.T) {
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			coding, body := offered[i%len(offered)], text(t, 1000*i)
			encoded, err := contentcoding.Encode(coding, body)
			if err != nil {
				t.Error(err)
				return
			}
			got, err := contentcoding.Decode(coding, encoded, 1<<20)
			if err != nil || !bytes.Equal(got, body) {
				t.Errorf("%s of %d bytes: %v", coding, len(body), err)
			}
		})
	}
	all.Wait()
}

func TestUnknownCodingsAreRefused(t *testing.T) {
	for _, coding := range []string{"", "identity", "compress", "GZIP", "deflate"} {
		if _, err := contentcoding.Encode(coding, nil); !errors.Is(err, contentcoding.ErrCoding) {
			t.Errorf("Encode(%q): %v", coding, err)
		}
		if _, err := contentcoding.NewWriter(coding, io.Discard); !errors.Is(err,
			contentcoding.ErrCoding) {
			t.Errorf("NewWriter(%q): %v", coding, err)
		}
	}
	_, err := contentcoding.Decode("compress", nil, 1)
	if !errors.Is(err, contentcoding.ErrCoding) {
		t.Errorf("Decode: %v", err)
	}
}

func TestDecodeReadsBothKindsOfDeflate(t *testing.T) {
	var framed, bare bytes.Buffer
	z := zlib.NewWriter(&framed)
	d, _ := flate.NewWriter(&bare, 9)
	for _, w := range []io.WriteCloser{z, d} {
		io.WriteString(w, "deflated")
		w.Close()
	}
	for _, body := range [][]byte{framed.Bytes(), bare.Bytes()} {
		got, err := contentcoding.Decode("deflate", body, 100)
		if err != nil || string(got) != "deflated" {
			t.Errorf("%x: got %q, %v", body, got, err)
		}
	}
}

func TestDecodeStopsAtTheLimit(t *testing.T) {
	zeros := make([]byte, 8<<20)
	for _, coding := range offered {
		bomb, err := contentcoding.Encode(coding, zeros)
		if err != nil {
			t.Fatal(err)
		}
		got, err := contentcoding.Decode(coding, bomb, 1000)
		if !errors.Is(err, contentcoding.ErrTooLarge) || len(got) != 1000 {
			t.Errorf("%s: got %d bytes, %v", coding, len(got), err)
		}
		if _, err := contentcoding.Decode(coding, bomb, int64(len(zeros))); err != nil {
			t.Errorf("%s at its limit: %v", coding, err)
		}
		if _, err := contentcoding.Decode(coding, bomb, math.MaxInt64); err != nil {
			t.Errorf("%s without one: %v", coding, err)
		}
		r, _ := contentcoding.NewReader(coding, bytes.NewBuffer(bomb), 1000)
		n, err := io.Copy(io.Discard, r)
		if n != 1000 || !errors.Is(err, contentcoding.ErrTooLarge) {
			t.Errorf("%s of a buffer: got %d bytes, %v", coding, n, err)
		}
		r.Close()
	}
}

func TestDecodeRefusesALargeWindow(t *testing.T) {
	var out bytes.Buffer
	w, _ := zstd.NewWriter(&out, zstd.WithWindowSize(16<<20), zstd.WithSingleSegment(false))
	w.Write(text(t, 1<<20))
	w.Close()
	if _, err := contentcoding.Decode("zstd", out.Bytes(), 1<<20); !errors.Is(err,
		zstd.ErrWindowSizeExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestDecodeNoticesACutBody(t *testing.T) {
	for _, coding := range offered {
		encoded, _ := contentcoding.Encode(coding, text(t, 10000))
		for _, n := range []int{1, 2, 10, len(encoded) / 2, len(encoded) - 1} {
			_, err := contentcoding.Decode(coding, encoded[:n], 1<<20)
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s cut after %d of %d bytes: %v", coding, n, len(encoded), err)
			}
		}
		r, _ := contentcoding.NewReader(coding, iotest.ErrReader(io.ErrClosedPipe), 1<<20)
		if _, err := io.ReadAll(r); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s of a reader that fails: %v", coding, err)
		}
		r.Close()
	}
	if _, err := contentcoding.Decode("deflate", []byte{0x78}, 10); !errors.Is(err,
		io.ErrUnexpectedEOF) {
		t.Errorf("deflate: %v", err)
	}
}

func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("hello, hello, hello"))
	f.Add(make([]byte, 1000))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, coding := range offered {
			encoded, err := contentcoding.Encode(coding, body)
			if err != nil {
				t.Fatal(err)
			}
			got, err := contentcoding.Decode(coding, encoded, int64(len(body)))
			if err != nil || !bytes.Equal(got, body) {
				t.Fatalf("%s of %q: got %q, %v", coding, body, got, err)
			}
		}
	})
}

// FuzzDecode holds the decoders to their limit, whatever they read.
func FuzzDecode(f *testing.F) {
	codings := append([]string{"deflate"}, offered...)
	for i, coding := range codings {
		encoded, err := contentcoding.Encode(coding, bytes.Repeat([]byte("x"), 5000))
		if err == nil {
			f.Add(uint8(i), encoded)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		coding := codings[int(which)%len(codings)]
		got, err := contentcoding.Decode(coding, body, 4096)
		if len(got) > 4096 {
			t.Fatalf("%s: got %d bytes, %v", coding, len(got), err)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	for _, coding := range offered {
		for _, n := range []int{1 << 10, 10 << 10, 100 << 10, 1 << 20} {
			b.Run(fmt.Sprintf("%s/%dKiB", coding, n>>10), func(b *testing.B) {
				body := text(b, n)
				b.SetBytes(int64(n))
				b.ReportAllocs()
				size := 0
				for b.Loop() {
					encoded, err := contentcoding.Encode(coding, body)
					if err != nil {
						b.Fatal(err)
					}
					size = len(encoded)
				}
				b.ReportMetric(float64(n)/float64(size), "ratio")
			})
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, coding := range offered {
		b.Run(coding, func(b *testing.B) {
			body := text(b, 100<<10)
			encoded, _ := contentcoding.Encode(coding, body)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := contentcoding.Decode(coding, encoded, 1<<20); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
