// pages_test.go looks at fragments in templates as a program sees them.

package fragment_test

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/fragment"
	"github.com/larder-go/larder/store"
)

// open makes a cache that is closed with the test.
func open(t testing.TB, o fragment.Options) *fragment.Cache {
	c := fragment.New(o)
	t.Cleanup(func() { c.Close() })
	return c
}

// parse makes pages of a text, in which {{ count }} counts how often a template is executed.
func parse(t testing.TB, c *fragment.Cache, text string) (*fragment.Pages, *atomic.Int64) {
	t.Helper()
	n := new(atomic.Int64)
	count := template.FuncMap{"count": func() int64 { return n.Add(1) }}
	set, err := template.New("page").Funcs(fragment.Funcs()).Funcs(count).Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return c.Pages(set), n
}

// show returns the page.
func show(t testing.TB, p *fragment.Pages, data any) string {
	t.Helper()
	var b strings.Builder
	if err := p.Execute(context.Background(), &b, "page", data); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// refused returns the error of a page that must fail.
func refused(t testing.TB, p *fragment.Pages, data any) error {
	t.Helper()
	err := p.Execute(context.Background(), &strings.Builder{}, "page", data)
	if err == nil {
		t.Fatal("the page has no error")
	}
	return err
}

type user struct {
	ID   int64
	Name string
}

func TestAFragmentIsRenderedOncePerKey(t *testing.T) {
	p, n := parse(t, open(t, fragment.Options{}),
		`{{ define "bar" }}<b>{{ .Name }} {{ count }}</b>{{ end }}`+
			`<p>{{ fragment "bar" . "5m" .ID }}</p>`)
	ann, bob := &user{1, "<Ann>"}, &user{2, "Bob"}
	for range 2 {
		for u, want := range map[*user]string{ann: "&lt;Ann&gt;", bob: "Bob"} {
			if got := show(t, p, u); !strings.HasPrefix(got, "<p><b>"+want) {
				t.Errorf("%s saw %q", u.Name, got)
			}
		}
	}
	if n.Load() != 2 {
		t.Errorf("rendered %d times, want 2", n.Load())
	}
}

func TestAFragmentIsRenderedAgainWhenItsTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, n := parse(t, open(t, fragment.Options{}),
			`{{ define "bar" }}{{ count }}{{ end }}{{ fragment "bar" nil "5m" }}`)
		show(t, p, nil)
		time.Sleep(5*time.Minute - time.Second)
		if got := show(t, p, nil); got != "1" {
			t.Errorf("before its end: %q, want 1", got)
		}
		time.Sleep(2 * time.Second)
		if show(t, p, nil); n.Load() != 2 {
			t.Errorf("rendered %d times, want 2", n.Load())
		}
	})
}

func TestAStaleFragmentIsShownWhileItIsRenderedBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, fragment.Options{Stale: time.Hour})
		p, _ := parse(t, c, `{{ define "bar" }}{{ count }}{{ end }}{{ fragment "bar" nil "5m" }}`)
		show(t, p, nil)
		time.Sleep(6 * time.Minute)
		if got := show(t, p, nil); got != "1" {
			t.Errorf("stale: %q, want 1", got)
		}
		synctest.Wait()
		if got := show(t, p, nil); got != "2" {
			t.Errorf("refreshed: %q, want 2", got)
		}
		synctest.Wait()
		c.Close()
	})
}

func TestAnOldFragmentIsShownWhereANewOneFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, fragment.Options{StaleOnError: time.Hour})
		p, _ := parse(t, c,
			`{{ define "bar" }}{{ . }}{{ end }}{{ fragment "bar" .Data "5m" "all" }}`)
		broken := errors.New("the database is down")
		var err error
		data := map[string]any{"Data": func() (string, error) { return "news", err }}
		show(t, p, data)
		err = broken
		time.Sleep(6 * time.Minute)
		if got := show(t, p, data); got != "news" {
			t.Errorf("while the database is down: %q", got)
		}
		time.Sleep(time.Hour)
		if err := refused(t, p, data); !errors.Is(err, broken) {
			t.Errorf("later: %v, want %v", err, broken)
		}
		synctest.Wait()
		c.Close()
	})
}

