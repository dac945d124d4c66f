// config_test.go proves that every mistake in a file is one clear line.

package proxy_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/proxy"
)

var update = flag.Bool("update", false, "write what is said of testdata/config")

func TestSaysEveryMistakeInALine(t *testing.T) {
	files, err := filepath.Glob("testdata/config/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			c, err := proxy.Load(file)
			if err == nil {
				err = proxy.Check(c)
			}
			var mistakes proxy.Mistakes
			if !errors.As(err, &mistakes) {
				t.Fatalf("got %v, want mistakes", err)
			}
			got := mistakes.Error() + "\n"
			golden := strings.TrimSuffix(file, "toml") + "golden"
			if *update {
				write(t, mustAbs(t, golden), got)
			}
			want, _ := os.ReadFile(golden)
			if got != string(want) {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			if n := strings.Count(got, "\n"); n != len(mistakes) {
				t.Errorf("%d mistakes in %d lines", len(mistakes), n)
			}
		})
	}
}

func mustAbs(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadsEverythingAFileCanSay(t *testing.T) {
	c, err := proxy.Load("../examples/proxy/larder.toml")
	if err != nil {
		t.Fatal(err)
	}
	if c.Cache.Memory != 256<<20 || time.Duration(c.Cache.StaleIfError) != 24*time.Hour {
		t.Errorf("got memory %d, stale_if_error %v", c.Cache.Memory, c.Cache.StaleIfError)
	}
	if len(c.Sites) < 2 {
		t.Errorf("%d sites", len(c.Sites))
	}
}

func TestReadsSizesAndDurations(t *testing.T) {
	sizes := map[string]proxy.Size{
		"0": 0, "65536": 65536, "64KiB": 64 << 10, "1.5M": 3 << 19, "10MB": 10_000_000, "2 GiB": 2 << 30,
	}
	for text, want := range sizes {
		var got proxy.Size
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "-1", "1XB", "1e300", "NaN", "KiB"} {
		if err := new(proxy.Size).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is a size", text)
		}
	}
	durations := map[string]time.Duration{"0s": 0, "1h30m": 90 * time.Minute, "7d": 168 * time.Hour}
	for text, want := range durations {
		var got proxy.Duration
		if err := got.UnmarshalText([]byte(text)); err != nil || time.Duration(got) != want {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "5", "-1s", "1e9d", "200y", "NaNd", "9999999h"} {
		if err := new(proxy.Duration).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is a duration", text)
		}
	}
}

func TestFileThatIsNoneIsAnError(t *testing.T) {
	if _, err := proxy.Load("testdata/none.toml"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	huge := write(t, "huge.toml", strings.Repeat("#\n", 3<<20))
	if _, err := proxy.Load(huge); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("got %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("listen = [\":80\"]\n[[site]]\nto = \"http://a\"\n")
	f.Add("a = \"\"\"\n[x\n\"\"\"\n[cache]\nmemory = ']'\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(dir, "f.toml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := proxy.Load(file)
		var mistakes proxy.Mistakes
		if err != nil && !errors.As(err, &mistakes) {
			t.Errorf("%v is no mistake in the file", err)
		}
	})
}
