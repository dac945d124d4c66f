// explain.go says what caches do with a response, from which of its fields, and by which rule.

package httpcache

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Audience says for which caches a response is explained.
type Audience uint8

// The audiences.
const (
	ForAll     Audience = iota // shared caches and browsers
	ForShared                  // shared caches alone: a proxy, a CDN
	ForPrivate                 // browsers alone
)

// ExplainOptions say for which caches a response is explained, and what else is known of it. The
// zero value explains one that has just come, for a browser and for a [Cache] of the default
// Options.
type ExplainOptions struct {
	// Cache and View are what the shared cache is told, as in [New] and [Cache.Middleware]. What
	// does not concern the rules is not looked at.
	Cache Options
	View  View
	// Audience leaves out caches that nobody asks about.
	Audience Audience
	// Requested and Received are when the request was sent, and when the header of the response
	// came. A zero Received means now; a zero Requested, or one after Received, means Received.
	Requested, Received time.Time
	// Second is what the same request with Explanation.Condition was answered with. Its body is not
	// looked at. nil means that nobody has asked twice.
	Second *http.Response
	// SameBody says that the body of Second is that of the response.
	SameBody bool
}

// Seconds is a span of time as HTTP counts it: whole and not negative.
type Seconds int64

// secondsIn returns the whole seconds of d, or 0 if it is negative.
func secondsIn(d time.Duration) Seconds { return Seconds(max(d, 0) / time.Second) }

// Duration returns s as a time.Duration.
func (s Seconds) Duration() time.Duration { return time.Duration(s) * time.Second }

// Explanation is what caches do with a response. It is plain data, and belongs to the caller. Its
// texts hold pieces of the response: escape them before they are shown.
type Explanation struct {
	// Verdict is what becomes of the response, in a line.
	Verdict string `json:"verdict"`
	Method  string `json:"method"`
	URL     string `json:"url,omitempty"`
	Status  int    `json:"status"`

	Shared  *Treatment `json:"shared,omitempty"`  // by shared caches; nil: not asked about
	Private *Treatment `json:"private,omitempty"` // by browsers; nil: not asked about
	Age     Age        `json:"age"`
	// Condition holds the fields of the request by which a cache that has the response asks whether
	// it is still current; nil if nothing in the response allows such a question.
	Condition http.Header `json:"condition,omitempty"`

	Selectors []Selector `json:"selectors,omitempty"` // the request fields that select variants
	Query     *Query     `json:"query,omitempty"`     // what No-Vary-Search says; nil: nothing
	Groups    []string   `json:"groups,omitempty"`    // of Cache-Groups
	Tags      []string   `json:"tags,omitempty"`      // surrogate keys, for Purge

	// Reports are those of Cache-Status, the cache next to the origin first.
	Reports []Report `json:"reports,omitempty"`
	// Hints are fields that say the same in no common language, such as X-Cache, and Via.
	Hints  []string `json:"hints,omitempty"`
	Second *Second  `json:"second,omitempty"` // nil: nobody has asked twice

	Findings []Finding `json:"findings"` // mistakes and advice, the worst first
}

// Next is what a cache does when it is asked for the response again.
type Next string

// What a cache can do.
const (
	NextServe    Next = "serve"    // what it has
	NextValidate Next = "validate" // ask the origin whether that is still current
	NextLoad     Next = "load"     // ask the origin for the whole
)

// Treatment is what one kind of cache does with a response.
type Treatment struct {
	Stored bool `json:"stored"`
	// Reason says why it is not stored, or else how a request would be treated that comes at once:
	// "fresh", "no-cache", "stale". Rule is the section of the RFC behind that, or "".
	Reason string `json:"reason"`
	Rule   string `json:"rule,omitempty"`

	// The rest is zero, but for Reload, if the response is not stored.

	Freshness Freshness `json:"freshness"`
	// AlwaysAsks says that no request is answered without asking the origin: no-cache.
	AlwaysAsks bool `json:"always_asks"`
	// FreshFor is what is left of the lifetime, and FreshUntil when that is over.
	FreshFor   Seconds   `json:"fresh_for"`
	FreshUntil time.Time `json:"fresh_until,omitzero"`
	// NeverStale says that it is not served stale on anybody's word but its own.
	NeverStale bool `json:"never_stale"`
	// StaleWhileRevalidate and StaleIfError are for how long after its lifetime it is served while
	// the origin is asked behind, and in place of an error of the origin.
	StaleWhileRevalidate Seconds `json:"stale_while_revalidate"`
	StaleIfError         Seconds `json:"stale_if_error"`
	// Then is what happens once it may not be served any more.
	Then Next `json:"then,omitempty"`
	// Reload is what happens when a person reloads the page it is.
	Reload Next `json:"reload"`
}