func TestWithoutAKeyTheDataIsTheKey(t *testing.T) {
	p, n := parse(t, open(t, fragment.Options{}),
		`{{ define "bar" }}{{ .Name }}{{ count }}{{ end }}{{ fragment "bar" . "5m" }}`)
	for _, c := range []struct {
		data any
		want string
	}{{user{1, "a"}, "a1"}, {user{2, "b"}, "b2"}, {user{1, "a"}, "a1"}, {user{1, "b"}, "b3"}} {
		if got := show(t, p, c.data); got != c.want {
			t.Errorf("%v: %q, want %q", c.data, got, c.want)
		}
	}
	err := refused(t, p, &user{1, "a"})
	for _, want := range []string{`fragment "bar"`, "the data is the key", "*fragment_test.user"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q, want %q in it", err, want)
		}
	}
	if n.Load() != 3 {
		t.Errorf("rendered %d times, want 3", n.Load())
	}
}

func TestWhatIdentifiesNobodyIsNoKey(t *testing.T) {
	p, n := parse(t, open(t, fragment.Options{}),
		`{{ define "bar" }}{{ count }}{{ end }}{{ fragment "bar" nil "5m" "a" .Key }}`)
	for _, bad := range []any{
		&user{}, (*user)(nil), nil, func() {}, make(chan int), user.String, struct{ F func() }{},
		[]*user{{}}, map[string]any{"x": &user{}},
	} {
		err := refused(t, p, map[string]any{"Key": bad})
		if !strings.Contains(err.Error(), `fragment "bar": key part 2:`) {
			t.Errorf("%T: error %q", bad, err)
		}
	}
	if n.Load() != 0 {
		t.Errorf("rendered %d times, want 0", n.Load())
	}
}

// String hides who it is.
func (user) String() string { return "***" }

type secret string

// String hides what it is.
func (secret) String() string { return "***" }

func TestKeysAreToldApart(t *testing.T) {
	p, _ := parse(t, open(t, fragment.Options{}), `{{ define "bar" }}{{ count }}{{ end }}`+
		`{{ if eq (len .) 1 }}{{ fragment "bar" nil "5m" (index . 0) }}`+
		`{{ else }}{{ fragment "bar" nil "5m" (index . 0) (index . 1) }}{{ end }}`)
	long := strings.Repeat("x", 300)
	keys := [][]any{
		{"a", "bc"}, {"ab", "c"}, {"abc"}, {"a/bc"}, {"a/sbc"}, {"a%2Fbc"}, {"a", ""}, {"", "a"},
		{"a"}, {""},
		{7}, {"7"}, {7.5}, {true}, {"true"}, {"n7"}, {-7}, {uint64(1) << 63}, {"#"}, {"a\x00"},
		{long}, {long + "y"}, {long, "y"}, {secret("a1"), "z"}, {secret("a2"), "z"},
		{user{1, "a"}}, {user{2, "a"}}, {[]string{"a", "b"}}, {[]string{"ab"}}, {"kab"},
		{time.Unix(1, 0)}, {time.Unix(2, 0)},
	}
	seen := map[string][]any{}
	for _, key := range keys {
		got := show(t, p, key)
		if other, ok := seen[got]; ok {
			t.Errorf("%q and %q share a fragment", other, key)
		}
		seen[got] = key
		if again := show(t, p, key); again != got {
			t.Errorf("%q was rendered twice", key)
		}
	}
	if show(t, p, []any{7}) != show(t, p, []any{int64(7)}) {
		t.Error("7 and int64(7) are two keys")
	}
}

// pagesOf is parse for a text that may be refused.
func pagesOf(c *fragment.Cache, text string) (p *fragment.Pages, refused string) {
	defer func() {
		if r := recover(); r != nil {
			refused = fmt.Sprint(r)
		}
	}()
	set := template.Must(template.New("page").Funcs(fragment.Funcs()).Parse(text))
	return c.Pages(set), ""
}

