// cache_test.go looks at plain calls, and at what comes back from a store.

package fragment_test

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"strings"
	"testing"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/fragment"
	"github.com/larder-go/larder/store"
)

func writes(text string, n *int) func(context.Context, io.Writer) error {
	return func(_ context.Context, w io.Writer) error {
		*n++
		_, err := io.WriteString(w, text)
		return err
	}
}

func TestAPlainCallWritesOncePerKey(t *testing.T) {
	c, ctx := open(t, fragment.Options{}), context.Background()
	n := 0
	for _, part := range []fragment.Part{
		{Name: "menu", Key: fragment.Keys(1, "de")}, {Name: "menu", Key: fragment.Keys(1, "de")},
		{Name: "menu", Key: fragment.Keys(1, "fr")}, {Name: "menu"}, {Name: "Menu"},
		{Name: "menu", Key: fragment.Keys(int64(1), "de"), Version: "2"},
	} {
		got, err := c.Get(ctx, part, writes("<nav>", &n))
		if got != "<nav>" || err != nil {
			t.Errorf("%v: %q, %v", part, got, err)
		}
	}
	if n != 5 {
		t.Errorf("written %d times, want 5", n)
	}
	if _, err := c.Get(ctx, fragment.Part{Name: "menu", Key: fragment.Keys(&n)}, nil); err == nil {
		t.Error("a pointer is taken as a key")
	}
	if _, err := c.Get(ctx, fragment.Part{Name: "menu", TTL: -1}, nil); err == nil {
		t.Error("a negative time is taken")
	}
}

