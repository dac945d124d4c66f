// all_test.go tests the order, the bounds and the end of All.

package scrape_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/larder-go/larder/scrape"
)

func TestAllKeepsTheOrderOfItsInput(t *testing.T) {
	s := newSite(t, "User-agent: *\nDisallow: /bad")
	s.mux.HandleFunc("/{n}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.URL.Path)
	})
	var urls []string
	for i := range 200 {
		urls = append(urls, fmt.Sprint(s.URL, "/", i))
	}
	urls[17], urls[31], urls[50] = s.URL+"/bad", "mailto:a@b", s.URL+"/x/y"
	i := 0
	for url, r := range local(t).All(t.Context(), slices.Values(urls)) {
		if url != urls[i] {
			t.Fatalf("result %d is %s, want %s", i, url, urls[i])
		}
		bad := i == 17 || i == 31 || i == 50
		if (r.Err != nil) != bad || !bad && s.URL+string(r.Value.Body) != url {
			t.Errorf("%s: %+v", url, r)
		}
		i++
	}
	if i != len(urls) {
		t.Errorf("%d results, want %d", i, len(urls))
	}
}

func TestDuplicatesAreFetchedOnce(t *testing.T) {
	s := newSite(t, "")
	s.page("/a", "a")
	s.page("/b", "b")
	var urls []string
	for i := range 300 {
		urls = append(urls, s.URL+[]string{"/a", "/b", "/a#part"}[i%3])
	}
	seen := 0
	for url, r := range local(t).All(t.Context(), slices.Values(urls)) {
		if r.Err != nil || url != urls[seen] {
			t.Fatalf("%s: %v", url, r.Err)
		}
		seen++
	}
	if got := s.asked.Load(); seen != 300 || got != 3 {
		t.Errorf("%d results of %d requests, want 300 of 3", seen, got)
	}
}

func TestAllYieldsAsSoonAsItCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &fakeHost{robots: openRobots, takes: time.Second}
		f := scrape.New(scrape.Options{Transport: h})
		defer f.Close()
		start := time.Now()
		slowly := func(yield func(string) bool) {
			for i := range 3 {
				if !yield(fmt.Sprint("https://example.org/", i)) {
					return
				}
				time.Sleep(10 * time.Second)
			}
		}
		i := 0
		for _, r := range f.All(t.Context(), slowly) {
			want := time.Duration(i)*10*time.Second + time.Second + 250*time.Millisecond
			if took := time.Since(start); r.Err != nil || took > want {
				t.Errorf("result %d after %v, want %v: %v", i, took, want, r.Err)
			}
			i++
		}
	})
}

func TestAllHoldsABoundedNumberOfPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := scrape.New(scrape.Options{Transport: &fakeHost{robots: openRobots}, Jobs: 2})
		defer f.Close()
		pulled, done := 0, 0
		for range f.All(t.Context(), endless(&pulled)) {
			synctest.Wait()
			if done++; done == 100 {
				break
			}
			if pulled-done > 8 {
				t.Fatalf("%d addresses taken for %d results", pulled, done)
			}
		}
	})
}

func endless(pulled *int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for ; yield(fmt.Sprint("https://example.org/", *pulled)); *pulled++ {
		}
	}
}

func TestMapWorksWhereThePageIs(t *testing.T) {
	s := newSite(t, "")
	s.page("/a", "<h1>one</h1>")
	s.page("/b", "")
	errEmpty := errors.New("no headings")
	work := func(p *scrape.Page) (string, error) {
		if _, hs := scrape.Titles(p); len(hs) > 0 {
			return hs[0].Text, nil
		}
		return "", errEmpty
	}
	urls := slices.Values([]string{s.URL + "/a", s.URL + "/b"})
	for url, r := range scrape.Map(t.Context(), local(t), urls, work) {
		switch {
		case strings.HasSuffix(url, "/b"):
			wantError(t, r.Err, errEmpty, url)
		case r.Value != "one" || r.Err != nil:
			t.Errorf("%s: %+v", url, r)
		}
	}
}

func TestNothingRunsAfterABreakOrACancel(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	s := newSite(t, "")
	started := make(chan struct{}, 100)
	s.mux.HandleFunc("/{n}", func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/0" {
			started <- struct{}{}
			<-r.Context().Done()
		}
	})
	f := scrape.New(scrape.Options{AllowPrivate: true, Jobs: 50}) // so that /0 gets its turn
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var urls []string
	for i := range 50 {
		urls = append(urls, fmt.Sprint(s.URL, "/", i))
	}
	for range f.All(ctx, slices.Values(urls)) {
		<-started
		break
	}
	results, canceled := 0, 0
	for url, r := range f.All(ctx, slices.Values(urls)) {
		results++
		if strings.HasSuffix(url, "/0") {
			<-started
			cancel()
		} else if errors.Is(r.Err, context.Canceled) {
			canceled++
		}
	}
	if canceled == 0 || canceled != results-1 {
		t.Errorf("%d pages of %d were cancelled, want all but one", canceled, results)
	}
	f.Close()
	s.Close()
	goleak.VerifyNone(t, leaks)
}

func TestACancelEndsAllWhileItsInputIsBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := scrape.New(scrape.Options{Transport: &fakeHost{robots: openRobots}})
		defer f.Close()
		typed := make(chan struct{})
		defer close(typed)
		keyboard := func(yield func(string) bool) {
			_ = yield("https://example.org/1")
			<-typed
			if yield("https://example.org/2") {
				t.Error("an address is taken after the end")
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start, results := time.Now(), 0
		for range f.All(ctx, keyboard) {
			results++
		}
		if took := time.Since(start); results != 1 || took != time.Minute {
			t.Errorf("%d results after %v, want 1 after 1m", results, took)
		}
	})
}
