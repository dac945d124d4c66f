// meter_internal_test.go reads up to a bound that is nearer than that of the protocol.

package sitemap

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestMeterEndsAFileThatIsTooLarge(t *testing.T) {
	text := "<urlset>" + strings.Repeat("<url><loc>http://a/</loc></url>", 10) + "</urlset>"
	for left, want := range map[int]error{
		0: ErrTooLarge, 100: ErrTooLarge, len(text) - 1: ErrTooLarge, len(text): nil,
	} {
		in := &meter{in: bufio.NewReader(strings.NewReader(text)), left: left}
		got, err := readXML(in)
		if !errors.Is(err, want) || len(got.Pages) != min(10, max(0, left-8)/31) {
			t.Errorf("%d of %d bytes: got %d pages, %v", left, len(text), len(got.Pages), err)
		}
	}
}

func TestMeterLetsAFileOfItsBoundPass(t *testing.T) {
	in := &meter{in: bufio.NewReader(strings.NewReader("1234")), left: 4}
	if got, err := io.ReadAll(in); string(got) != "1234" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