// Source is what a freshness lifetime comes from.
type Source string

// The sources.
const (
	FromNothing   Source = "nothing"
	FromSMaxAge   Source = "s-maxage"
	FromMaxAge    Source = "max-age"
	FromExpires   Source = "Expires"   // minus Date
	FromView      Source = "View.TTL"  // nothing better is known
	FromHeuristic Source = "heuristic" // a tenth of the time from Last-Modified to Date
)

// Freshness is how long a response is fresh, counted from when it was made, and why.
type Freshness struct {
	Lifetime Seconds `json:"lifetime"`
	Source   Source  `json:"source"`
	Field    string  `json:"field,omitempty"` // in which the directive stands
	Rule     string  `json:"rule,omitempty"`
	// From and To are the dates of which it is the difference, or a tenth of that.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
}

// Age is how old a response was when it came (RFC 9111, section 4.2.3): the time since Date, or
// what Age says and the time the request took, whichever is more.
type Age struct {
	Current  Seconds `json:"current"`
	Apparent Seconds `json:"apparent"` // since Date
	Reported Seconds `json:"reported"` // by Age
	Delay    Seconds `json:"delay"`    // from the request to the response
}

// Crowd is how many variants all clients together make of one selecting field.
type Crowd string

// The sizes of a crowd. They are orders of magnitude.
const (
	CrowdFew      Crowd = "few"      // under ten
	CrowdMany     Crowd = "many"     // dozens to hundreds
	CrowdEndless  Crowd = "endless"  // about as many as there are clients
	CrowdUnknown  Crowd = "unknown"  // depends on the origin
	CrowdUnusable Crowd = "unusable" // no request selects it: "*"
)

// Selector is a request field that selects variants of a response.
type Selector struct {
	Field string `json:"field"`
	Crowd Crowd  `json:"crowd"`
	// Implied says that Vary forgets it: a coded body is selected by Accept-Encoding all the same.
	Implied bool `json:"implied,omitempty"`
}

// Query is what No-Vary-Search says about the parameters of the URL.
type Query struct {
	AnyOrder bool     `json:"any_order"`       // their order does not count
	Only     bool     `json:"only"`            // those in Names count, rather than all others
	Names    []string `json:"names,omitempty"` // sorted
}

// Report is what a cache on the way says in Cache-Status (RFC 9211, section 2).
type Report struct {
	Cache     string `json:"cache"`
	Hit       bool   `json:"hit"`
	Forward   string `json:"fwd,omitempty"`
	Status    int    `json:"fwd_status,omitempty"`
	TTL       *int64 `json:"ttl,omitempty"` // in seconds; negative: stale; nil: it does not say
	Stored    bool   `json:"stored,omitempty"`
	Collapsed bool   `json:"collapsed,omitempty"`
	Key       string `json:"key,omitempty"`
	Detail    string `json:"detail,omitempty"`
}

// Second is what came of asking again with Explanation.Condition.
type Second struct {
	Status int `json:"status"`
	// Confirmed says that the answer was 304, and spoke of the response.
	Confirmed bool     `json:"confirmed"`
	SameBody  bool     `json:"same_body"` // or it had none
	Reports   []Report `json:"reports,omitempty"`
}

// inquiry is one response that is being explained.
type inquiry struct {
	e      *Explanation
	o      ExplainOptions
	req    *http.Request  // with canonical names
	resp   *http.Response // likewise
	header http.Header    // of resp, as it came
	at     span
	cc     directives // of Cache-Control alone
	// shared and private are what the rules would keep.
	shared, private subject
}

// subject is a response in the eyes of one kind of cache.
type subject struct {
	rules
	*stored
}

// Explain says what caches do with resp, the response to req, and what is wrong with it. It reads
// no body, changes nothing, and looks at the clock only if o.Received is zero. A Content-Length of
// resp that is set after the body was read makes it know more.
//
// The answers for a shared cache are those of [Cache] with o.Cache and o.View, but for responses to
// POST, which it never takes for stored. Those for a browser are those of a [Transport]; browsers
// may do less, and guess more boldly. It panics if o.Cache makes no sense, as [New] does.
func Explain(req *http.Request, resp *http.Response, o ExplainOptions) Explanation {
	q := newInquiry(req, resp, o)
	if o.Audience != ForPrivate {
		q.e.Shared = q.treatment(q.shared)
	}
	if o.Audience != ForShared {
		q.e.Private = q.treatment(q.private)
	}
	q.describe()
	q.inspect()
	q.e.Verdict = q.e.verdict()
	return *q.e
}