// bar is a fragment of markup, and two templates with it in them.
const bar = `{{ define "bar" }}<i title="{{ . }}">{{ . }}</i>{{ end }}` +
	`{{ define "around" }}{{ fragment "bar" . "5m" }}{{ end }}` +
	`{{ define "far" }}{{ template "around" . }}{{ end }}`

func TestAFragmentOutOfPlaceIsRefused(t *testing.T) {
	c := open(t, fragment.Options{})
	for _, place := range []string{
		`<p title="{{ F }}">`, `<p title='{{ F }}'>`, `<p title={{ F }}>`, `<p {{ F }}>`,
		`<p {{ F }}="1">`,
		`<iframe srcdoc="{{ F }}"></iframe>`, `<iframe srcdoc={{ F }}></iframe>`,
		`<iframe srcdoc="{{ if . }}a{{ else }}{{ F }}{{ end }}"></iframe>`,
		`<a href="{{ F }}">x</a>`, `<a href="/x?q={{ F }}">x</a>`, `<a onclick="f({{ F }})">x</a>`,
		`<script>var x = {{ F }};</script>`, `<script>var x = "{{ F }}";</script>`,
		"<script>var x = `{{ F }}`;</script>", `<script type="module">{{ F }}</script>`,
		`<style>p { color: {{ F }} }</style>`, `<p style="color: {{ F }}">`,
		`<title>{{ F }}</title>`,
		`<textarea>{{ F }}</textarea>`, `<!-- {{ F }} -->`, `<img srcset="{{ F }} 2x">`,
		`{{ $x := F }}<iframe srcdoc="{{ $x }}"></iframe>`, `{{ $x := 1 }}{{ $x = F }}`,
		`{{ with F }}{{ . }}{{ end }}`, `{{ range $i, $x := F }}{{ end }}`, `{{ if F }}{{ end }}`,
		`{{ template "bar" (F) }}`, `{{ F | print }}`, `{{ F | html }}`, `{{ print (F) }}`,
		`{{ (F) }}`, `{{ fragment "bar" (F) "5m" }}`,
	} {
		text := strings.ReplaceAll(place, "F", `fragment "bar" . "5m"`)
		if _, why := pagesOf(c, bar+text); !strings.Contains(why, "out of place") {
			t.Errorf("%s: %q", place, why)
		}
	}
	for _, called := range []string{"around", "far"} {
		text := `<iframe srcdoc="{{ template "` + called + `" . }}"></iframe>`
		if _, why := pagesOf(c, bar+text); !strings.Contains(why, "page:1:") {
			t.Errorf("%s: %q", text, why)
		}
	}
}

func TestAFragmentBetweenElementsIsAccepted(t *testing.T) {
	c := open(t, fragment.Options{})
	for _, place := range []string{
		`{{ F }}`, `<p>{{ F }}`, `<ul><li>{{ F }}</ul>`,
		`{{ if . }}<b>{{ F }}</b>{{ else }}{{ F }}{{ end }}`,
		`{{ range 2 }}{{ F }}{{ end }}`, `{{ with $x := . }}{{ F }}{{ end }}`,
		`{{ template "far" . }}`,
		`{{ "bar" | print }}{{ F }}`,
		`<p title="{{ template "plain" }}">{{ template "plain" }}{{ F }}`,
		`<svg>{{ F }}</svg>`,
	} {
		text := strings.ReplaceAll(place, "F", `fragment "bar" "x" "5m"`)
		p, why := pagesOf(c, bar+`{{ define "plain" }}x{{ end }}`+text)
		if p == nil {
			t.Errorf("%s: %s", place, why)
			continue
		}
		if got := show(t, p, "x"); !strings.Contains(got, `<i title="x">x</i>`) {
			t.Errorf("%s: %q", place, got)
		}
	}
}

