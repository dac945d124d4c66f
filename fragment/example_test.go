// example_test.go shows how the package is used.

package fragment_test

import (
	"context"
	"fmt"
	"html/template"
	"io"
	"log"
	"os"

	"github.com/larder-go/larder/fragment"
)

// A part of a page is rendered once, however many pages show it.
func ExamplePages_Execute() {
	parts := fragment.New(fragment.Options{})
	defer parts.Close()
	pages := parts.Pages(template.Must(template.New("").Funcs(fragment.Funcs()).Parse(`
{{- define "news" }}<ul>{{ range . }}<li>{{ . }}{{ end }}</ul>{{ end -}}
{{- define "page" }}<h1>{{ .User }}</h1>{{ fragment "news" .News "1m" "everyone" }}
{{ end }}`)))

	news := func(context.Context) ([]string, error) {
		fmt.Println("the database is asked")
		return []string{"Tea & cups"}, nil
	}
	for _, user := range []string{"Ann", "Bob"} {
		data := map[string]any{"User": user, "News": news}
		if err := pages.Execute(context.Background(), os.Stdout, "page", data); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// <h1>Ann</h1>the database is asked
	// <ul><li>Tea &amp; cups</ul>
	// <h1>Bob</h1><ul><li>Tea &amp; cups</ul>
}

// Without html/template a function writes the part.
func ExampleCache_Get() {
	parts := fragment.New(fragment.Options{})
	defer parts.Close()
	ctx, basket := context.Background(), []string{"tea"}

	for range 2 {
		part := fragment.Part{Name: "basket", Key: fragment.Keys("ann"), Tags: []string{"user:ann"}}
		markup, err := parts.Get(ctx, part, func(_ context.Context, w io.Writer) error {
			_, err := fmt.Fprintf(w, "%d in the basket", len(basket))
			return err
		})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(markup)
		basket = append(basket, "a cup")
	}
	if err := parts.DeleteTag(ctx, "user:ann"); err != nil {
		log.Fatal(err)
	}
	fmt.Println("kept:", parts.Stats().Entries)
	// Output:
	// 1 in the basket
	// 1 in the basket
	// kept: 0
}
