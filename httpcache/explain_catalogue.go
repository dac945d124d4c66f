// explain_catalogue.go lists all that Explain can find, in the words in which it is said.

package httpcache

// Severity is how bad a finding is.
type Severity string

// The severities, the worst first.
const (
	Mistake Severity = "mistake" // caches read it otherwise than it was meant, or not at all
	Risk    Severity = "risk"    // it works, and may hurt
	Advice  Severity = "advice"  // it could be better
)

// Finding is something that is wrong with a response, or could be better.
type Finding struct {
	// ID names the kind of finding, in a form that does not change: "max-age-twice".
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	What     string   `json:"what"`
	Why      string   `json:"why"`
	Rule     string   `json:"rule,omitempty"`    // the section of the RFC behind it, or ""
	Instead  string   `json:"instead,omitempty"` // what to write or to do, or ""
}

// What the response says of whoever may keep it, and for how long. A %s and the like in What is
// filled in when it is found; some parts that depend on the response are set there.
var (
	foundSharedAuthorized = Finding{"shared-authorized", Risk,
		"The answer to a request with Authorization is for everybody",
		"public, s-maxage and must-revalidate each allow shared caches to hand it to people" +
			" without those credentials",
		"RFC 9111, section 3.5", "Cache-Control: private, unless everybody may see it"}
	foundSharedCookie = Finding{"shared-cookie", Risk,
		"Set-Cookie on a response that shared caches may keep",
		"some shared caches keep it with the response, and hand the cookie of one visitor to all" +
			" others",
		"RFC 9111, section 7.3",
		"leave the cookie out of what is cached, or write Cache-Control: private"}
	foundNoFreshness = Finding{"no-freshness", Risk, "Nothing says how long it is fresh",
		"each cache decides for itself; most ask each time, some keep it for a while",
		"RFC 9111, section 4.2.2",
		"Cache-Control: max-age=600, or no-cache to be asked each time, or no-store"}
	foundNoWindows = Finding{"no-stale-windows", Advice,
		"s-maxage without stale-while-revalidate and stale-if-error",
		"s-maxage forbids to serve it stale, so that visitors wait for each load and see each" +
			" error of the origin",
		"RFC 5861, sections 3 and 4",
		"s-maxage=%d, stale-while-revalidate=60, stale-if-error=86400"}
	foundImmutableStale = Finding{"immutable-not-fresh", Mistake, "immutable has no effect",
		"it is about the time in which a response is fresh, and this one never is",
		"RFC 8246, section 2", "Cache-Control: max-age=31536000, immutable"}
	foundImmutableName = Finding{"immutable-name", Risk,
		"immutable under a name that looks like one to stay",
		"browsers do not ask again even on a reload: what is wrong stays with them until max-age" +
			" is over, and the name has no fingerprint that could change",
		"RFC 8246, section 2", "a name such as app.3f9a1c07.js, or no immutable"}
	foundLongError = Finding{"long-error", Risk, "The error %d is kept for %v",
		"who comes after it is over sees it still", "RFC 9111, section 4.2",
		"Cache-Control: max-age=10 on errors, or no-store"}
	foundRedirectForever = Finding{"redirect-forever", Risk,
		"A permanent redirect that does not say for how long",
		"browsers may keep it for good, and there is no way to take it back",
		"RFC 9110, section 15.4.2", "Cache-Control: max-age=3600 beside Location"}
	foundRedirectNotKept = Finding{"redirect-not-kept", Advice,
		"A redirect without freshness of its own",
		"no cache keeps it: each visit costs one more round trip to the origin",
		"RFC 9110, section 15.4", "Cache-Control: max-age=60 beside Location"}
)