// TestATemplateThatCannotBeEscapedHarmsNoOther has one that ends within an attribute.
func TestATemplateThatCannotBeEscapedHarmsNoOther(t *testing.T) {
	c := open(t, fragment.Options{})
	const broken = `{{ define "broken" }}<a href="{{ end }}`
	if p, why := pagesOf(c, bar+broken+`{{ fragment "bar" . "5m" }}`); p == nil || show(t, p,
		"x") == "" {
		t.Errorf("refused: %s", why)
	}
	if _, why := pagesOf(c, bar+broken+`<p title="{{ fragment "bar" . "5m" }}">`); why == "" {
		t.Error("not refused")
	}
}

// evil is what a stranger calls himself.
const evil = `"><script>alert(1)</script>`

func TestAFragmentInItsPlaceIsMarkup(t *testing.T) {
	p, _ := parse(t, open(t, fragment.Options{}),
		`{{ define "bar" }}<i title="{{ . }}">{{ . }}</i>{{ end }}`+
			`<p>{{ fragment "bar" . "5m" }}</p>`)
	const want = `<p><i title="&#34;&gt;&lt;script`
	got := show(t, p, evil)
	if !strings.HasPrefix(got, want) || strings.Contains(got, "<script") {
		t.Errorf("got %q, want %q at its begin and no script", got, want)
	}
}

func TestLazyDataIsGotOnlyOnAMiss(t *testing.T) {
	type page struct{ News any }
	p, _ := parse(t, open(t, fragment.Options{}),
		`{{ define "news" }}{{ range . }}{{ . }} {{ end }}{{ end }}`+
			`{{ fragment "news" .News "5m" "all" }}`)
	asked := 0
	for _, f := range []any{
		func(ctx context.Context) ([]string, error) {
			asked++
			return []string{"x", "y"},
				ctx.Err()
		},
		func() ([]string, error) { asked++; return nil, nil },
		func(context.Context) []string { asked++; return nil },
		func() []string { asked++; return nil },
	} {
		if got := show(t, p, page{f}); got != "x y " {
			t.Errorf("got %q", got)
		}
	}
	if asked != 1 {
		t.Errorf("the data was got %d times, want 1", asked)
	}
}

func TestLazyDataThatCannotBeGotIsAnError(t *testing.T) {
	type page struct{ News any }
	broken := errors.New("the database is down")
	for _, c := range []struct {
		f    any
		want string
	}{
		{func() (int, error) { return 0, broken }, "the database is down"},
		{func() int { panic("at the disco") }, "at the disco"},
		{func(int) int { return 0 }, "lazy data is a func(int) int"},
		{func() (int, int) { return 0, 0 }, "lazy data is a func() (int, int)"},
		{func() {}, "lazy data is a func()"},
		{(func() int)(nil), "cannot be nil"},
	} {
		p, _ := parse(t, open(t, fragment.Options{}),
			`{{ define "news" }}{{ . }}{{ end }}{{ fragment "news" .News "5m" "all" }}`)
		err := refused(t, p, page{c.f})
		if !strings.Contains(err.Error(), `fragment "news"`) || !strings.Contains(err.Error(),
			c.want) {
			t.Errorf("%T: error %q, want %q", c.f, err, c.want)
		}
		if c.want == broken.Error() && !errors.Is(err, broken) {
			t.Errorf("%v is not %v", err, broken)
		}
	}
}

// moody fails or panics the first times it is asked.
type moody struct{ asked *int }

func (m moody) Mood() (string, error) {
	switch *m.asked++; *m.asked {
	case 1:
		return "", errors.New("not today")
	case 2:
		panic("not tomorrow")
	}
	return "fine", nil
}

func TestAFragmentThatFailsIsNotKept(t *testing.T) {
	p, _ := parse(t, open(t, fragment.Options{}),
		`{{ define "bar" }}half {{ .Mood }}{{ end }}{{ fragment "bar" . "5m" "all" }}`)
	m := moody{new(int)}
	for _, want := range []string{"not today", "not tomorrow"} {
		err := refused(t, p, m)
		if !strings.Contains(err.Error(), `fragment "bar"`) || !strings.Contains(err.Error(),
			want) {
			t.Errorf("error %q, want %q", err, want)
		}
	}
	for range 2 {
		if got := show(t, p, m); got != "half fine" {
			t.Errorf("got %q", got)
		}
	}
	if *m.asked != 3 {
		t.Errorf("rendered %d times, want 3", *m.asked)
	}
}

func TestManyReadersRenderAFragmentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, n := parse(t, open(t, fragment.Options{}),
			`{{ define "in" }}{{ count }}{{ end }}`+
				`{{ define "out" }}{{ call . }}[{{ fragment "in" nil "5m" }}]{{ end }}`+
				`{{ fragment "out" .Slow "5m" "all" }} {{ .I }}`)
		slow := func() any { return func() string { time.Sleep(time.Second); return "x" } }
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var wg sync.WaitGroup
		for i := range 32 {
			wg.Go(func() {
				var b strings.Builder
				err := p.Execute(ctx, &b, "page", map[string]any{"Slow": slow, "I": i})
				if want := fmt.Sprintf("x[1] %d", i); err != nil || b.String() != want {
					t.Errorf("got %q, %v, want %q", b.String(), err, want)
				}
			})
		}
		wg.Wait()
		if n.Load() != 1 {
			t.Errorf("rendered %d times, want 1", n.Load())
		}
	})
}

func TestAReaderWhoLeavesDoesNotStopTheFragment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, n := parse(t, open(t, fragment.Options{}),
			`{{ define "bar" }}{{ count }}{{ end }}{{ fragment "bar" .Slow "5m" "all" }}`)
		slow := func(ctx context.Context) (int, error) {
			time.Sleep(time.Second)
			return 0,
				ctx.Err()
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		data := map[string]any{"Slow": slow}
		err := p.Execute(ctx, &strings.Builder{}, "page", data)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want %v", err, context.DeadlineExceeded)
		}
		if got := show(t, p, data); got != "1" || n.Load() != 1 {
			t.Errorf("got %q, rendered %d times, want once", got, n.Load())
		}
	})
}

// family is a page of three fragments in each other.
const family = `{{ define "in" }}{{ count }}{{ end }}` +
	`{{ define "mid" }}{{ count }}[{{ fragment "in" nil "2m" 7 (tag "team:" 3) }}]{{ end }}` +
	`{{ define "out" }}{{ count }}({{ fragment "mid" nil "1h" }}){{ end }}` +
	`{{ fragment "out" nil "forever" "all" }}`

func TestAFragmentDoesNotOutliveThoseWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := parse(t, open(t, fragment.Options{}), family)
		if got := show(t, p, nil); got != "1(2[3])" {
			t.Errorf("got %q", got)
		}
		time.Sleep(2*time.Minute - time.Second)
		if got := show(t, p, nil); got != "1(2[3])" {
			t.Errorf("within its time: %q", got)
		}
		time.Sleep(2 * time.Second)
		if got := show(t, p, nil); got != "4(5[6])" {
			t.Errorf("after it: %q", got)
		}
	})
}