func newInquiry(req *http.Request, resp *http.Response, o ExplainOptions) *inquiry {
	q := &inquiry{o: o, req: canonical(req), header: canonicalHeader(resp.Header)}
	if q.req.URL == nil {
		named := *q.req
		named.URL = &url.URL{}
		q.req = &named
	}
	if q.o.Received.IsZero() {
		q.o.Received = time.Now()
	}
	q.at = span{q.o.Requested, q.o.Received}
	if q.at.requested.IsZero() || q.at.requested.After(q.at.received) {
		q.at.requested = q.at.received
	}
	dated := *resp
	dated.Header = q.header.Clone()
	addDate(dated.Header, q.at.received)
	q.resp = &dated
	q.cc = parseDirectives(q.header["Cache-Control"])
	q.e = &Explanation{
		Method: method(q.req), URL: q.req.URL.Redacted(), Status: resp.StatusCode,
	}
	q.shared = q.subject(o.rules())
	q.private = q.subject(rules{})
	return q
}

// canonicalHeader returns a copy of h with canonical names; nil becomes an empty one.
func canonicalHeader(h http.Header) http.Header {
	if h == nil {
		return http.Header{}
	}
	return canonical(&http.Request{Header: h}).Header.Clone()
}

// rules are those of the shared cache.
func (o ExplainOptions) rules() rules {
	c, v := o.Cache.withDefaults(), o.View
	return rules{
		shared: true, targets: c.Targets, tagFields: c.Tags, onError: c.StaleIfError,
		guess: v.TTL, stale: v.Stale, scoped: v.Scope != nil, cookies: v.Cookies, tags: v.Tags,
	}
}

func (q *inquiry) subject(r rules) subject {
	return subject{r, r.newStored(q.req, q.resp, q.at)}
}

// treatment says what the cache of s does with it.
func (q *inquiry) treatment(s subject) *Treatment {
	if why := q.unstorable(s); why != "" {
		return &Treatment{Reason: string(why), Rule: why.rule(), Reload: NextLoad}
	}
	now := q.at.received
	_, why := s.judge(noDirectives(), s.stored, now)
	until := s.freshUntil(s.stored)
	return &Treatment{
		Stored: true, Reason: string(why), Rule: why.rule(),
		Freshness:            s.freshness(),
		AlwaysAsks:           s.cc.has(noCache),
		FreshFor:             secondsIn(until.Sub(now)),
		FreshUntil:           until,
		NeverStale:           s.strict(s.stored),
		StaleWhileRevalidate: secondsIn(s.whileWindow(s.stored)),
		StaleIfError:         secondsIn(s.onErrorWindow(s.stored)),
		Then:                 s.then(),
		Reload:               s.reload(now),
	}
}

// unstorable says why s is not stored, by the rules and by its size; "" if it is.
func (q *inquiry) unstorable(s subject) reason {
	if why := bypass(q.req); why != "" {
		return why
	}
	if why := s.rules.unstorable(q.req, requestDirectives(q.req.Header), s.stored); why != "" {
		return why
	}
	if s.rules.shared && q.resp.ContentLength > q.o.Cache.withDefaults().MaxBody {
		return becauseTooLarge
	}
	return ""
}

// freshness says from what the lifetime of s is computed, in the order of givenLifetime.
func (s subject) freshness() Freshness {
	f := Freshness{Lifetime: secondsIn(s.lifetime(s.stored)), Source: FromNothing}
	field := cmp.Or(fieldName(s.target), "Cache-Control")
	switch {
	case s.rules.shared && s.cc.sMaxAge != absent:
		f.Source, f.Field, f.Rule = FromSMaxAge, field, "RFC 9111, section 5.2.2.10"
	case s.cc.maxAge != absent:
		f.Source, f.Field, f.Rule = FromMaxAge, field, "RFC 9111, section 5.2.2.1"
	case s.explicit(s.rules):
		f.Source, f.Field, f.Rule = FromExpires, "Expires", "RFC 9111, section 5.3"
		if to, ok := parseDate(s.header.Get("Expires")); ok {
			f.From, f.To = s.date, to
		}
	case s.guesses(s.stored):
		f.Source = FromView
	case s.lifetime(s.stored) > 0:
		f.Source, f.Field, f.Rule = FromHeuristic, "Last-Modified", "RFC 9111, section 4.2.2"
		f.From, _ = parseDate(s.lastModified())
		f.To = s.date
	}
	return f
}

// then is what happens to s once it may not be served any more.
func (s subject) then() Next {
	if s.validators() {
		return NextValidate
	}
	return NextLoad
}

// reload is what happens to s when a person reloads it: browsers ask with max-age=0 then.
func (s subject) reload(now time.Time) Next {
	cc := noDirectives()
	cc.maxAge = 0
	if v, _ := s.judge(cc, s.stored, now); v == serveFresh {
		return NextServe
	}
	return s.then()
}

