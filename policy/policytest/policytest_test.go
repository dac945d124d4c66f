package policytest_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/policy/policytest"
)

var update = flag.Bool("update", false, "write what happened into testdata/*.txt")

func TestEveryPolicyKeepsTheContract(t *testing.T) {
	for _, p := range policy.All() {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			policytest.Run(t, p.New)
		})
	}
}

func TestScriptsHappenAsTheySay(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			played, err := policytest.Replay(string(b))
			if err != nil {
				t.Fatal(err)
			}
			differ(t, played, string(b))
			if *update && played != string(b) {
				if err := os.WriteFile(file, []byte(played), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func differ(t *testing.T, played, script string) {
	said := strings.Split(script, "\n")
	for i, line := range strings.Split(played, "\n") {
		if line != said[i] {
			t.Errorf("line %d: %s; want %s", i+1, line, said[i])
		}
	}
}

func TestEveryPolicyHasTwoScripts(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txt")
	scripts := map[string]int{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(b), "# ") {
			t.Errorf("%s does not say what it shows", file)
		}
		for _, p := range policy.All() {
			if strings.Contains(string(b), "\npolicy "+p.Name+"\n") {
				scripts[p.Name]++
			}
		}
	}
	for _, p := range policy.All() {
		if p.Name == "Adaptive" {
			continue // it does what one of the others would
		}
		if scripts[p.Name] < 2 {
			t.Errorf("%s has %d scripts in testdata, want 2", p.Name, scripts[p.Name])
		}
	}
}

func TestReplayRefusesWhatItCannotPlay(t *testing.T) {
	for _, script := range []string{
		"a hit", "policy none", "policy LRU\na hit", "policy LRU\nmax 0", "policy LRU\nmax x",
		"policy LRU\nmax 2\na*0 miss", "policy LRU\nmax 2\nremove a", "policy LRU\nmax 2\nremove",
		"policy LRU\nmax 2\na miss\nweigh a", "policy LRU\nmax 2\na miss\nweigh a x",
		"policy LRU\nmax 2\nresize 0", "policy LRU\nmax 2\na*3 miss",
	} {
		if played, err := policytest.Replay(script); err == nil {
			t.Errorf("%q was played: %q", script, played)
		}
	}
}

func TestReplayWritesWhatHappened(t *testing.T) {
	const script = "# shows\npolicy LRU\nmax 2\na hit # why\nb miss # so\nc miss\n"
	const want = "# shows\npolicy LRU\nmax 2\na miss\nb miss # so\nc victim a\n"
	if got, err := policytest.Replay(script); err != nil || got != want {
		t.Errorf("played %q, %v; want %q", got, err, want)
	}
}

func FuzzReplay(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, script string) {
		played, err := policytest.Replay(script)
		if err != nil {
			return
		}
		if again, err := policytest.Replay(played); err != nil || again != played {
			t.Errorf("%q was played as %q, then as %q, %v", script, played, again, err)
		}
	})
}
