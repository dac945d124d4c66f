// validate_test.go asks for versions over real connections.

package browsercache_test

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/browsercache"
)

type fields = map[string]string

func validated(f http.HandlerFunc) http.Handler {
	return browsercache.Validate(f, browsercache.ValidateOptions{MaxBytes: 1000})
}

const (
	early  = "Mon, 02 Jan 2006 15:04:05 GMT"
	middle = "Tue, 03 Jan 2006 15:04:05 GMT"
	late   = "Wed, 04 Jan 2006 15:04:05 GMT"
)

func TestAPageIsNotSentAgain(t *testing.T) {
	h := validated(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "private, max-age=5")
		h.Set("Vary", "Accept-Language")
		h.Set("Expires", late)
		h.Set("Content-Location", "/page.en")
		h.Set("Content-Language", "en")
		h.Set("Last-Modified", early)
		h.Set("Set-Cookie", "a=b")
		fmt.Fprint(w, "<p>one ")
		fmt.Fprint(w, "page")
	})
	first := serve(t, h, "GET", "/", nil)
	tag := first.Header.Get("ETag")
	if first.Status != 200 || first.Body != "<p>one page" || len(tag) != 24 {
		t.Fatalf("the first time: %+v", first)
	}
	if got := first.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
	again := serve(t, h, "GET", "/", fields{"If-None-Match": tag})
	if again.Status != 304 || again.Body != "" {
		t.Errorf("again: %+v", again)
	}
	for name, values := range first.Header {
		_, has := again.Header[name]
		drops := strings.HasPrefix(name, "Content-") && name != "Content-Location" ||
			name == "Last-Modified"
		if has == drops {
			t.Errorf("a 304 has %s: %v (%q)", name, has, values)
		}
	}
	if head := serve(t, h, "HEAD", "/", nil); head.Header.Get("ETag") != tag || head.Body != "" {
		t.Errorf("HEAD: %+v", head)
	}
	if head := serve(t, h, "HEAD", "/", fields{"If-None-Match": tag}); head.Status != 304 {
		t.Errorf("HEAD again: %+v", head)
	}
}

const (
	own  = `"a,b"`
	weak = `W/"a,b"`
)

// conditions are versions, what is asked of them, and the answer.
var conditions = []struct {
	tag, modified string
	sent          fields
	want          int
}{
	{own, "", fields{"If-None-Match": own}, 304},
	{own, "", fields{"If-None-Match": weak}, 304},
	{weak, "", fields{"If-None-Match": own}, 304},
	{own, "", fields{"If-None-Match": `"x", W/"y" , "a,b"`}, 304},
	{own, "", fields{"If-None-Match": "\"x\"\n\"a,b\""}, 304},
	{own, "", fields{"If-None-Match": `*`}, 304},
	{own, "", fields{"If-None-Match": `,,"x",,"a,b",`}, 304},
	{own, "", fields{"If-None-Match": `"a"`}, 200},
	{own, "", fields{"If-None-Match": `a,b`}, 200},
	{own, "", fields{"If-None-Match": `"x" "a,b"`}, 200},
	{own, "", fields{"If-None-Match": `w/"a,b"`}, 200},
	{own, "", fields{"If-None-Match": `"x`}, 200},
	{own, "", fields{"If-None-Match": ``}, 200},
	{"", "", fields{"If-None-Match": `""`}, 200},
	{own, middle, fields{"If-Modified-Since": middle}, 304},
	{own, middle, fields{"If-Modified-Since": late}, 304},
	{own, middle, fields{"If-Modified-Since": early}, 200},
	{own, middle, fields{"If-Modified-Since": "yesterday"}, 200},
	{own, middle, fields{"If-Modified-Since": middle + "\n" + late}, 200},
	{own, "", fields{"If-Modified-Since": late}, 200},
	{"", middle, fields{"If-Modified-Since": middle}, 304},
	{own, middle, fields{"If-None-Match": `"x"`, "If-Modified-Since": late}, 200},
	{own, middle, fields{"If-None-Match": own, "If-Modified-Since": early}, 304},
	{own, "", fields{"If-Match": own}, 200},
	{own, "", fields{"If-Match": `*`}, 200},
	{own, "", fields{"If-Match": `"x"`}, 412},
	{own, "", fields{"If-Match": weak}, 412},
	{weak, "", fields{"If-Match": weak}, 412},
	{own, middle, fields{"If-Match": own, "If-Unmodified-Since": early}, 200},
	{own, middle, fields{"If-Match": own, "If-None-Match": own}, 304},
	{own, middle, fields{"If-Match": `"x"`, "If-None-Match": own}, 412},
	{own, middle, fields{"If-Unmodified-Since": early}, 412},
	{own, middle, fields{"If-Unmodified-Since": middle}, 200},
	{own, middle, fields{"If-Unmodified-Since": "tomorrow"}, 200},
	{own, middle, fields{"If-Unmodified-Since": late, "If-None-Match": own}, 304},
	{own, "", fields{"If-Unmodified-Since": early}, 200},
	{"", "", fields{"If-Match": `"x"`}, 412},
	{"", "", fields{"If-Match": `*`}, 200},
}

