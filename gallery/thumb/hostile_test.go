// hostile_test.go makes thumbnails of files that were written to do harm, or are broken.

package thumb_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/image/tiff"

	"github.com/larder-go/larder/gallery/thumb"
	"github.com/larder-go/larder/internal/jpegthumb/jpegtest"
)

// peak returns how much the heap grew at most while f ran: what the collector has not yet freed
// included.
func peak(f func()) int64 {
	heap := func() int64 {
		s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(s)
		return int64(s[0].Value.Uint64())
	}
	before, most := heap(), int64(0)
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		for tick := time.NewTicker(time.Millisecond); ; {
			most = max(most, heap()-before)
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	f()
	close(done)
	watch.Wait()
	return most
}

// tiffOf returns a TIFF of nothing but a directory of numbers.
func tiffOf(entries ...[2]uint32) []byte {
	b := []byte("II*\x00\x08\x00\x00\x00")
	b = binary.LittleEndian.AppendUint16(b, uint16(len(entries)))
	for _, e := range entries {
		b = binary.LittleEndian.AppendUint16(b, uint16(e[0]))
		b = append(b, 4, 0, 1, 0, 0, 0)
		b = binary.LittleEndian.AppendUint32(b, e[1])
	}
	return append(b, 0, 0, 0, 0)
}

// bmpOf returns the header of a BMP.
func bmpOf(w, h uint32) []byte {
	b := append([]byte("BM"), make([]byte, 52)...)
	binary.LittleEndian.PutUint32(b[10:], 54)
	binary.LittleEndian.PutUint32(b[14:], 40)
	binary.LittleEndian.PutUint32(b[18:], w)
	binary.LittleEndian.PutUint32(b[22:], h)
	b[26], b[28] = 1, 24
	return b
}

// webpOf returns the header of a lossless WebP.
func webpOf(w, h int) []byte {
	body := []byte("VP8L\x40\x00\x00\x00\x2f")
	body = binary.LittleEndian.AppendUint32(body, uint32(w-1)|uint32(h-1)<<14)
	body = append(body, make([]byte, 59)...)
	b := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(4+len(body)))...)
	return append(append(b, "WEBP"...), body...)
}

// jpegOf returns the header of a JPEG with w x h pixels, and a little data.
func jpegOf(w, h int, sof byte) []byte {
	data := jpegtest.Encode(jpegtest.Picture(64, 64, 1), jpegtest.Options{H: 2, V: 2})
	at := bytes.Index(data, []byte{0xff, 0xc1})
	data[at+1] = sof
	binary.BigEndian.PutUint16(data[at+5:], uint16(h))
	binary.BigEndian.PutUint16(data[at+7:], uint16(w))
	return data
}

func TestHugeHeadersAreRefusedBeforeAnythingIsDecoded(t *testing.T) {
	zeros := chunk("IDAT", deflate(make([]byte, 1<<20)))
	for name, data := range map[string][]byte{
		"PNG":            slices.Concat(pngHead(60000, 60000, 8, 6, 0), zeros),
		"PNG of 16 bit":  slices.Concat(pngHead(6000, 6000, 16, 6, 0), zeros),
		"PNG interlaced": slices.Concat(pngHead(6000, 6000, 8, 6, 1), zeros),
		"PNG overflow":   slices.Concat(pngHead(1<<31-1, 1<<31-1, 16, 6, 1), zeros),
		"GIF": []byte("GIF89a\x60\xea\x60\xea\x00\x00\x00,\x00\x00\x00\x00" +
			"\x60\xea\x60\xea\x00\x02"),
		"BMP":           bmpOf(60000, 60000),
		"WebP":          webpOf(16384, 16384),
		"TIFF":          tiffOf([2]uint32{256, 60000}, [2]uint32{257, 60000}, [2]uint32{258, 8}),
		"TIFF overflow": tiffOf([2]uint32{256, 1<<32 - 1}, [2]uint32{257, 1<<32 - 1}),
		"TIFF of one compressed strip": tiffOf([2]uint32{256, 6000}, [2]uint32{257, 6000},
			[2]uint32{258, 8}, [2]uint32{259, 8}),
		"TIFF of huge tiles": tiffOf([2]uint32{256, 9000}, [2]uint32{257, 9000}, [2]uint32{258, 8},
			[2]uint32{259, 8}, [2]uint32{322, 9000}, [2]uint32{323, 9000}),
		"CMYK": cmykHead(60000, 60000),
	} {
		var err error
		grown := peak(func() { _, err = alone().Make(context.Background(), file(data), 320) })
		if !errors.Is(err, thumb.ErrTooLarge) {
			t.Errorf("%s: %v, want ErrTooLarge", name, err)
		}
		if grown > 8<<20 {
			t.Errorf("%s: %d MiB before it was refused", name, grown>>20)
		}
	}
}