func TestDeletingReachesThoseAround(t *testing.T) {
	ctx := context.Background()
	type deletion func(c *fragment.Cache) error
	for name, d := range map[string]struct {
		delete deletion
		want   string
	}{
		"inner key": {func(c *fragment.Cache) error { return c.Delete(ctx, "in", 7) }, "4(5[6])"},
		"inner name": {func(c *fragment.Cache) error { return c.DeleteName(ctx, "in") },
			"4(5[6])"},
		"inner tag": {func(c *fragment.Cache) error { return c.DeleteTag(ctx, "team:3") },
			"4(5[6])"},
		"no key": {func(c *fragment.Cache) error { return c.Delete(ctx, "mid") }, "4(5[3])"},
		"outer name": {func(c *fragment.Cache) error { return c.DeleteName(ctx, "out") },
			"4(2[3])"},
		"outer key": {func(c *fragment.Cache) error { return c.Delete(ctx, "out", "all") },
			"4(2[3])"},
		"all":         {func(c *fragment.Cache) error { return c.Clear(ctx) }, "4(5[6])"},
		"another key": {func(c *fragment.Cache) error { return c.Delete(ctx, "in", 8) }, "1(2[3])"},
		"text for 7": {func(c *fragment.Cache) error { return c.Delete(ctx, "in", "7") },
			"1(2[3])"},
		"name as tag": {func(c *fragment.Cache) error { return c.DeleteTag(ctx, "in") }, "1(2[3])"},
	} {
		for _, s := range []store.Store{nil, store.NewMemory(store.MemoryOptions{})} {
			c := open(t, fragment.Options{Store: s})
			p, _ := parse(t, c, family)
			first, again := show(t, p, nil), show(t, p, nil)
			if err := d.delete(c); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got := show(t, p, nil); got != d.want || first != "1(2[3])" || again != first {
				t.Errorf("%s: %q, %q, then %q, want %q", name, first, again, got, d.want)
			}
		}
	}
}

func TestTwoFrontEndsShareFragments(t *testing.T) {
	s := store.NewMemory(store.MemoryOptions{})
	a := open(t, fragment.Options{Store: s})
	b := open(t, fragment.Options{Store: s.Share()})
	pa, na := parse(t, a, family)
	pb, nb := parse(t, b, family)
	if one, two := show(t, pa, nil), show(t, pb, nil); one != two {
		t.Errorf("they show %q and %q", one, two)
	}
	if na.Load() != 3 || nb.Load() != 0 {
		t.Errorf("rendered %d and %d times, want 3 and 0", na.Load(), nb.Load())
	}
	if err := b.Delete(context.Background(), "in", 7); err != nil {
		t.Error(err)
	}
	for late := time.Now().Add(10 * time.Second); na.Load() == 3; { // until a has heard of it
		if show(t, pa, nil); time.Now().After(late) {
			t.Fatal("a shows what b has deleted")
		}
	}
	show(t, pb, nil)
	if na.Load() != 6 || nb.Load() != 0 {
		t.Errorf("after a deletion rendered %d and %d times, want 6 and 0", na.Load(), nb.Load())
	}
}

// TestADeployShowsNoMarkupOfYesterday changes a template while a store keeps what it was before.
func TestADeployShowsNoMarkupOfYesterday(t *testing.T) {
	const page = `{{ define "leaf" }}%s{{ end }}{{ define "other" }}%s{{ end }}` +
		`{{ define "bar" }}{{ count }} {{ %s }}{{ end }}{{ fragment "bar" nil "1h" }}`
	for _, c := range []struct {
		name, old, now string
		again          bool
	}{
		{"nothing", fmt.Sprintf(page, "a", "b", `template "leaf"`), "", false},
		{"what it names", fmt.Sprintf(page, "a", "b", `template "leaf"`),
			fmt.Sprintf(page, "A", "b", `template "leaf"`), true},
		{"what it does not name", fmt.Sprintf(page, "a", "b", `template "leaf"`),
			fmt.Sprintf(page, "a", "B", `template "leaf"`), false},
		{"itself", fmt.Sprintf(page, "a", "b", `template "leaf"`),
			fmt.Sprintf(page, "a", "b", `template "other"`), true},
		{"a fragment that it names", fmt.Sprintf(page, "a", "b",
			`if true }}{{ fragment "leaf" nil "1h" }}{{ end`),
			fmt.Sprintf(page, "A", "b", `if true }}{{ fragment "leaf" nil "1h" }}{{ end`), true},
		{"what it may name", fmt.Sprintf(page, "a", "b", `fragment (print "leaf") nil "1h"`),
			fmt.Sprintf(page, "a", "B", `fragment (print "leaf") nil "1h"`), true},
	} {
		s := store.NewMemory(store.MemoryOptions{})
		if c.now == "" {
			c.now = c.old
		}
		old, _ := parse(t, open(t, fragment.Options{Store: s}), c.old)
		before := show(t, old, nil)
		now, n := parse(t, open(t, fragment.Options{Store: s}), c.now)
		after := show(t, now, nil)
		if again := n.Load() > 0; again != c.again {
			t.Errorf("%s changed: %q, then %q, rendered again: %v", c.name, before, after, again)
		}
	}
}

