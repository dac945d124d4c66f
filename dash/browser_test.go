// browser_test.go looks at the page with a real browser.

package dash_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/dash"
	"github.com/larder-go/larder/internal/browser"
	"github.com/larder-go/larder/stats"
)

// visible is true once the table of parts, or a part, is there.
const (
	listed = `document.querySelectorAll("#parts tbody").length > 0`
	opened = `!document.querySelector("#detail").hidden`
	closed = `!document.querySelector("#overview").hidden`
)

// visit serves a handler under a path and opens it.
func visit(t *testing.T, h http.Handler, path string) (*browser.Page, string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	p := browser.Open(t).Page(1280, 900)
	p.Visit(s.URL + path)
	return p, s.URL + path
}

func textOf(p *browser.Page, selector string) string {
	return browser.Eval[string](p, fmt.Sprintf("document.querySelector(%q).textContent", selector))
}

func TestThePageWorksBehindAPrefix(t *testing.T) {
	t.Parallel()
	h := handler(t, dash.Options{}, users())
	mux := http.NewServeMux()
	mux.Handle("/a/b/", h)
	mux.Handle("/stripped/", http.StripPrefix("/stripped", h))
	mux.Handle("/exact", h)
	p, at := visit(t, mux, "/a/b/")
	for _, path := range []string{"/a/b/", "/stripped/", "/exact", "/exact?x=y"} {
		p.Visit(strings.TrimSuffix(at, "/a/b/") + path)
		p.Await(listed)
		p.Run(`location.hash = "#/memory/users"`)
		p.Await(opened)
		p.Await(`document.querySelectorAll("#hits-table tbody tr").length === 10`)
		p.Await(`document.querySelector("#numbers-rows .help").textContent !== ""`)
	}
	p.DemandSilence()
}

func TestKeysThatAreMarkupRunNoScript(t *testing.T) {
	t.Parallel()
	const evil = `"><img onerror=alert(1) src=x><script>alert(2)</script>`
	part := users()
	part.shot.Name, part.shot.Policy, part.shot.Note = evil, evil, evil
	part.count(stats.Departures, evil, 7)
	part.curve.Policies[2].Policy = evil
	for by := range part.keys.top {
		part.keys.top[by] = nil
		for i := range 10_000 {
			k := stats.Key{Key: fmt.Sprint(evil, i), Hits: 5}
			part.keys.top[by] = append(part.keys.top[by], k)
		}
	}
	part.keys.slow = nil
	for i := range 10_000 {
		slow := stats.Load{Key: fmt.Sprint(evil, i), Err: evil, At: time.Now()}
		part.keys.slow = append(part.keys.slow, slow)
	}
	l := life(evil)
	l.Tags, l.Missed, l.State, l.Why = []string{evil}, evil, evil, []string{evil}
	part.keys.lives[evil+"0"] = l
	p, _ := visit(t, handler(t, dash.Options{Version: evil}, part), "/")
	p.Run(`window.alerts = 0; window.alert = () => { alerts++; }`)
	p.Await(listed)
	p.Click("#parts .name")
	p.Await(`document.querySelectorAll("#slowest-table tbody tr").length === 10`)
	p.Run(`document.querySelector("#hits-table button").click()`)
	p.Await(`document.querySelector("#found").textContent.includes("onerror")`)
	const made = `document.querySelectorAll("img, main script, body > script").length + alerts`
	if n := browser.Eval[int](p, made); n != 0 {
		t.Errorf("%d elements and alerts that came from keys", n)
	}
	if got := textOf(p, "#hits-table button"); got != evil+"0" {
		t.Errorf("the key is shown as %q", got)
	}
	p.DemandSilence()
}

func TestThePolicyOfThePageHolds(t *testing.T) {
	t.Parallel()
	p, _ := visit(t, handler(t, dash.Options{}, users()), "/")
	p.Await(listed)
	p.Run(`window.ran = false; window.refused = [];
		addEventListener("securitypolicyviolation", (e) => refused.push(e.effectiveDirective));
		const attempt = (what) => { try { what(); } catch (e) { refused.push(e.name); } };
		const s = document.createElement("script");
		attempt(() => { s.textContent = "window.ran = true"; document.body.append(s); });
		attempt(() => { document.body.innerHTML += "<img src=x>"; });
		const style = document.createElement("style");
		style.textContent = "body { color: red }";
		document.body.append(style); 0`)
	p.Await(`refused.length >= 3`)
	if browser.Eval[bool](p, "ran") {
		t.Error("a script in the page ran")
	}
}