// cmykHead is the beginning of a CMYK JPEG.
func cmykHead(w, h int) []byte { return cmyk(w, h)[:300] }

func TestAJPEGThatIsTooShortForItsHeaderIsDamaged(t *testing.T) {
	for _, sof := range []byte{0xc0, 0xc1, 0xc2} {
		var err error
		data := jpegOf(60000, 60000, sof)
		grown := peak(func() { _, err = alone().Make(context.Background(), file(data), 320) })
		if !errors.Is(err, thumb.ErrDamaged) || grown > 8<<20 {
			t.Errorf("%x: %v, %d MiB", sof, err, grown>>20)
		}
	}
}

func TestAJPEGAsLargeAsItSaysIsStillBounded(t *testing.T) {
	data := append(jpegOf(60000, 60000, 0xc0), make([]byte, 30<<20)...)
	small := thumb.New(thumb.Options{Memory: 32 << 20})
	_, err := small.Make(context.Background(), file(data), 320)
	if !errors.Is(err, thumb.ErrTooLarge) || !strings.Contains(err.Error(), "32 MiB") {
		t.Errorf("got %v, want ErrTooLarge, of 32 MiB", err)
	}
}

// bombs are files that unpack to a lot, or say that they do.
func bombs(t testing.TB) map[string][]byte {
	zeros := deflate(make([]byte, 64<<20))
	plain := asPNG(t, jpegtest.Picture(40, 30, 1))
	with := func(name string, data []byte) []byte {
		return slices.Concat(plain[:33], chunk(name, data), plain[33:])
	}
	m := jpegtest.Picture(40, 30, 1)
	behind := func(segments []byte) []byte {
		return jpegtest.Encode(m, jpegtest.Options{Extra: segments})
	}
	return map[string][]byte{
		"more pixels than the header says": slices.Concat(pngHead(40, 30, 8, 2, 0),
			chunk("IDAT", zeros), chunk("IEND", nil)),
		"profile":    with("iCCP", append([]byte("x\x00\x00"), zeros...)),
		"text":       with("zTXt", append([]byte("x\x00\x00"), zeros...)),
		"other text": with("iTXt", append([]byte("x\x00\x01\x00\x00\x00"), zeros...)),
		"EXIF":       with("eXIf", zeros),
		"EXIF loop": with("eXIf", []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x87\x69\x00\x04"+
			"\x00\x00\x00\x01\x00\x00\x00\x08\x00\x00\x00\x08")),
		"EXIF beyond":         with("eXIf", []byte("II*\x00\xff\xff\xff\xff")),
		"EXIF in a JPEG":      behind(app1(500)),
		"segments":            behind(bytes.Repeat(app1(65000), 200)),
		"tables":              behind(bytes.Repeat(table(), 20000)),
		"TIFF directory loop": tiffLoop(asTIFF(t, m, tiff.Deflate)),
	}
}

// app1 returns an EXIF segment whose block has pointers to itself.
func app1(n int) []byte {
	block := []byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08")
	block = append(block, 0, 40)
	for range 40 {
		block = append(block, 0x87, 0x69, 0, 4, 0, 0, 0, 1, 0, 0, 0, 8)
	}
	block = append(block, make([]byte, max(0, n-len(block)))...)
	b := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(block)+2))
	return append(b, block...)
}