// TestConditionsAreJudgedInOrder has a handler that sets a tag and a time, one whose tag is weak,
// and one that sets nothing.
func TestConditionsAreJudgedInOrder(t *testing.T) {
	for _, c := range conditions {
		h := validated(func(w http.ResponseWriter, r *http.Request) {
			set := fields{"ETag": c.tag, "Last-Modified": c.modified}
			for name, value := range set {
				if value != "" {
					w.Header().Set(name, value)
				}
			}
			fmt.Fprint(w, "page")
		})
		got := serve(t, h, "GET", "/", c.sent)
		if got.Status != c.want || (got.Body == "page") != (c.want == 200) {
			t.Errorf("%s, %s, %v: %d %q, want %d", c.tag, c.modified, c.sent, got.Status, got.Body,
				c.want)
		}
		if tag := got.Header.Get("ETag"); c.tag != "" && tag != c.tag {
			t.Errorf("ETag %q, want %q", tag, c.tag)
		}
	}
}

func TestOnlySuccessfulReadsAreJudged(t *testing.T) {
	for _, c := range []struct {
		method string
		status int
	}{{"GET", 404}, {"GET", 500}, {"GET", 206}, {"GET", 302}, {"POST", 200}, {"PUT", 200}} {
		h := validated(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Last-Modified", early)
			w.WriteHeader(c.status)
			fmt.Fprint(w, "x")
		})
		got := serve(t, h, c.method, "/", fields{"If-None-Match": "*", "If-Modified-Since": late})
		if got.Status != c.status || got.Body != "x" || got.Header.Get("ETag") != "" {
			t.Errorf("%s: %+v, want %d", c.method, got, c.status)
		}
	}
}

func TestWhatIsLongIsStreamed(t *testing.T) {
	long := strings.Repeat("x", 700)
	for _, announced := range []bool{false, true} {
		h := validated(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Last-Modified", early)
			if announced {
				w.Header().Set("Content-Length", strconv.Itoa(len(long)*3))
			}
			for range 3 {
				io.Copy(w, strings.NewReader(long))
			}
		})
		got := serve(t, h, "GET", "/", fields{"If-None-Match": `"x"`, "If-Match": `"y"`})
		if got.Status != 200 || got.Body != long+long+long || got.Header.Get("ETag") != "" {
			t.Errorf("announced %v: %d, %d bytes", announced, got.Status, len(got.Body))
		}
		got = serve(t, h, "GET", "/", fields{"If-Modified-Since": late})
		if got.Status != 304 || got.Body != "" {
			t.Errorf("announced %v: %d with %d bytes, want 304", announced, got.Status,
				len(got.Body))
		}
	}
}

func TestWhatMustNotWaitIsStreamed(t *testing.T) {
	for name, f := range map[string]http.HandlerFunc{
		"flushed": func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush() },
		"controlled": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "")
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
		},
		"events": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		},
		"secret": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "private, No-Store")
		},
		"trailers": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer",
				"X-Sum")
		},
	} {
		h := validated(func(w http.ResponseWriter, r *http.Request) {
			f(w, r)
			fmt.Fprint(w, "x")
			w.Header().Set("X-Sum", "1")
		})
		got := serve(t, h, "GET", "/", nil)
		if got.Status != 200 || got.Body != "x" || got.Header.Get("ETag") != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestTheReaderOfAStreamSeesItsBeginBeforeItsEnd(t *testing.T) {
	seen := make(chan struct{})
	s := httptest.NewServer(validated(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "begin")
		w.(http.Flusher).Flush()
		<-seen
		fmt.Fprint(w, "end")
	}))
	defer s.Close()
	resp, err := http.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	begin := make([]byte, 5)
	if _, err := io.ReadFull(resp.Body, begin); err != nil || string(begin) != "begin" {
		t.Fatalf("%q, %v", begin, err)
	}
	close(seen)
	if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != "end" {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestHalfAPageIsNotSentWhenItsHandlerPanics(t *testing.T) {
	s := httptest.NewServer(validated(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "half")
		panic(http.ErrAbortHandler)
	}))
	defer s.Close()
	if resp, err := http.Get(s.URL); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, %v, want the connection closed", resp, err)
	}
}