func TestAPartIsOpenedWithKeysAlone(t *testing.T) {
	t.Parallel()
	second := users()
	second.shot.Name = "second"
	p, _ := visit(t, handler(t, dash.Options{}, users(), second), "/")
	p.Await(listed)
	p.Press("Tab")
	if got := browser.Eval[string](p, "document.activeElement.id"); got != "skip" {
		t.Errorf("the first stop is %q, want the skip link", got)
	}
	for range 5 { // the skip link, pause, JSON, users, second
		if browser.Eval[string](p, "document.activeElement.textContent") == "second" {
			break
		}
		p.Press("Tab")
	}
	outline := browser.Eval[string](p, "getComputedStyle(document.activeElement).outlineStyle")
	if outline == "none" {
		t.Error("the focus cannot be seen")
	}
	p.Press("Enter")
	p.Await(opened)
	if got := browser.Eval[string](p, "location.hash + document.activeElement.textContent"); got !=
		"#/memory/secondsecond" {
		t.Errorf("address and focus: %q", got)
	}
	p.Press("Escape")
	p.Await(closed)
	if got := browser.Eval[string](p, "document.activeElement.textContent"); got != "second" {
		t.Errorf("the focus is on %q, want the row it came from", got)
	}
	p.Run("history.back()")
	p.Await(opened)
	p.Reload()
	p.Await(opened) // the address remembers it
	p.Press("Tab")  // the page can be read on from there
	p.DemandSilence()
}

// counting counts the requests for the report.
func counting(h http.Handler) (http.Handler, *atomic.Int64) {
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("format") == "json" {
			n.Add(1)
		}
		h.ServeHTTP(w, r)
	}), &n
}

// hide makes a page believe that nobody sees it, or somebody again.
func hide(p *browser.Page, hidden bool) {
	p.Run(fmt.Sprintf(`Object.defineProperty(document, "hidden", { value: %v, configurable: true });
		document.dispatchEvent(new Event("visibilitychange"))`, hidden))
}

func TestAHiddenPageAsksNothing(t *testing.T) {
	t.Parallel()
	h, asked := counting(handler(t, dash.Options{}, users()))
	p, _ := visit(t, h, "/")
	p.Await(listed)
	await(t, func() bool { return asked.Load() >= 2 }) // it asks again and again
	hide(p, true)
	p.Run("new Promise((r) => setTimeout(r, 300))") // what was under way
	n := asked.Load()
	p.Run("new Promise((r) => setTimeout(r, 4500))") // two of its periods: nothing is awaited here
	if more := asked.Load() - n; more != 0 {
		t.Errorf("it asked %d times while it was hidden", more)
	}
	hide(p, false)
	await(t, func() bool { return asked.Load() > n })
	p.DemandSilence()
}

func TestAPausedPageStillShowsWhatIsOpened(t *testing.T) {
	t.Parallel()
	second := users()
	second.shot.Name = "second"
	second.keys.top[stats.ByHits] = []stats.Key{{Key: "of the second"}}
	h, asked := counting(handler(t, dash.Options{}, users(), second))
	p, _ := visit(t, h, "/#/memory/users")
	p.Await(`document.querySelectorAll("#hits-table tbody tr").length === 10`)
	p.Click("#pause")
	p.Await(`document.querySelector("#pause").textContent === "Resume"`)
	n := asked.Load()
	p.Click("#after")
	p.Await(`document.querySelector("#hits-table button").textContent === "of the second"`)
	if more := asked.Load() - n; more != 2 {
		t.Errorf("it asked %d times, want for the report and for the keys", more)
	}
	p.Run(`location.hash = "#/memory/gone"`)
	p.Await(`document.querySelector("#trouble").textContent.includes("does not report")`)
	p.Await(closed)
	p.DemandSilence()
}

// await waits until something is true.
func await(t *testing.T, is func() bool) {
	t.Helper()
	for late := time.Now().Add(20 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("this did not become true")
		}
	}
}

