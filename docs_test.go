//go:build unix

// docs_test.go holds the pages to their word: links lead somewhere, Go compiles, the first ten
// minutes happen as they are shown.
//
// A block of ```go that begins with "package" is a file. Of any other a file is made: it gets its
// imports, and what comments <!-- given: --> above it on the page declare; statements get a
// function around them. Tests among them are run. Code of other libraries is in blocks of
// ```golang, which nobody compiles.
//
// All blocks of ```sh of getting-started.md are one session of a shell, in a new folder. A block
// of ```text below one has what it prints; "…" stands for anything, alone in a line for any lines.
// Blocks of ```bash need the network and are not run.

package larder_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"image"
	"image/png"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
)

// compiledPages are those whose blocks of Go are compiled.
var compiledPages = []string{"getting-started", "which-part", "coming-from", "when-not",
	"troubleshooting", "testing", "metrics", "dash"}

// docBlock is a piece of a page: a fenced block, or what an HTML comment gives.
type docBlock struct {
	kind string // the word behind the fence, or "given"
	text string
	line int // of its first line, from 1
}

// docFence begins a block or ends it.
var docFence = regexp.MustCompile("^\\s*```\\s*([a-z]*)")

// blocksOf returns the blocks of a page, in order.
func blocksOf(page string) (blocks []docBlock) {
	open := false
	for i, line := range strings.Split(page, "\n") {
		fence := docFence.FindStringSubmatch(line)
		switch {
		case !open && fence != nil:
			open, blocks = true, append(blocks, docBlock{kind: fence[1], line: i + 2})
		case !open && line == "<!-- given:":
			open, blocks = true, append(blocks, docBlock{kind: "given", line: i + 2})
		case open && (fence != nil || line == "-->"):
			open = false
		case open:
			blocks[len(blocks)-1].text += line + "\n"
		}
	}
	return blocks
}

// proseOf returns a page without its blocks and pieces of code.
func proseOf(page string) string {
	var prose strings.Builder
	inside := false
	for line := range strings.Lines(page) {
		if docFence.MatchString(line) {
			inside = !inside
		} else if !inside {
			prose.WriteString(line)
		}
	}
	return regexp.MustCompile("`[^`\n]*`").ReplaceAllString(prose.String(), "`")
}

func readPage(t *testing.T, path string) string {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// allPages returns the paths of the pages whose links are followed.
func allPages(t *testing.T) (pages []string) {
	t.Helper()
	patterns := []string{"README.md", "docs/*.md", "docs/design/*.md", "examples/README.md"}
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	return pages
}

// docHeading is a heading of Markdown, docLink where a link leads.
var (
	docHeading = regexp.MustCompile(`(?m)^#{1,6} +(.*?) *$`)
	docLink    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

// anchorsOf returns what can stand behind the # of a link to a page, by the rules of GitHub.
func anchorsOf(page string) map[string]bool {
	anchors, seen := map[string]bool{}, map[string]int{}
	var headings strings.Builder
	for _, part := range regexp.MustCompile("(?ms)^```.*?^```").Split(page, -1) {
		headings.WriteString(part)
	}
	for _, found := range docHeading.FindAllStringSubmatch(headings.String(), -1) {
		anchor := strings.Map(anchorRune, strings.ToLower(found[1]))
		if n := seen[anchor]; n > 0 {
			anchors[fmt.Sprintf("%s-%d", anchor, n)] = true
		}
		seen[anchor]++
		anchors[anchor] = true
	}
	return anchors
}

// anchorRune is what a letter of a heading becomes in an anchor; -1 is nothing.
func anchorRune(r rune) rune {
	switch {
	case r == ' ':
		return '-'
	case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r):
		return r
	}
	return -1
}

func TestLinksOfPagesLeadSomewhere(t *testing.T) {
	for _, path := range allPages(t) {
		page := readPage(t, path)
		for _, found := range docLink.FindAllStringSubmatch(proseOf(page), -1) {
			if why := deadLink(t, path, found[1]); why != "" {
				t.Errorf("%s: link to %s: %s", path, found[1], why)
			}
		}
	}
}

// deadLink says why a link of the page at path leads nowhere, or "". Other hosts are not asked.
func deadLink(t *testing.T, path, link string) (why string) {
	t.Helper()
	if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
		return ""
	}
	file, anchor, _ := strings.Cut(link, "#")
	target := path
	if file != "" {
		target = filepath.Join(filepath.Dir(path), file)
	}
	if _, err := os.Stat(target); err != nil {
		return "there is no such file"
	}
	if anchor != "" && !anchorsOf(readPage(t, target))[anchor] {
		return "there is no such heading"
	}
	return ""
}