// Dates and ages.
var (
	foundBadExpires = Finding{"bad-expires", Mistake, "Expires: %s is no date",
		"what is no date counts as long ago", "RFC 9111, section 5.3",
		"Cache-Control: no-cache if it is to be asked for each time, else max-age"}
	foundExpiresTwice = Finding{"expires-twice", Mistake,
		"Expires comes twice, with different dates",
		"a response with contradicting freshness counts as stale", "RFC 9111, section 4.2.1",
		"one Expires, or max-age alone"}
	foundNoDate = Finding{"no-date", Risk, "There is no Date",
		"an origin with a clock must say when a response was made: without it caches count from" +
			" when it came, and those behind them begin anew",
		"RFC 9110, section 6.6.1", "Date, in GMT"}
	foundBadDate = Finding{"bad-date", Mistake, "Date: %s is no date",
		"its age counts from when it came", "RFC 9110, section 6.6.1", "Date: " + aDate}
	foundDateAhead = Finding{"date-off", Risk, "Date is %v ahead of the clock here",
		"lifetimes from Expires are wrong by as much: the clock of the origin is off, or this one",
		"RFC 9110, section 6.6.1", "a clock set by NTP"}
	foundDateBehind = Finding{"date-off", Risk, "Date is %v behind what the clock here and Age say",
		"it looks older than it is: the clock of the origin is off, or a cache on the way forgot" +
			" Age",
		"RFC 9110, section 6.6.1", "a clock set by NTP, and Age from every cache"}
	foundBadAge = Finding{"bad-age", Mistake, "Age: %s is no single number of seconds",
		"caches behind take it for younger than it is", "RFC 9111, section 5.1",
		"Age: 0, or whatever the cache knows"}
	foundStaleOnArrival = Finding{"stale-on-arrival", Risk, "Age is %v, the lifetime %v",
		"a cache in front keeps it for longer than those behind may: to them it is stale when it" +
			" comes",
		"RFC 9111, section 4.2", "a longer max-age, or a shorter time in the cache in front"}
)

// aDate is what dates look like (RFC 9110, section 5.6.7).
const aDate = "Sun, 06 Nov 1994 08:49:37 GMT"

// Validators, and what came of asking twice.
var (
	foundBadLastModified = Finding{"bad-last-modified", Mistake, "Last-Modified: %s is no date",
		"origins and caches compare it as a date", "RFC 9110, section 8.8.2",
		"Last-Modified: " + aDate}
	foundFutureLastModified = Finding{"future-last-modified", Mistake,
		"Last-Modified lies in the future", "it must not be later than Date",
		"RFC 9110, section 8.8.2.1", "the time of the last change"}
	foundNoValidator = Finding{"no-validator", Advice, "There is neither ETag nor Last-Modified",
		"once it is stale it is sent whole again, even if nothing has changed",
		"RFC 9110, section 8.8", `ETag: "..." made of the content or its version`}
	foundBadETag = Finding{"bad-etag", Mistake, "ETag: %s is no entity tag",
		"it must stand in double quotes, and there is one of a response only",
		"RFC 9110, section 8.8.3", `ETag: "..."`}
	foundWeakETag = Finding{"weak-etag-ranges", Advice, "A weak ETag where ranges are accepted",
		"a download that broke off cannot be resumed by it: If-Range needs a strong one",
		"RFC 9110, section 13.1.5", `ETag: "..." that changes with every byte`}
	foundWrong304 = Finding{"wrong-304", Mistake, "The 304 speaks of another version",
		"it has another validator than the one that was asked about: caches must ask for the" +
			" whole again",
		"RFC 9111, section 4.3.4", "the ETag that the 200 had"}
	foundPoor304 = Finding{"poor-304", Advice, "The 304 lacks %s",
		"a cache takes over from it what has changed: what the 200 would say must be there",
		"RFC 9110, section 15.4.5", "the same fields in the 304"}
	foundETagChanges = Finding{"etag-changes", Mistake,
		"ETag changes with each request, though the content is the same",
		"no conditional request ever gets a 304: several servers compute it differently, or it" +
			" holds a time",
		"RFC 9110, section 8.8.3", "an ETag made of the content alone"}
	foundNo304 = Finding{"no-304", Mistake, "A conditional request is answered with the whole",
		"the validators are sent, but not honoured: each validation costs a load",
		"RFC 9110, section 13.2.2", "304 where If-None-Match or If-Modified-Since says so"}
	foundContentChanges = Finding{"content-changes", Advice,
		"The content differs from request to request",
		"what a cache keeps is one of many answers", "RFC 9111, section 4.2",
		"no-store if it is meant for one visitor"}
)