func TestTheNumbersOnThePageAreThoseOfTheSnapshot(t *testing.T) {
	t.Parallel()
	part := users()
	part.count(stats.Predicted, "0.5x", 0.8731234567890123)
	p, _ := visit(t, handler(t, dash.Options{}, part), "/#/memory/users")
	p.Await(`document.querySelectorAll("#numbers-rows tr").length > 5`)
	p.Await(`document.querySelectorAll("#hits-table tbody tr").length === 10`)
	type row struct{ Metric, Label, Value, Text string }
	rows := browser.Eval[[]row](p, `[...document.querySelectorAll("#numbers-rows tr")].map((r) => ({
		Metric: r.dataset.metric, Label: r.dataset.label, Value: r.cells[2].dataset.value,
		Text: r.cells[2].textContent }))`)
	shown := map[stats.Sample]string{}
	for _, r := range rows {
		v, err := strconv.ParseFloat(r.Value, 64)
		if err != nil {
			t.Fatal(err)
		}
		shown[stats.Sample{Metric: r.Metric, Label: r.Label, Value: v}] = r.Text
	}
	s := part.Snapshot()
	samples := append(s.Samples, stats.LoadDuration.Of("count", float64(s.Durations.Count)),
		stats.LoadDuration.Of("sum", s.Durations.Sum))
	for _, want := range samples {
		text, ok := shown[want]
		if !ok || !sameNumber(text, want.Value) {
			t.Errorf("%+v is shown as %q", want, text)
		}
	}
	if len(rows) != len(samples) {
		t.Errorf("%d numbers, want %d", len(rows), len(samples))
	}
	p.DemandSilence()
}

// sameNumber tells whether a text of the page says a number, to twelve digits.
func sameNumber(text string, want float64) bool {
	text = strings.ReplaceAll(strings.Split(text, "\u202f")[0], "\u00a0", "")
	got, err := strconv.ParseFloat(text, 64)
	return err == nil && (got == want || (got-want)/want < 1e-11 && (want-got)/want < 1e-11)
}

func TestWhatIsShownStaysWhereItIsWhileItChanges(t *testing.T) {
	t.Parallel()
	part := users()
	p, _ := visit(t, handler(t, dash.Options{}, part), "/#/memory/users")
	p.Await(`document.querySelectorAll("#hits-table tbody tr").length === 10`)
	p.Run(`scrollTo({ top: 700, behavior: "instant" });
		window.first = document.querySelector("#requests-bars tbody tr");
		document.querySelector("#hits-table tbody tr:nth-child(4) button").focus({ preventScroll: true });
		getSelection().selectAllChildren(document.querySelector("#requests-title")); 0`)
	focused := browser.Eval[string](p, "document.activeElement.value")
	part.count(stats.Requests, stats.Hit, 1000)
	p.Await(`document.querySelector("#requests-bars td").textContent === "482\u00a0209"`)
	state := browser.Eval[[]any](p, `[document.activeElement.value, scrollY, String(getSelection()),
		first === document.querySelector("#requests-bars tbody tr")]`)
	want := fmt.Sprint([]any{focused, 700.0, "How are requests answered?", true})
	if fmt.Sprint(state) != want {
		t.Errorf("focus, scroll, selection, row: %v, want %v", state, want)
	}
	p.DemandSilence()
}

func TestAServerThatGoesAwayIsWaitedFor(t *testing.T) {
	t.Parallel()
	var away atomic.Bool
	h := handler(t, dash.Options{}, users())
	p, _ := visit(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if away.Load() {
			panic(http.ErrAbortHandler)
		}
		h.ServeHTTP(w, r)
	}), "/")
	p.Await(listed)
	away.Store(true)
	p.Await(`document.querySelector("#trouble").textContent.includes("does not answer")`)
	p.Await(listed) // what was known is still shown
	away.Store(false)
	p.Await(`document.querySelector("#trouble").textContent === ""`)
	p.Await(`!document.body.classList.contains("lost")`)
}

func TestAKeyIsLookedUpAndDeletedWithAToken(t *testing.T) {
	t.Parallel()
	part := users()
	p, _ := visit(t, handler(t, dash.Options{Actions: true, Token: "open"}, part), "/#/memory/users")
	p.Await(`document.querySelectorAll("#hits-table tbody tr").length === 10`)
	p.Run(`document.querySelector("#key").focus()`)
	p.Type("user:2678")
	p.Press("Enter")
	p.Await(`document.querySelector("#life-state").textContent === "fresh"`)
	for _, token := range []string{"wrong", "open"} {
		p.Run(`document.querySelector("#changes button[value=delete]").click()`)
		p.Await(`document.querySelector("#confirm").open && document.activeElement.id === "token"`)
		p.Type(token)
		p.Press("Enter")
		p.Await(`!document.querySelector("#confirm").open`)
		want := map[string]string{"wrong": "token is missing or wrong", "open": "was deleted"}[token]
		p.Await(fmt.Sprintf("document.querySelector('#found').textContent.includes(%q)", want))
	}
	p.Run(`document.querySelector("#changes button[value=refresh]").click()`)
	p.Await(`document.querySelector("#confirm").open && document.querySelector("#confirm-token").hidden`)
	p.Run(`document.querySelector("#confirm-yes").click()`)
	p.Await(`document.querySelector("#found").textContent.includes("refreshed")`)
	calls := strings.Join(part.keys.heard(), ",")
	if !strings.Contains(calls, "delete user:2678") || !strings.Contains(calls, "refresh user:2678") {
		t.Errorf("done: %s", calls)
	}
	kept := browser.Eval[string](p,
		`JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie`)
	if kept != "{}" {
		t.Errorf("kept: %s", kept)
	}
}