func TestEveryPageIsInTheIndex(t *testing.T) {
	index := readPage(t, "docs/README.md")
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range pages {
		name := filepath.Base(path)
		if name != "README.md" && !strings.Contains(index, "]("+name+")") {
			t.Errorf("docs/README.md has no line on %s", name)
		}
	}
}

// docImports are the packages that blocks of Go may name.
var docImports = map[string]string{
	"context": "context", "errors": "errors", "expvar": "expvar", "fmt": "fmt", "http": "net/http",
	"httptest": "net/http/httptest", "log": "log", "os": "os", "slices": "slices", "sync": "sync",
	"synctest": "testing/synctest", "testing": "testing", "time": "time", "url": "net/url",
	"filepath": "path/filepath", "template": "html/template",
	"prometheus":   "github.com/prometheus/client_golang/prometheus",
	"larder":       module,
	"stats":        module + "/stats",
	"prom":         module + "/metrics/prom",
	"otel":         module + "/metrics/otel",
	"vars":         module + "/metrics/vars",
	"dash":         module + "/dash",
	"slog":         "log/slog",
	"store":        module + "/store",
	"storetest":    module + "/store/storetest",
	"compressed":   module + "/store/compressed",
	"disk":         module + "/store/disk",
	"redis":        module + "/store/redis",
	"memcached":    module + "/store/memcached",
	"httpcache":    module + "/httpcache",
	"scrape":       module + "/scrape",
	"policy":       module + "/policy",
	"codec":        module + "/codec",
	"fragment":     module + "/fragment",
	"prefetch":     module + "/prefetch",
	"gallery":      module + "/gallery",
	"browsercache": module + "/browsercache",
}

func TestGoOfPagesCompiles(t *testing.T) {
	folder := moduleOfPages(t)
	for _, name := range compiledPages {
		for line, source := range sourcesOf(t, "docs/"+name+".md") {
			block := fmt.Sprintf("%s/%s/line%d", folder, name, line)
			if err := os.MkdirAll(block, 0o700); err != nil {
				t.Fatal(err)
			}
			writePage(t, filepath.Join(block, nameOf(source)), source)
		}
	}
	for _, verb := range []string{"vet", "test"} {
		cmd := exec.Command("go", verb, "./...")
		cmd.Dir = folder
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", verb, err, out)
		}
	}
}

// moduleOfPages returns the folder of an empty module that has this one, and what this one has.
func moduleOfPages(t *testing.T) (folder string) {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	folder = t.TempDir()
	mod := strings.Replace(readPage(t, "go.mod"), "module "+module, "module pages", 1)
	mod += fmt.Sprintf("\nrequire %s v0.0.0\nreplace %[1]s => %s\n", module, root)
	writePage(t, folder+"/go.mod", mod)
	writePage(t, folder+"/go.sum", readPage(t, "go.sum"))
	return folder
}

func writePage(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// nameOf returns the name of the file of a block: one of tests is run as such.
func nameOf(source string) string {
	if strings.Contains(source, "(t *testing.T) {") {
		return "block_test.go"
	}
	return "block.go"
}

// sourcesOf returns the files that the blocks of Go of a page are, by their lines.
func sourcesOf(t *testing.T, path string) map[int]string {
	t.Helper()
	sources, given := map[int]string{}, ""
	for _, b := range blocksOf(readPage(t, path)) {
		line := fmt.Sprintf("//line %s:%d\n", path, b.line)
		switch {
		case b.kind == "given":
			given += line + b.text
		case b.kind == "go" && strings.HasPrefix(b.text, "package "):
			sources[b.line] = b.text
		case b.kind == "go":
			sources[b.line] = fileOf(t, path, given, b)
		}
	}
	return sources
}

// fileOf makes a file of a block.
func fileOf(t *testing.T, path, given string, b docBlock) string {
	t.Helper()
	line := fmt.Sprintf("//line %s:%d\n", path, b.line)
	body := line + b.text
	if _, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+body, 0); err != nil {
		body = "func _() error {\n" + body + endOf(t, path, b) + "}\n"
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+given+body, 0)
	if err != nil {
		t.Fatalf("%s:%d: %v", path, b.line, err)
	}
	return "package p\n" + importsOf(parsed) + given + body
}

// importsOf returns the import declarations that a file without any needs.
func importsOf(file *ast.File) string {
	used := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				used[x.Name] = true
			}
		}
		return true
	})
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(docImports)) {
		if used[name] {
			fmt.Fprintf(&text, "import %s %q\n", name, docImports[name])
		}
	}
	return text.String()
}

