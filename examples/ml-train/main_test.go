// main_test.go trains through larder: once, and once more when the data have changed.

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestTrainsOncePerContent(t *testing.T) {
	dir := t.TempDir()
	build(t, dir)
	for _, name := range []string{"main.go", "data.csv", "train.sh"} {
		copyFile(t, name, filepath.Join(dir, name))
	}
	first, said := trainThrough(t, dir)
	if !strings.HasPrefix(first, `{"slope":`) || !strings.Contains(said, "y = ") {
		t.Errorf("got %q, %q, want a model", first, said)
	}
	if err := os.Remove(filepath.Join(dir, "model.json")); err != nil {
		t.Fatal(err)
	}
	fixGo := breakGo(t, dir)
	if again, saidAgain := trainThrough(t, dir); again != first || saidAgain != said {
		t.Errorf("got %q, %q, then %q, %q", first, said, again, saidAgain)
	}
	fixGo()
	err := os.WriteFile(filepath.Join(dir, "data.csv"), []byte("0,0\n1,1\n"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if other, _ := trainThrough(t, dir); other == first {
		t.Errorf("other data, same model %q", other)
	}
}

// build puts larder where train.sh finds it.
func build(t *testing.T, dir string) {
	t.Helper()
	out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "bin", "larder"),
		"github.com/larder-go/larder/cmd/larder").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Setenv("PATH", filepath.Join(dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("LARDER_CACHE_DIR", filepath.Join(dir, "cache"))
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// breakGo hides the go command behind one that fails, so that only the cache can answer.
func breakGo(t *testing.T, dir string) (fix func()) {
	t.Helper()
	fake := filepath.Join(dir, "bin", "go")
	if err := os.WriteFile(fake, []byte("#!/bin/sh\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return func() { os.Remove(fake) }
}

// trainThrough returns the model, and what was printed.
func trainThrough(t *testing.T, dir string) (model, said string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(dir, "train.sh"))
	var talk bytes.Buffer
	cmd.Stderr = &talk
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &talk)
	}
	b, err := os.ReadFile(filepath.Join(dir, "model.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b), string(out)
}