func TestAPlainCallThatFailsKeepsNothing(t *testing.T) {
	c, ctx := open(t, fragment.Options{}), context.Background()
	broken := errors.New("no ink")
	part := fragment.Part{Name: "menu"}
	_, err := c.Get(ctx, part, func(_ context.Context, w io.Writer) error {
		io.WriteString(w, "half")
		return broken
	})
	if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), `fragment "menu": `) {
		t.Errorf("error %v", err)
	}
	_, err = c.Get(ctx, part, func(context.Context, io.Writer) error { panic("no pen") })
	var panicked *larder.PanicError
	if !errors.As(err, &panicked) || !strings.HasPrefix(err.Error(), `fragment "menu": `) {
		t.Errorf("error %v", err)
	}
	n := 0
	if got, err := c.Get(ctx, part, writes("whole", &n)); got != "whole" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestPlainCallsNest(t *testing.T) {
	c, ctx := open(t, fragment.Options{}), context.Background()
	inner, outer := 0, 0
	get := func() {
		_, err := c.Get(ctx, fragment.Part{Name: "out"}, func(ctx context.Context,
			w io.Writer) error {
			outer++
			_, err := c.Get(ctx, fragment.Part{Name: "in", Tags: []string{"x"}}, writes("i",
				&inner))
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	get()
	get()
	if err := c.DeleteTag(ctx, "x"); err != nil {
		t.Error(err)
	}
	get()
	if inner != 2 || outer != 2 {
		t.Errorf("written %d and %d times, want 2 and 2", inner, outer)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	c, ctx := open(t, fragment.Options{MaxBytes: 100_000}), context.Background()
	n := 0
	for i := range 1000 {
		part := fragment.Part{Name: "x", Key: fragment.Keys(i)}
		if _, err := c.Get(ctx, part, writes(strings.Repeat("x", 1000), &n)); err != nil {
			t.Fatal(err)
		}
		if s := c.Stats(); s.Weight > 100_000 || s.Entries > 100 {
			t.Fatalf("%d entries of %d bytes", s.Entries, s.Weight)
		}
	}
	huge := strings.Repeat("x", 200_000)
	if got, err := c.Get(ctx, fragment.Part{Name: "huge"}, writes(huge, &n)); got != huge ||
		err != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// TestWhatAStoreBringsBackIsTheFragmentOrNothing damages each byte of what is stored.
func TestWhatAStoreBringsBackIsTheFragmentOrNothing(t *testing.T) {
	ctx, s := context.Background(), store.NewMemory(store.MemoryOptions{})
	part := fragment.Part{Name: "menu", Tags: []string{"a"}}
	n := 0
	if _, err := open(t, fragment.Options{Store: s}).Get(ctx, part, writes("<nav>",
		&n)); err != nil {
		t.Fatal(err)
	}
	var names []string
	for info, err := range s.List(ctx, "") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, info.Key)
	}
	if len(names) != 1 {
		t.Fatalf("stored are %q", names)
	}
	item, err := s.Get(ctx, names[0])
	if err != nil {
		t.Fatal(err)
	}
	for cut := range item.Value {
		damaged := item
		damaged.Value = item.Value[:cut]
		if err := s.Set(ctx, names[0], damaged); err != nil {
			t.Fatal(err)
		}
		got, err := open(t, fragment.Options{Store: s}).Get(ctx, part, writes("<nav>", &n))
		if err != nil || !strings.HasPrefix("<nav>", got) {
			t.Errorf("cut at %d: %q, %v", cut, got, err)
		}
	}
}

// broken is a store that is down.
type broken struct{ store.Store }

func (broken) Get(context.Context, string) (store.Item, error) {
	return store.Item{}, store.ErrUnavailable
}

func (broken) Set(context.Context, string, store.Item) error { return store.ErrUnavailable }

func TestAStoreThatIsDownFailsNoPage(t *testing.T) {
	s := broken{store.NewMemory(store.MemoryOptions{})}
	p, n := parse(t, open(t, fragment.Options{Store: s}), family)
	if got := show(t, p, nil) + show(t, p, nil); got != "1(2[3])1(2[3])" || n.Load() != 3 {
		t.Errorf("got %q", got)
	}
}

// FuzzKeys looks for two keys that are one.
func FuzzKeys(f *testing.F) {
	f.Add("a", "bc", "ab", "c")
	f.Add("a/b", "c", "a", "b/c")
	f.Add("%2F", "", "/", "")
	f.Fuzz(func(t *testing.T, a1, a2, b1, b2 string) {
		c, ctx, n := open(t, fragment.Options{}), context.Background(), 0
		one := fragment.Part{Name: a1, Key: fragment.Keys(a2)}
		two := fragment.Part{Name: b1, Key: fragment.Keys(b2)}
		for _, p := range []fragment.Part{one, two, one, two} {
			if _, err := c.Get(ctx, p, writes("x", &n)); err != nil {
				t.Fatal(err)
			}
		}
		if same := a1 == b1 && a2 == b2; same != (n == 1) {
			t.Errorf("(%q, %q) and (%q, %q): written %d times", a1, a2, b1, b2, n)
		}
	})
}

func BenchmarkFragmentHit(b *testing.B) {
	p, _ := parse(b, open(b, fragment.Options{}), `{{ define "list" }}`+
		`{{ range . }}<li><a href="/x/{{ . }}">{{ . }}</a>{{ end }}{{ end }}`+
		`{{ fragment "list" . "1h" "all" }}`)
	benchmark(b, func(w io.Writer, data any) error {
		return p.Execute(context.Background(), w, "page", data)
	})
}

func BenchmarkTemplate(b *testing.B) {
	set := template.Must(template.New("page").Parse(`{{ define "list" }}` +
		`{{ range . }}<li><a href="/x/{{ . }}">{{ . }}</a>{{ end }}{{ end }}` +
		`{{ template "list" . }}`))
	benchmark(b, set.Execute)
}

func benchmark(b *testing.B, execute func(io.Writer, any) error) {
	var data []string
	for i := range 50 {
		data = append(data, fmt.Sprint("item ", i))
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := execute(io.Discard, data); err != nil {
			b.Fatal(err)
		}
	}
}