// table returns a Huffman table.
func table() []byte {
	return append([]byte{0xff, 0xc4, 0, 20, 0, 1}, make([]byte, 16)...)
}

// tiffLoop has the directory of a TIFF be followed by itself.
func tiffLoop(data []byte) []byte {
	at := binary.LittleEndian.Uint32(data[4:])
	n := binary.LittleEndian.Uint16(data[at:])
	binary.LittleEndian.PutUint32(data[at+2+12*uint32(n):], at)
	return data
}

func TestWhatHidesInAFileStaysBounded(t *testing.T) {
	for name, data := range bombs(t) {
		var err error
		began := time.Now()
		grown := peak(func() { _, err = alone().Make(context.Background(), file(data), 320) })
		if err != nil && !errors.Is(err, thumb.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(began); grown > 16<<20 || took > 5*time.Second {
			t.Errorf("%s: %d MiB, %v", name, grown>>20, took)
		}
	}
}

func TestTruncatedFilesAreDamagedInEveryFormat(t *testing.T) {
	for name, data := range formats(t, jpegtest.Picture(120, 90, 1)) {
		for _, share := range []float64{0.02, 0.3, 0.8} {
			part := data[:int(float64(len(data))*share)]
			_, err := alone().Make(context.Background(), file(part), 50)
			if !errors.Is(err, thumb.ErrDamaged) {
				t.Errorf("%s, %g of it: %v, want ErrDamaged", name, share, err)
			}
		}
	}
}

func TestErrorsOfReadingAreNotThePicturesFault(t *testing.T) {
	failure := errors.New("share is gone")
	data := asPNG(t, jpegtest.Picture(400, 300, 1))
	f := file(data)
	f.Reader = &broken{Reader: bytes.NewReader(data), after: headLen, failure: failure}
	_, err := alone().Make(context.Background(), f, 50)
	if !errors.Is(err, failure) || errors.Is(err, thumb.ErrDamaged) {
		t.Errorf("got %v, want %v", err, failure)
	}
}

const headLen = 128 << 10 // what is read of every file

// broken fails after some bytes, or waits if failure is nil.
type broken struct {
	*bytes.Reader
	read, after int
	failure     error
	then        func()
}

func (b *broken) Read(p []byte) (int, error) {
	if b.read >= b.after && b.failure != nil {
		return 0, b.failure
	}
	if b.read >= b.after && b.then != nil {
		b.then()
	}
	n, err := b.Reader.Read(p)
	b.read += n
	return n, err
}

func TestACancelledContextStopsEveryDecoder(t *testing.T) {
	for name, data := range formats(t, jpegtest.Picture(700, 500, 1)) {
		if len(data) < 2*headLen {
			continue // read at once
		}
		ctx, cancel := context.WithCancel(context.Background())
		f := file(data)
		b := &broken{Reader: bytes.NewReader(data), after: headLen + 1, then: cancel}
		f.Reader = b
		_, err := alone().Make(ctx, f, 50)
		if !errors.Is(err, context.Canceled) || errors.Is(err, thumb.ErrDamaged) {
			t.Errorf("%s: got %v", name, err)
		}
		cancel()
	}
}

func TestALargePNGStopsWithinMilliseconds(t *testing.T) {
	rows := deflate(make([]byte, 5001*5000)) // gray, unpacked from a few KB
	data := slices.Concat(pngHead(5000, 5000, 8, 0, 0), chunk("IDAT", rows), chunk("IEND", nil))
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := alone().Make(ctx, file(data), 320)
	took := time.Since(began)
	if !errors.Is(err, context.DeadlineExceeded) || took > 500*time.Millisecond {
		t.Errorf("%v after %v", err, took)
	}
}

func TestAllPicturesTogetherStayWithinTheMemory(t *testing.T) {
	rows := deflate(make([]byte, 1500*(1+4*1500)))
	data := slices.Concat(pngHead(1500, 1500, 8, 6, 0), chunk("IDAT", rows), chunk("IEND", nil))
	const budget = 24 << 20 // two at a time
	m := thumb.New(thumb.Options{Memory: budget, Parallel: 16})
	var all sync.WaitGroup
	grown := peak(func() {
		for range 16 {
			all.Go(func() {
				if _, err := m.Make(context.Background(), file(data), 100); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
	if grown > 3*budget { // garbage included; 16 of them would be 150 MiB
		t.Errorf("%d MiB, of %d", grown>>20, budget>>20)
	}
}

func TestWhoWaitsForMemoryGivesUpWithItsContext(t *testing.T) {
	m := thumb.New(thumb.Options{Parallel: 1})
	ctx, cancel := context.WithCancel(context.Background())
	data := asPNG(t, jpegtest.Picture(400, 400, 1))
	held := make(chan struct{})
	f := file(data)
	f.Reader = &broken{Reader: bytes.NewReader(data), then: func() { close(held); <-ctx.Done() }}
	var first sync.WaitGroup
	first.Go(func() { m.Make(ctx, f, 10) })
	<-held
	late, stop := context.WithTimeout(context.Background(), time.Millisecond)
	defer stop()
	if _, err := m.Make(late, file(data), 10); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	cancel()
	first.Wait()
	if _, err := m.Make(context.Background(), file(data), 10); err != nil {
		t.Errorf("after that: %v", err)
	}
}

func TestManyGoroutinesShareAMaker(t *testing.T) {
	all := formats(t, jpegtest.Picture(150, 100, 1))
	m := alone()
	var group sync.WaitGroup
	for range 4 {
		for name, data := range all {
			group.Go(func() {
				if _, err := m.Make(context.Background(), file(data), 40); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
	}
	group.Wait()
}

// FuzzMake makes thumbnails of any bytes, in bounded time and memory.
func FuzzMake(f *testing.F) {
	for _, data := range formats(f, jpegtest.Picture(9, 7, 1)) {
		f.Add(data)
	}
	f.Add(webpOf(9, 7))
	f.Add(cmyk(16, 8))
	f.Add(jpegtest.Encode(jpegtest.Picture(9, 7, 1), jpegtest.Options{Orientation: 6,
		Scans: jpegtest.Progression(false)}))
	m := thumb.New(thumb.Options{Memory: 8 << 20, VipsThumbnail: thumb.Never, FFmpeg: thumb.Never})
	f.Fuzz(func(t *testing.T, data []byte) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		got, err := m.Make(ctx, file(data), 16)
		if ctx.Err() != nil {
			t.Fatal("it takes longer than 10 s")
		}
		if err != nil {
			return
		}
		c, _, err := image.DecodeConfig(bytes.NewReader(got.Bytes))
		if err != nil || max(c.Width, c.Height) > 16 || len(got.Hash) < 5 {
			t.Fatalf("%d x %d, %v", c.Width, c.Height, err)
		}
		m.Preview(ctx, file(data))
		if info, err := m.Size(ctx, file(data)); err != nil || info.Width != got.Width {
			t.Fatalf("%+v, %v", info, err)
		}
	})
}

// TestMemoryBoundsWhatDecodersReallyTake holds what is reserved against what is used, by pictures
// of growing size: those that are not refused have to fit.
func TestMemoryBoundsWhatDecodersReallyTake(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(5)) // garbage is not what is measured
	const memory = 3 << 20
	m := thumb.New(thumb.Options{Memory: memory, VipsThumbnail: thumb.Never, FFmpeg: thumb.Never})
	for _, side := range []int{300, 700} {
		for name, data := range formats(t, jpegtest.Picture(side, side, 1)) {
			var err error
			runtime.GC()
			grown := peak(func() { _, err = m.Make(context.Background(), file(data), 100) })
			if err != nil && !errors.Is(err, thumb.ErrTooLarge) {
				t.Errorf("%s of %d: %v", name, side, err)
			}
			if grown > memory+2<<20 {
				t.Errorf("%s of %d: %.1f MiB, %v", name, side, float64(grown)/(1<<20), err)
			}
		}
	}
}
