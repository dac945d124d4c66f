// arch_test.go holds the table of who may import whom, and fails on anything else.

package larder_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/larder-go/larder"

// layers lists the packages from the ground up. A package may import packages of layers below its
// own, nothing beside it and nothing above, except what beside allows. Changing this table is a
// commit of its own, with a reason.
var layers = [][]string{
	{"stats", "policy", "trace", "codec", "gallery/thumb"},
	{"store", "prefetch", "internal/shadow", "stats/statstest"},
	{"policy/policytest", "sim", "store/compressed", "store/disk", "store/redis", "store/memcached",
		"store/storetest", "codec/codectest", "codec/msgpack", "watch/postgres", "prefetch/files", "."},
	{"metrics/prom", "metrics/otel", "metrics/vars", "dash", "httpcache", "sqlcache", "artifact"},
	{"sqlcache/postgres", "sqlcache/sqlite"},
	{"scrape", "gallery", "scrape/sitemap", "proxy/http3", "fragment", "browsercache"},
	{"proxy"},
	{"cmd/larder"},
}

// foreign lists the modules outside of the standard library that a package may import: one client,
// one package. Tests may use more.
var foreign = map[string][]string{
	".":                                  {},
	"store":                              {}, // the root will use it
	"policy":                             {}, // the root uses it
	"trace":                              {"github.com/klauspost/compress"},
	"sim":                                {},
	"store/compressed":                   {"github.com/klauspost/compress"},
	"store/disk":                         {"github.com/cespare/xxhash/v2", "golang.org/x/sys"},
	"store/redis":                        {"github.com/redis/rueidis"},
	"store/memcached":                    {"github.com/bradfitz/gomemcache"},
	"codec":                              {}, // the root uses it
	"codec/msgpack":                      {"github.com/vmihailenco/msgpack/v5"},
	"watch/postgres":                     {"github.com/jackc/pgx/v5"},
	"internal/servers":                   {"github.com/Shopify/toxiproxy/v2"},
	"httpcache":                          {},
	"sqlcache":                           {},
	"sqlcache/sqlite":                    {},
	"sqlcache/postgres":                  {"github.com/wasilibs/go-pgquery", "github.com/jackc/pgx/v5"},
	"artifact":                           {},
	"stats":                              {}, // the root uses it
	"dash":                               {},
	"metrics/prom":                       {"github.com/prometheus/client_golang", "github.com/prometheus/client_model"},
	"metrics/otel":                       {"go.opentelemetry.io/otel", "go.opentelemetry.io/otel/metric"},
	"metrics/vars":                       {},
	"examples/metrics":                   {"github.com/prometheus/client_golang"},
	"examples/ml-train-in-go":            {"gonum.org/v1/gonum"},
	"examples/database-results-postgres": {"github.com/jackc/pgx/v5"},
	"examples/database-results-sqlite":   {"modernc.org/sqlite"},
	"internal/contentcoding":             {"github.com/klauspost/compress", "github.com/andybalholm/brotli"},
	"proxy":                              {"github.com/BurntSushi/toml", "golang.org/x/net", "golang.org/x/sys"},
	"proxy/http3":                        {"github.com/quic-go/quic-go"},
	"scrape": {"golang.org/x/net", "golang.org/x/time", "golang.org/x/text", "golang.org/x/sync",
		"github.com/PuerkitoBio/goquery", "github.com/andybalholm/cascadia"},
	"prefetch":           {},
	"internal/jpegthumb": {},
	"internal/browser":   {"github.com/chromedp/chromedp", "github.com/chromedp/cdproto"},
	"gallery/thumb":      {"golang.org/x/image", "golang.org/x/sync", "github.com/bep/imagemeta"},
	"internal/slowshare": {"github.com/hanwen/go-fuse/v2"},
	"gallery":            {"golang.org/x/sync", "github.com/fsnotify/fsnotify", "github.com/maruel/natural"},
	"cmd/larder": {"github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/term",
		"golang.org/x/sys"},
}

// listed is what the go command says of a package.
type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
	Standard   bool
	Module     *struct{ Path string }
}

func listPackages(t *testing.T, args ...string) (all []listed) {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Deps,Standard,Module"}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// short is the name of a package in the tables.
func short(importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}

// layerOf returns the number of a package's layer. Internal packages that are in none are ground,
// examples and commands of the tests stand above all.
func layerOf(name string) (int, bool) {
	for i, layer := range layers {
		if slices.Contains(layer, name) {
			return i, true
		}
	}
	switch {
	case strings.HasPrefix(name, "internal/"):
		return -1, true
	case name == "examples", strings.HasPrefix(name, "examples/"):
		return len(layers), true
	}
	return 0, false
}

func TestImportsGoDown(t *testing.T) {
	for _, p := range listPackages(t, "./...") {
		name := short(p.ImportPath)
		own, ok := layerOf(name)
		if !ok {
			t.Errorf("%s is in no layer", name)
			continue
		}
		for _, imported := range p.Imports {
			if imported != module && !strings.HasPrefix(imported, module+"/") {
				continue
			}
			if layer, ok := layerOf(short(imported)); ok && layer >= own {
				t.Errorf("%s imports %s, which is not below it", name, short(imported))
			}
		}
	}
}

func TestForeignModulesStayInTheirPackages(t *testing.T) {
	modules := map[string]string{}
	for _, p := range listPackages(t, "-deps", "./...") {
		if p.Module != nil && p.Module.Path != module {
			modules[p.ImportPath] = p.Module.Path
		}
	}
	for _, p := range listPackages(t, "./...") {
		name := short(p.ImportPath)
		for _, imported := range p.Imports {
			if m, ok := modules[imported]; ok && !slices.Contains(foreign[name], m) {
				t.Errorf("%s imports %s: module %s is not on its list", name, imported, m)
			}
		}
	}
}

// TestRootLinksTheStandardLibraryAlone is the promise to whoever imports larder alone.
func TestRootLinksTheStandardLibraryAlone(t *testing.T) {
	refused := []string{"net/http", "database/sql", "os/exec"}
	for _, p := range listPackages(t, "-deps", ".") {
		if p.Module != nil && p.Module.Path != module {
			t.Errorf("the root links %s", p.ImportPath)
		}
		if slices.Contains(refused, p.ImportPath) {
			t.Errorf("the root links %s", p.ImportPath)
		}
	}
}

// TestPackageNamesSayWhatTheyDo keeps rooms without a purpose out of the house.
func TestPackageNamesSayWhatTheyDo(t *testing.T) {
	refused := []string{"util", "utils", "common", "core", "pkg", "helper", "helpers", "types", "misc"}
	for _, p := range listPackages(t, "./...") {
		if slices.Contains(refused, path.Base(p.ImportPath)) {
			t.Errorf("%s: what is it for?", p.ImportPath)
		}
	}
}