// Variants and the rest.
var (
	foundVaryStar = Finding{"vary-star", Mistake, "Vary: *",
		"no stored response ever suits a request", "RFC 9111, section 4.1",
		"Vary with the names that matter, or Cache-Control: no-store"}
	foundVaryForgets = Finding{"vary-forgets-coding", Mistake,
		"Content-Encoding without Vary: Accept-Encoding",
		"a cache may send the coded body to who cannot decode it", "RFC 9110, section 12.5.5",
		"Vary: Accept-Encoding, on every form of it"}
	foundVaryEndless = Finding{"vary-", Risk, "Vary: %s",
		"nearly every client has a value of its own: a cache fills with variants that nobody else" +
			" gets",
		"RFC 9111, section 4.1", ""}
	foundNotCompressed = Finding{"not-compressed", Advice,
		"Text that came uncompressed, though it was asked for coded",
		"caches keep and send several times as many bytes", "RFC 9110, section 12.5.3",
		"Content-Encoding: zstd, br or gzip, with Vary: Accept-Encoding"}
	foundPragma = Finding{"pragma", Advice, "Pragma: %s in a response",
		"it means something in requests alone, and little there", "RFC 9111, section 5.4",
		"Cache-Control: no-cache"}
	foundNoQuery = Finding{"bad-no-vary-search", Mistake, "No-Vary-Search: %s says nothing",
		notOfItsForm, "draft-ietf-httpbis-no-vary-search", `No-Vary-Search: params=("utm_source")`}
	foundNoGroups = Finding{"bad-cache-groups", Mistake, "Cache-Groups: %s says nothing",
		notOfItsForm, "RFC 9875, section 2", `Cache-Groups: "one", "two"`}
	foundNoReports = Finding{"bad-cache-status", Mistake, "Cache-Status: %s says nothing",
		notOfItsForm, "RFC 9211, section 2", "Cache-Status: name; hit"}
)

const notOfItsForm = "it is not of its form, or says what holds anyway: all of it is ignored"

// Directives. The first %s of What is the field they stand in.
var (
	foundBadTarget = Finding{"bad-target", Mistake, "%s: %s cannot be read",
		"it is no Dictionary of lower-case names: caches ignore all of it and read Cache-Control",
		"RFC 9213, section 2.2", "max-age=600"}
	foundOpenQuote = Finding{"open-quote", Mistake, "%s: a quote is never closed",
		"all behind it is part of one argument; this cache takes it for no-store",
		"RFC 9111, section 5.2", "no quotes"}
	foundSemicolon = Finding{"semicolon", Mistake, "%s: a semicolon in %s",
		"commas separate directives: caches see one with a strange name, or nothing behind it",
		"RFC 9111, section 5.2", ""}
	foundSpace = Finding{"space-in-directive", Mistake, "%s: white space in %s",
		"none may stand around the =: caches read no number there", "RFC 9111, section 5.2", ""}
	foundTwice = Finding{"-twice", Mistake, "%s: %s and %s",
		"some caches take the first, some the last, some none; this one the smaller number",
		"RFC 9111, section 4.2.1", "one of them"}
	foundOfRequests = Finding{"request-directive", Mistake, "%s: %s in a response",
		"it is for requests: caches ignore it here", "RFC 9111, section 5.2.1", "leave it out"}
	foundObsolete = Finding{"obsolete-directive", Advice, "%s: %s",
		"Internet Explorer alone has ever read it", "", "leave it out"}
	foundNeedless = Finding{"needless-argument", Mistake, "%s: %s",
		"it takes no argument: some caches ignore it with one", "RFC 9111, section 5.2.2", ""}
	foundFields = Finding{"named-fields", Advice, "%s: %s",
		"many caches, this one among them, take it as if it were for the whole response",
		"RFC 9111, section 5.2.2", "the directive alone, or those fields left out"}
	foundQuoted = Finding{"quoted-seconds", Mistake, "%s: %s",
		"the number must not stand in quotes: some caches ignore it",
		"RFC 9111, section 5.2.2.1", ""}
	foundBadSeconds = Finding{"bad-seconds", Mistake, "%s: %s is no whole number of seconds",
		"caches ignore it or take it for 0, as this one does", "RFC 9111, section 1.2.2", ""}
	foundMisspelt = Finding{"misspelt", Mistake, "%s: %s is unknown",
		"caches ignore it, though it was meant for something", "RFC 9111, section 5.2.3", ""}
	foundUnknown = Finding{"unknown-directive", Advice, "%s: %s is unknown",
		"caches ignore what they do not know", "RFC 9111, section 5.2.3", "leave it out"}
)

