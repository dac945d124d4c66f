// gallery_test.go serves a gallery as people do, and asks it as strangers do.

//go:build unix

package main

import (
	"bufio"
	"bytes"
	"image"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallJPEG is a picture of 40 x 30 pixels.
func smallJPEG(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// gallery starts larder gallery and returns where it serves.
func (s *scene) gallery(args ...string) (url string, cmd *exec.Cmd) {
	s.t.Helper()
	cmd = exec.Command("larder", append([]string{"gallery"}, args...)...)
	cmd.Dir, cmd.Env = s.dir, s.environ()
	out, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { cmd.Process.Kill() }) // one that has ended does not mind
	said, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(said), "larder: gallery: ")
	if err != nil || !ok {
		s.t.Fatalf("it says %q, %v", said, err)
	}
	return url, cmd
}

// asked asks under the name host, and returns status and body.
func (s *scene) asks(url, host string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestGalleryServesBelowItsPrefixUnderItsNamesUntilItIsInterrupted(t *testing.T) {
	s := newScene(t)
	if err := os.Mkdir(filepath.Join(s.dir, "pictures"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "pictures", "a.jpg"), smallJPEG(t), 0o600); err != nil {
		t.Fatal(err)
	}
	url, cmd := s.gallery("--listen", "127.0.0.1:0", "--prefix", "/photos/", "--host", "my.example", "pictures")
	if !strings.HasSuffix(url, "/photos/") {
		t.Errorf("it serves at %s", url)
	}
	for host, want := range map[string]int{
		"": 200, "localhost:1": 200, "[::1]:8484": 200, "192.168.1.7": 200, "my.example": 200,
		"MY.example:80": 200, "evil.example": 403, "localhost.evil.example": 403,
	} {
		if got, body := s.asks(url, host); got != want || want == 200 && !strings.Contains(body, "pictures") {
			t.Errorf("as %q: %d, want %d: %.100s", host, got, want, body)
		}
	}
	if got, _ := s.asks(strings.TrimSuffix(url, "/"), ""); got != 200 {
		t.Errorf("without the slash: %d", got)
	}
	if got, _ := s.asks(strings.TrimSuffix(url, "photos/"), ""); got != 404 {
		t.Errorf("above the prefix: %d", got)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	s.ends(cmd, 0)
	if left, err := os.ReadDir(filepath.Join(s.dir, "pictures")); err != nil || len(left) != 1 {
		t.Errorf("in the folder there is %v, %v", left, err)
	}
}

func TestGalleryOfAddressesRefusesPrivateOnesUnlessToldOtherwise(t *testing.T) {
	s := newScene(t)
	picture := smallJPEG(t)
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(picture)
	}))
	defer shop.Close()
	list := "\ufeff# products\n" + shop.URL + "/tea.jpg\n"
	if err := os.WriteFile(filepath.Join(s.dir, "urls.txt"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		flags []string
		want  string
	}{
		{nil, "a public address"},
		{[]string{"--allow-private"}, "\xff\xd8"},
	} {
		url, _ := s.gallery(append(c.flags, "--listen", "127.0.0.1:0", "--urls", "urls.txt")...)
		_, body := s.asks(url+"list", "")
		_, id, _ := strings.Cut(body, `"id":"`)
		id, _, _ = strings.Cut(id, `"`)
		if _, body := s.asks(url+"thumb/"+id+"?size=320", ""); !strings.Contains(body, c.want) {
			t.Errorf("%v: %.400q", c.flags, body)
		}
	}
}