func TestAFragmentInItselfIsAnError(t *testing.T) {
	p, _ := parse(t, open(t, fragment.Options{}),
		`{{ define "bar" }}{{ fragment "bar" . "5m" }}{{ end }}{{ fragment "bar" . "5m" }}`)
	if err := refused(t, p, "x"); !errors.Is(err, larder.ErrRecursive) {
		t.Errorf("error %v, want %v", err, larder.ErrRecursive)
	}
	p, _ = parse(t, open(t, fragment.Options{}), `{{ define "bar" }}`+
		`{{ fragment "bar" (print . "x") "5m" }}{{ end }}{{ fragment "bar" . "5m" }}`)
	if err := refused(t, p, "x"); !strings.Contains(err.Error(), "nested deeper than 100") {
		t.Errorf("error %.300v", err)
	}
}

func TestSlipsAreNamed(t *testing.T) {
	const counted = `{{ define "bar" }}{{ count }}{{ end }}`
	for _, c := range [][2]string{
		{`{{ fragment "" nil "5m" }}`, `fragment "": there is no such template`},
		{`{{ fragment "baz" nil "5m" }}`, `fragment "baz": there is no such template`},
		{`{{ fragment "bar" . 5 }}`, `fragment "bar": the time is a int`},
		{`{{ fragment "bar" . "5 minutes" }}`, `fragment "bar": time: unknown unit`},
		{`{{ fragment "bar" nil "-5m" }}`, `fragment "bar": the time to live is negative`},
		{`{{ fragment "bar" nil "5m" 1 (tag "a" .) }}`, `part 2 of a tag is a *fragment_test.user`},
		{`{{ define "odd" }}<a href="{{ end }}{{ fragment "odd" nil "5m" }}`,
			`fragment "odd": html/template`},
	} {
		text, want := c[0], c[1]
		p, n := parse(t, open(t, fragment.Options{}), counted+text)
		if err := refused(t, p, &user{}); !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %q, want %q", text, err, want)
		}
		if n.Load() != 0 {
			t.Errorf("%s: rendered", text)
		}
	}
}

func TestASetThatWasExecutedIsRefused(t *testing.T) {
	set := template.Must(template.New("page").Funcs(fragment.Funcs()).Parse(
		`{{ define "bar" }}x{{ end }}{{ fragment "bar" nil "5m" }}`))
	err := set.Execute(&strings.Builder{}, nil)
	if err == nil || !strings.Contains(err.Error(), "Pages.Execute") {
		t.Errorf("executed without Pages: error %v", err)
	}
	defer func() {
		if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "fragment: Pages") {
			t.Errorf("panic %v", p)
		}
	}()
	open(t, fragment.Options{}).Pages(set)
}

func TestThirtyTwoReadersOfAllKinds(t *testing.T) {
	c := open(t, fragment.Options{MaxBytes: 20_000})
	p, _ := parse(t, c, `{{ define "in" }}<i>{{ . }}</i>{{ end }}`+
		`{{ define "out" }}{{ . }}{{ fragment "in" . "1h" }}{{ end }}`+
		`{{ fragment "out" . "1h" . (tag "t" .) }}`)
	var wg sync.WaitGroup
	for g := range 32 {
		wg.Go(func() {
			for i := range 200 {
				n := (g + i) % 20
				var b strings.Builder
				err := p.Execute(context.Background(), &b, "page", n)
				if want := fmt.Sprintf("%d<i>%d</i>", n, n); err != nil || b.String() != want {
					t.Errorf("got %q, %v, want %q", b.String(), err, want)
				}
				if i%50 == 0 {
					c.DeleteTag(context.Background(), fmt.Sprint("t", n))
					c.Delete(context.Background(), "in", n)
				}
			}
		})
	}
	wg.Wait()
}