// describe fills in what is the same for all caches.
func (q *inquiry) describe() {
	s, e := q.shared.stored, q.e
	e.Age = Age{
		Current:  secondsIn(currentAge(s, q.at.received)),
		Apparent: secondsIn(between(s.date, q.at.received)),
		Reported: secondsIn(ageValue(q.header["Age"])),
		Delay:    secondsIn(between(q.at.requested, q.at.received)),
	}
	e.Condition = conditionFor(s)
	e.Selectors = q.selectors()
	if n := parseNoVarySearch(q.header["No-Vary-Search"]); !n.isDefault() {
		e.Query = &Query{AnyOrder: n.anyOrder, Only: n.except, Names: n.names}
	}
	e.Groups, e.Tags = groupsOf(q.header), q.shared.tagsOf(q.header)
	e.Reports = reportsIn(q.header)
	e.Hints = hintsIn(q.header)
	if q.o.Second != nil {
		e.Second = q.second()
	}
}

// conditionFor returns the fields by which a cache asks whether s is still current, or nil.
func conditionFor(s *stored) http.Header {
	if !s.validators() {
		return nil
	}
	asked := conditional(&http.Request{}, s)
	return asked.Header
}

func (q *inquiry) selectors() []Selector {
	named := varyNames(q.header["Vary"])
	var all []Selector
	for _, name := range q.shared.vary {
		implied := !slices.Contains(named, name)
		name = http.CanonicalHeaderKey(name)
		all = append(all, Selector{Field: name, Crowd: crowdOf(name), Implied: implied})
	}
	return all
}

// crowdOf says how many values of a request field there are about.
func crowdOf(field string) Crowd {
	switch field {
	case "*":
		return CrowdUnusable
	case "Accept-Encoding", "X-Requested-With", "Save-Data", "Upgrade-Insecure-Requests",
		"Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-User", "Dnt", "Sec-Gpc",
		"X-Forwarded-Proto", "Sec-Ch-Ua-Mobile", "Sec-Ch-Prefers-Color-Scheme", "Rsc":
		return CrowdFew
	case "Accept", "Accept-Language", "Accept-Charset", "Sec-Ch-Ua", "Sec-Ch-Ua-Platform",
		"Sec-Ch-Dpr", "Dpr":
		return CrowdMany
	case "User-Agent", "Cookie", "Authorization", "Referer", "X-Forwarded-For", "Forwarded",
		"X-Real-Ip", "Range", "If-None-Match", "If-Modified-Since", "Traceparent", "X-Request-Id",
		"Sec-Ch-Viewport-Width", "Viewport-Width", "Width":
		return CrowdEndless
	}
	return CrowdUnknown
}

// reportsIn reads Cache-Status.
func reportsIn(h http.Header) []Report {
	if h["Cache-Status"] == nil {
		return nil
	}
	said, _ := parseCacheStatus(h["Cache-Status"])
	var all []Report
	for _, s := range said {
		r := Report{
			Cache: s.name, Hit: s.hit, Forward: s.forward, Status: s.status, Stored: s.stored,
			Collapsed: s.collapsed, Key: s.key, Detail: string(s.detail),
		}
		if s.hasTTL {
			r.TTL = &s.ttl
		}
		all = append(all, r)
	}
	return all
}

// hintFields say what caches did, each in its own way.
var hintFields = []string{
	"Via", "X-Cache", "X-Cache-Hits", "X-Cache-Status", "X-Proxy-Cache", "X-Served-By", "X-Varnish",
	"Cf-Cache-Status", "X-Vercel-Cache", "X-Nextjs-Cache", "X-Drupal-Cache", "X-Litespeed-Cache",
	"Server-Timing",
}

// hintsIn returns the lines of h that hint at caches. Server-Timing is one only if it speaks of
// one.
func hintsIn(h http.Header) (all []string) {
	for _, name := range hintFields {
		for _, line := range h[name] {
			if name != "Server-Timing" || strings.Contains(line, "cache") {
				all = append(all, name+": "+line)
			}
		}
	}
	return all
}

// second says what came of asking again.
func (q *inquiry) second() *Second {
	resp := q.o.Second
	h := canonicalHeader(resp.Header)
	unchanged := resp.StatusCode == http.StatusNotModified
	return &Second{
		Status:    resp.StatusCode,
		Confirmed: unchanged && confirms(h, q.shared.stored),
		SameBody:  unchanged || q.o.SameBody,
		Reports:   reportsIn(h),
	}
}

// fieldName returns a canonical name in the spelling of its RFC.
func fieldName(name string) string {
	if name == "Cdn-Cache-Control" {
		return "CDN-Cache-Control"
	}
	return name
}