// contradiction is a pair of promises of which one takes the effect of the other.
type contradiction struct {
	is func(d directives) bool
	Finding
}

// contradictions are looked for in Cache-Control.
var contradictions = []contradiction{
	{func(d directives) bool {
		return d.has(noStore) && !d.has(mustUnderstand) && d.keeps()
	}, Finding{"no-store-and-freshness", Mistake,
		"Cache-Control: no-store beside directives that speak of keeping it",
		"no-store wins: it is kept nowhere",
		"RFC 9111, section 5.2.2.5", "one or the other"}},
	{func(d directives) bool {
		return d.has(noStore) && !d.keeps() &&
			(d.has(noCache|mustRevalidate|proxyRevalidate) || d.maxAge == 0)
	}, Finding{"no-store-and-more", Advice,
		"Cache-Control: no-store beside no-cache, must-revalidate or max-age=0",
		"they say nothing about what is not kept", "RFC 9111, section 5.2.2.5", "no-store alone"}},
	{func(d directives) bool {
		return d.has(private) && d.sMaxAge != absent
	}, Finding{"private-and-s-maxage", Mistake, "Cache-Control: private beside s-maxage",
		"s-maxage is for shared caches, which private keeps out", "RFC 9111, section 5.2.2.7",
		"private with max-age, or s-maxage without private"}},
	{func(d directives) bool {
		return d.has(private) && d.has(public)
	}, Finding{"private-and-public", Mistake, "Cache-Control: private beside public",
		"caches differ in which of them wins; here it is private", "RFC 9111, section 5.2.2.7",
		"one of them"}},
	{func(d directives) bool {
		return d.has(noCache) && !d.has(noStore) && (d.windowed() || d.has(immutable))
	}, Finding{"no-cache-and-stale", Mistake,
		"Cache-Control: no-cache beside stale-while-revalidate, stale-if-error or immutable",
		"no-cache wins: nothing is served without asking", "RFC 9111, section 5.2.2.4",
		"max-age=0 in place of no-cache"}},
	{func(d directives) bool {
		return d.has(noCache) && !d.has(noStore) && d.lasting()
	}, Finding{"no-cache-and-freshness", Risk, "Cache-Control: no-cache beside a max-age over 0",
		"no-cache wins: each request asks the origin", "RFC 9111, section 5.2.2.4", "one of them"}},
	{func(d directives) bool {
		return d.has(mustRevalidate) && !d.has(noCache|noStore) && d.windowed()
	}, Finding{"must-revalidate-and-stale", Mistake,
		"Cache-Control: must-revalidate beside stale-while-revalidate or stale-if-error",
		"must-revalidate wins: it is never served stale", "RFC 9111, section 5.2.2.2",
		"one of them"}},
	{func(d directives) bool {
		return d.has(public) && d.lasting() && !d.has(private|noStore)
	}, Finding{"public-needless", Advice, "Cache-Control: public beside a max-age",
		"the max-age permits keeping it already; public adds the answers to requests with" +
			" Authorization", "RFC 9111, section 5.2.2.9", "max-age alone"}},
}