func TestATraceIsRecordedFromThePage(t *testing.T) {
	t.Parallel()
	part := users()
	part.keys.stream = []stats.Access{{Key: 1, Hit: true}}
	p, _ := visit(t, handler(t, dash.Options{}, part), "/#/memory/users")
	p.Await(`document.querySelectorAll("#hits-table tbody tr").length === 10`)
	p.Run(`{ const b = document.querySelector("#record button"); b.value = "1"; b.click(); }`)
	p.Await(`document.querySelector("#record-says").textContent.includes("Saved as users-")`)
	p.Run(`document.querySelector("#record button:nth-of-type(2)").click()`)
	p.Await(`!document.querySelector("#record-stop").hidden`)
	p.Run(`document.querySelector("#record-stop").click()`)
	p.Await(`document.querySelector("#record-says").textContent === "Not recorded."`)
	p.DemandSilence()
}

func TestAPhoneNeedsNoScrollingSideways(t *testing.T) {
	t.Parallel()
	part := users()
	part.shot.Name = strings.Repeat("averylongname", 12)
	part.keys.top[stats.ByHits][0].Key = strings.Repeat("key", 300)
	l := life(strings.Repeat("key", 300))
	part.keys.lives[l.Key] = l
	p, at := visit(t, handler(t, dash.Options{Actions: true, Token: "t"}, part, others()[0]), "/")
	for _, width := range []int{320, 390, 768, 1024} {
		p.Phone(width, 800, 2)
		p.Visit(at)
		p.Await(listed)
		narrow(t, p, "all parts", width)
		p.Run(`document.querySelector("#parts .name").click()`)
		p.Await(`document.querySelectorAll("#hits-table tbody tr").length === 10`)
		p.Run(`document.querySelector("#hits-table button").click()`)
		p.Await(`document.querySelector("#life-state").textContent === "fresh"`)
		narrow(t, p, "a part", width)
	}
	p.DemandSilence()
}

func narrow(t *testing.T, p *browser.Page, what string, width int) {
	t.Helper()
	if got := browser.Eval[int](p, "document.documentElement.scrollWidth"); got > width {
		t.Errorf("%s: %d pixels wide in a window of %d", what, got, width)
	}
}

func TestScreenReadersFindTheirWay(t *testing.T) {
	t.Parallel()
	p, _ := visit(t, handler(t, dash.Options{}, users()), "/#/memory/users")
	p.Await(`document.querySelectorAll("#hits-table tbody tr").length === 10`)
	found := browser.Eval[[]string](p, `[
		...[...document.querySelectorAll("svg")].filter((s) => s.getBoundingClientRect().width &&
			!(s.getAttribute("role") === "img" && s.querySelector("title").textContent))
			.map((s) => "svg " + s.id),
		...[...document.querySelectorAll("table:not([role]) thead")].filter((h) =>
			[...h.rows[0].cells].some((c) => c.tagName !== "TH" || !c.scope || !c.textContent))
			.map((h) => "table " + h.parentNode.id),
		...[...document.querySelectorAll("button, a, input")].filter((e) => e.offsetParent &&
			!(e.textContent || e.ariaLabel || e.labels?.length)).map((e) => "name of " + e.outerHTML),
		...[...document.querySelectorAll("[id]")].filter((e) =>
			document.querySelectorAll("#" + CSS.escape(e.id)).length > 1).map((e) => "twice " + e.id),
		...[...document.querySelectorAll("[aria-labelledby]")].filter((e) =>
			!document.getElementById(e.getAttribute("aria-labelledby"))).map((e) => "label of " + e.id),
	]`)
	if len(found) > 0 {
		b, _ := json.MarshalIndent(found, "", "  ")
		t.Errorf("problems: %s", b)
	}
	levels := browser.Eval[string](p, `[...document.querySelectorAll("h1, h2, h3, h4")]
		.filter((h) => h.offsetParent).map((h) => h.tagName[1]).join("")`)
	for i := 1; i < len(levels); i++ {
		if levels[i] > levels[i-1]+1 {
			t.Errorf("levels of headings: %s", levels)
		}
	}
}