func TestASecondHeaderIsNotWritten(t *testing.T) {
	var log strings.Builder
	h := validated(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		fmt.Fprint(w, "x")
		w.WriteHeader(500)
	})
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = newLog(&log)
	s.Start()
	got := ask(t, s.URL, "GET", "/", nil)
	s.Close()
	if got.Status != 200 || got.Body != "x" || log.Len() > 0 {
		t.Errorf("%+v, log %q", got, log.String())
	}
}

func TestAnEmptyPageIsOne(t *testing.T) {
	h := validated(func(w http.ResponseWriter, r *http.Request) {})
	got := serve(t, h, "GET", "/", nil)
	if tag := got.Header.Get("ETag"); got.Status != 200 || tag == "" || got.Body != "" {
		t.Errorf("%+v", got)
	}
	if got := serve(t, h, "HEAD", "/", nil); got.Header.Get("ETag") != "" {
		t.Errorf("HEAD made up the ETag of a body that nobody wrote: %+v", got)
	}
}

func TestHintsGoAhead(t *testing.T) {
	s := httptest.NewServer(validated(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		fmt.Fprint(w, "page")
	}))
	defer s.Close()
	hints := 0
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
		hints += code
		return nil
	}}
	req, _ := http.NewRequest("GET", s.URL, nil)
	resp, err := http.DefaultClient.Do(req.WithContext(httptrace.WithClientTrace(t.Context(),
		trace)))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if hints != 103 || resp.StatusCode != 200 || resp.Header.Get("ETag") == "" {
		t.Errorf("hints %d, then %s with %q", hints, resp.Status, resp.Header.Get("ETag"))
	}
}

func TestAConnectionCanBeHijacked(t *testing.T) {
	s := httptest.NewServer(validated(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\nhello")
	}))
	defer s.Close()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	all, err := io.ReadAll(bufio.NewReader(conn))
	if err != nil || !strings.HasSuffix(string(all), "\r\n\r\nhello") {
		t.Errorf("%q, %v", all, err)
	}
}

func TestTheControllerReachesWhatIsBelow(t *testing.T) {
	h := validated(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if err := c.SetWriteDeadline(time.Now().Add(time.Hour)); err != nil {
			t.Error(err)
		}
	})
	serve(t, h, "GET", "/", nil)
}

// TestEncodingsAreVersionsOfTheirOwn has a handler that compresses, inside.
func TestEncodingsAreVersionsOfTheirOwn(t *testing.T) {
	h := validated(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept-Encoding")
		w.Header().Set("Content-Type", "text/plain")
		if r.Header.Get("Accept-Encoding") != "gzip" {
			fmt.Fprint(w, "page")
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		fmt.Fprint(z, "page")
	})
	plain := serve(t, h, "GET", "/", nil).Header.Get("ETag")
	packed := serve(t, h, "GET", "/", fields{"Accept-Encoding": "gzip"}).Header.Get("ETag")
	if plain == packed || plain == "" || packed == "" {
		t.Errorf("ETags %s and %s", plain, packed)
	}
	got := serve(t, h, "GET", "/", fields{"Accept-Encoding": "gzip", "If-None-Match": packed})
	if got.Status != 304 || got.Header.Get("Vary") == "" ||
		got.Header.Get("Content-Encoding") != "" {
		t.Errorf("%+v", got)
	}
	if got := serve(t, h, "GET", "/", fields{"If-None-Match": packed}); got.Status != 200 {
		t.Errorf("%+v", got)
	}
}

func TestAWeakTagStaysGoodWhereBytesChange(t *testing.T) {
	h := browsercache.Validate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "page")
	}), browsercache.ValidateOptions{Weak: true})
	tag := serve(t, h, "GET", "/", nil).Header.Get("ETag")
	if !strings.HasPrefix(tag, `W/"`) {
		t.Fatalf("ETag %s", tag)
	}
	if got := serve(t, h, "GET", "/", fields{"If-None-Match": tag}); got.Status != 304 {
		t.Errorf("%+v", got)
	}
	if got := serve(t, h, "GET", "/", fields{"If-Match": tag}); got.Status != 412 {
		t.Errorf("%+v", got)
	}
}

