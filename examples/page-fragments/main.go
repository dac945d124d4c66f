// main.go answers: my pages differ for each reader; how do I keep the parts that do not?

// Command page-fragments serves the page of a shop, whose parts are kept for as long and for as
// many readers as each may be: the news for all, a tea until its price changes, the basket for the
// one whose it is. It prints which of the slow queries each view has to wait for.
//
//	go run ./examples/page-fragments
//	go run ./examples/page-fragments -listen localhost:8080    # the same in a browser
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"html/template"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/larder-go/larder/browsercache"
	"github.com/larder-go/larder/fragment"
	"github.com/larder-go/larder/store"
)

//go:embed page.html
var source string

func main() {
	listen := flag.String("listen", "", "serve the page at this address, for a browser")
	flag.Parse()
	log.SetFlags(0)
	run := views
	if *listen != "" {
		run = func() error { return serve(*listen) }
	}
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

// shop is one front end.
type shop struct {
	parts *fragment.Cache
	pages *fragment.Pages
	db    *database
}

// open makes a front end. All that have the same store show the same fragments.
func open(db *database, shared store.Store) *shop {
	parts := fragment.New(fragment.Options{Store: shared, Stale: time.Minute})
	set := template.Must(template.New("page.html").Funcs(fragment.Funcs()).Parse(source))
	return &shop{parts, parts.Pages(set), db}
}

// page is the data of the page. What takes time is a function: it is called where it is needed.
type page struct {
	User   string
	News   func(context.Context) ([]string, error)
	Teas   func() []tea
	Basket func() []string
	Begun  time.Time
}

// Took returns how long the page has taken so far.
func (p page) Took() time.Duration { return time.Since(p.Begun).Round(time.Microsecond) }

func (s *shop) show(ctx context.Context, w io.Writer, user string) error {
	return s.pages.Execute(ctx, w, "page.html", page{
		User: user, News: s.db.news, Teas: s.db.teas, Begun: time.Now(),
		Basket: func() []string { return s.db.basket(user) },
	})
}

// reprice changes a price: the fragment of that tea is deleted, and so is the list around it.
func (s *shop) reprice(ctx context.Context, id, cents int) error {
	s.db.setPrice(id, cents)
	return s.parts.DeleteTag(ctx, fmt.Sprint("tea:", id))
}

// views shows the page to several readers, and prints what was asked of the database for them.
func views() error {
	ctx, db, shared := context.Background(), newDatabase(), store.NewMemory(store.MemoryOptions{})
	one, two := open(db, shared), open(db, shared.Share())
	defer one.parts.Close()
	defer two.parts.Close()
	for _, v := range []struct {
		what string
		do   func() error
	}{
		{"Ann", func() error { return one.show(ctx, io.Discard, "Ann") }},
		{"Ann again", func() error { return one.show(ctx, io.Discard, "Ann") }},
		{"Bob", func() error { return one.show(ctx, io.Discard, "Bob") }},
		{"Ann, at another front end", func() error { return two.show(ctx, io.Discard, "Ann") }},
		{"a price changes", func() error { return one.reprice(ctx, 2, 950) }},
		{"Ann", func() error { return one.show(ctx, io.Discard, "Ann") }},
		{"everything is forgotten", func() error { return one.parts.Clear(ctx) }},
		{"32 readers at once", func() error { return crowd(ctx, one) }},
	} {
		if err := v.do(); err != nil {
			return err
		}
		fmt.Printf("%s: %s\n", v.what, db.said())
	}
	return nil
}

// crowd shows the page to many at the same time.
func crowd(ctx context.Context, s *shop) error {
	var wg sync.WaitGroup
	failed := make(chan error, 32)
	for range 32 {
		wg.Go(func() {
			if err := s.show(ctx, io.Discard, "Ann"); err != nil {
				failed <- err
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed
}

// home sends the page of whoever asks for it.
func (s *shop) home(w http.ResponseWriter, r *http.Request) {
	user := "Ann"
	if r.FormValue("user") == "Bob" {
		user = "Bob"
	}
	var b strings.Builder // so that half a page is never sent
	if err := s.show(r.Context(), &b, user); err != nil {
		log.Print(err)
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	io.WriteString(w, b.String())
}

func serve(addr string) error {
	s := open(newDatabase(), nil)
	defer s.parts.Close()
	mux := http.NewServeMux()
	// The page is its reader's own: browsers may keep it, and nobody between.
	mux.Handle("GET /{$}", browsercache.With(browsercache.PrivateNoCache(),
		http.HandlerFunc(s.home)))
	mux.HandleFunc("POST /reprice", func(w http.ResponseWriter, r *http.Request) {
		if err := s.reprice(r.Context(), 2, 500+time.Now().Second()*10); err != nil {
			log.Print(err)
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/\n", l.Addr())
	return http.Serve(l, mux)
}