// endOf returns the end of the function around a block of statements: it uses all that the block
// declares, and returns unless the block does.
func endOf(t *testing.T, path string, b docBlock) string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), "",
		"package p\nfunc _() error {\n"+b.text+"}\n", 0)
	if err != nil {
		t.Fatalf("%s:%d: %v", path, b.line, err)
	}
	var end strings.Builder
	statements := parsed.Decls[0].(*ast.FuncDecl).Body.List
	for _, s := range statements {
		if a, ok := s.(*ast.AssignStmt); ok && a.Tok == token.DEFINE {
			for _, name := range a.Lhs {
				fmt.Fprintf(&end, "use(%s)\n", name.(*ast.Ident).Name)
			}
		}
	}
	if _, ok := statements[len(statements)-1].(*ast.ReturnStmt); ok {
		return ""
	}
	return strings.ReplaceAll(end.String(), "use(_)\n", "") + "return nil\n}\nfunc use(any) {\n"
}

// docPort is an address that a page listens at.
var docPort = regexp.MustCompile(`127\.0\.0\.1:\d+`)

func TestTheFirstTenMinutesHappenAsShown(t *testing.T) {
	page := readPage(t, "docs/getting-started.md")
	needsForSession(t, page)
	script, wants := sessionOf(blocksOf(page))
	outputs := strings.Split(runSession(t, newcomer(t), script), docMark)[1:]
	if len(outputs) != len(wants)+1 {
		t.Fatalf("the session ended in block %d of %d:\n%s", len(outputs), len(wants), outputs)
	}
	for i, want := range wants {
		got := strings.TrimSpace(outputs[i])
		if want.text != "" && !shownBy(want.text).MatchString(got) {
			t.Errorf("getting-started.md:%d: got\n%s\nwant\n%s", want.line, got, want.text)
		}
	}
}

// needsForSession skips the test where a program is missing, or fails it if CI is true. It skips
// it where an address of the page is taken by somebody else.
func needsForSession(t *testing.T, page string) {
	t.Helper()
	for _, program := range []string{"curl", "python3", "sh"} {
		if _, err := exec.LookPath(program); err != nil && os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing", program)
		} else if err != nil {
			t.Skipf("install %s to run getting-started.md", program)
		}
	}
	for _, address := range docPort.FindAllString(page, -1) {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Skipf("%s is taken: free it to run getting-started.md", address)
		}
		listener.Close()
	}
}

// docMark stands between what two blocks print.
const docMark = "=== next block ===\n"

// sessionOf returns one script of all blocks, and what each should print; "" is anything.
func sessionOf(blocks []docBlock) (script string, wants []docBlock) {
	script = "set -e\nexec 2>&1\n"
	for i, b := range blocks {
		if b.kind != "sh" {
			continue
		}
		script += "printf '" + strings.TrimSpace(docMark) + "\\n'\n" + b.text
		want := docBlock{line: b.line}
		if i+1 < len(blocks) && blocks[i+1].kind == "text" {
			want = blocks[i+1]
		}
		wants = append(wants, want)
	}
	return script + "printf '" + strings.TrimSpace(docMark) + "\\n'\n", wants
}

// shownBy returns what matches the output that a page shows.
func shownBy(text string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(strings.TrimSpace(text))
	quoted = regexp.MustCompile("(?m)^…$").ReplaceAllString(quoted, "(?s:.*)")
	return regexp.MustCompile("^" + strings.ReplaceAll(quoted, "…", ".*") + "$")
}

// newcomer returns a folder in which larder was cloned and built, with a home that has pictures.
func newcomer(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	build := exec.Command("go", "build", "-o", folder+"/bin/larder", "./cmd/larder")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(root, folder+"/larder"); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(folder+"/home/Pictures", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"1.png", "2.png", "10.png"} {
		paint(t, folder+"/home/Pictures/"+name)
	}
	return folder
}

// paint writes a small picture.
func paint(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, image.NewGray(image.Rect(0, 0, 64, 48))); err != nil {
		t.Fatal(err)
	}
}

// runSession runs a script in folder and returns what it has printed. What it has started and not
// ended ends with it.
func runSession(t *testing.T, folder, script string) string {
	t.Helper()
	out, err := os.Create(folder + "/session.log")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, out, out
	cmd.Env = append(os.Environ(), "HOME="+folder+"/home", "XDG_CACHE_HOME=", "LARDER_CACHE_DIR=",
		"PATH="+folder+"/bin:"+os.Getenv("PATH"), "GOPROXY=off", "GOFLAGS=", "GOWORK=off")
	cmd.Env = append(cmd.Env, goFolders(t)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	defer end()
	defer time.AfterFunc(2*time.Minute, end).Stop()
	if err := cmd.Wait(); err != nil {
		t.Errorf("the session: %v", err)
	}
	return readPage(t, out.Name())
}

// goFolders returns the variables that lead a go command with another home to what is built.
func goFolders(t *testing.T) (env []string) {
	t.Helper()
	names := []string{"GOCACHE", "GOMODCACHE", "GOPATH"}
	out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for i, folder := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		env = append(env, names[i]+"="+folder)
	}
	return env
}