func TestAFileServerGetsTags(t *testing.T) {
	h := validated(func(w http.ResponseWriter, r *http.Request) {
		modified, _ := http.ParseTime(middle)
		http.ServeContent(w, r, "a.txt", modified, strings.NewReader("0123456789"))
	})
	tag := serve(t, h, "GET", "/", nil).Header.Get("ETag")
	for _, c := range []struct {
		sent fields
		want int
		body string
	}{
		{fields{"If-None-Match": tag}, 304, ""},
		{fields{"If-Modified-Since": middle}, 304, ""},
		{fields{"Range": "bytes=2-3"}, 206, "23"},
		{fields{"Range": "bytes=2-3", "If-Range": tag}, 200, "0123456789"},
		{fields{"Range": "bytes=20-"}, 416, "invalid range: failed to overlap\n"},
	} {
		got := serve(t, h, "GET", "/", c.sent)
		if got.Status != c.want || got.Body != c.body {
			t.Errorf("%v: %d %q, want %d %q", c.sent, got.Status, got.Body, c.want, c.body)
		}
	}
}

func TestAnsweredSavesTheWork(t *testing.T) {
	made := 0
	modified := time.Date(2006, 1, 3, 15, 4, 5, 999, time.UTC)
	version := browsercache.Version{ETag: browsercache.Tag("post", "7"), Modified: modified}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "private")
		if browsercache.Answered(w, r, version) {
			return
		}
		made++
		fmt.Fprint(w, "page")
	})
	for _, c := range []struct {
		method string
		sent   fields
		want   int
	}{
		{"GET", nil, 200},
		{"GET", fields{"If-None-Match": version.ETag}, 304},
		{"GET", fields{"If-Modified-Since": middle}, 304},
		{"HEAD", fields{"If-None-Match": version.ETag}, 304},
		{"PUT", fields{"If-Match": version.ETag}, 200},
		{"PUT", fields{"If-Match": `"older"`}, 412},
		{"PUT", fields{"If-None-Match": `*`}, 412},
		{"PUT", fields{"If-Unmodified-Since": early}, 412},
		{"PUT", fields{"If-Modified-Since": late}, 200},
	} {
		got := serve(t, h, c.method, "/", c.sent)
		if got.Status != c.want || got.Header.Get("ETag") != version.ETag {
			t.Errorf("%s %v: %d, want %d", c.method, c.sent, got.Status, c.want)
		}
	}
	if made != 3 {
		t.Errorf("the page was made %d times, want 3", made)
	}
}

func TestTagsAreToldApart(t *testing.T) {
	if browsercache.Tag("a", "bc") == browsercache.Tag("ab", "c") {
		t.Error("parts are run together")
	}
}

func TestThirtyTwoBrowsersGetTheirOwnPages(t *testing.T) {
	s := httptest.NewServer(validated(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, strings.Repeat(r.URL.Path, 20))
	}))
	defer s.Close()
	var wg sync.WaitGroup
	for g := range 32 {
		wg.Go(func() {
			path := fmt.Sprintf("/%d", g)
			tag := ""
			for range 10 {
				got := ask(t, s.URL, "GET", path, fields{"If-None-Match": tag})
				switch {
				case tag == "" && got.Body == strings.Repeat(path, 20):
					tag = got.Header.Get("ETag")
				case tag == "" || got.Status != 304 || got.Header.Get("ETag") != tag:
					t.Errorf("%s: %+v", path, got)
				}
			}
		})
	}
	wg.Wait()
}

// FuzzIfNoneMatch compares with a reader of lists that is slow and simple.
func FuzzIfNoneMatch(f *testing.F) {
	for _, list := range []string{`"a"`, `W/"a", "b"`, `*`, `,"a",`, `"a,b"`, `"a" "b"`, `"`, `W/`,
		"\"\x7f\"", `"a",x,"b"`} {
		f.Add(list, `"a"`)
	}
	f.Fuzz(func(t *testing.T, list, tag string) {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			browsercache.Answered(w, r, browsercache.Version{ETag: tag})
		})
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["If-None-Match"] = []string{list}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		found := strings.TrimSpace(list) == "*" || lists(list, strings.TrimPrefix(tag, "W/"))
		if found && w.Code != 304 && isTag(tag) || w.Code == 304 && !found {
			t.Errorf("%q in %q: %d", tag, list, w.Code)
		}
	})
}
