// main.go answers: how do I cache whole pages of my application, and never show one user's to
// another?

// Command per-view-cache has an application of four views. Each says what its answer depends on:
// parameters of the query, the user, the language. What is not named makes no difference, and
// what a view does not say the answer itself may: a page that sets a cookie or says private is
// kept for nobody.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/larder-go/larder/httpcache"
)

// userOf is who is logged in. A real application would look the session up, not believe its name.
func userOf(r *http.Request) string {
	session, err := r.Cookie("session")
	if err != nil {
		return ""
	}
	return session.Value
}

func search(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "page %s of results for %s", r.FormValue("page"), r.FormValue("q"))
}

func account(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		fmt.Fprint(w, "changed")
		return
	}
	fmt.Fprintf(w, "account of %s", userOf(r))
}

func welcome(w http.ResponseWriter, r *http.Request) {
	words := map[string]string{"en": "welcome", "de": "willkommen"}
	fmt.Fprint(w, words[r.Header.Get("Accept-Language")]) // that is one of the view's by now
}

func login(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "session", Value: "ann"})
	fmt.Fprint(w, "hello")
}

// application returns the views, each behind a cache.
func application(c *httpcache.Cache) http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, h http.HandlerFunc, v httpcache.View) {
		mux.Handle(pattern, c.Middleware(h, v))
	}
	handle("/search", search, httpcache.View{
		Query: []string{"q", "page"}, // and not where a link came from
		TTL:   time.Minute,
		Stale: time.Hour, // is served while a new one is made
	})
	handle("/account", account, httpcache.View{
		Scope: userOf, // without it, answers to requests with a cookie would not be kept
		TTL:   time.Minute,
	})
	handle("/welcome", welcome, httpcache.View{
		Languages: []string{"en", "de"}, TTL: time.Hour, Tags: []string{"texts"},
	})
	handle("/login", login, httpcache.View{TTL: time.Hour})
	return mux
}

// visit is a request, by whoever has the cookie, in a language.
type visit struct{ method, target, user, language string }

func main() {
	log.SetFlags(0)
	c := httpcache.New(httpcache.Options{})
	defer c.Close()
	app := application(c)
	for _, v := range []visit{
		{"GET", "/search?q=tea&page=1", "", ""},
		{"GET", "/search?page=1&utm_source=mail&q=tea", "", ""}, // the same
		{"GET", "/search?q=tea&page=2", "", ""},
		{"GET", "/account", "ann", ""},
		{"GET", "/account", "bob", ""},
		{"GET", "/account", "ann", ""},
		{"POST", "/account", "ann", ""}, // makes all answers of its URL leave
		{"GET", "/account", "ann", ""},
		{"GET", "/welcome", "", "de-AT, de;q=0.9, en;q=0.8"},
		{"GET", "/welcome", "", "de"}, // leads to the same choice
		{"GET", "/welcome", "", "fr"},
		{"GET", "/login", "", ""},
		{"GET", "/login", "", ""},
	} {
		show(app, v)
	}
	n, err := c.Purge(context.Background(), httpcache.Purge{Tag: "texts"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("the texts have changed: %d answers left\n", n)
	show(app, visit{"GET", "/welcome", "", "de"})
}

// show prints one answer, how it came about, and why it is not kept if it is not.
func show(app http.Handler, v visit) {
	ctx, result := httpcache.Track(context.Background())
	r := httptest.NewRequestWithContext(ctx, v.method, v.target, nil)
	if v.user != "" {
		r.AddCookie(&http.Cookie{Name: "session", Value: v.user})
	}
	if v.language != "" {
		r.Header.Set("Accept-Language", v.language)
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	fmt.Printf("%s %s: %s (%v", v.method, v.target, w.Body, result.Outcome)
	if result.NotStored != "" {
		fmt.Printf(", not kept: %s", result.NotStored)
	}
	fmt.Println(")")
}
