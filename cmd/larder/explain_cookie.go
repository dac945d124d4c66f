// explain_cookie.go makes what is said of Set-Cookie true for larder proxy.

package main

import (
	"net/http"

	"github.com/larder-go/larder/httpcache"
)

// asProxy is how larder proxy caches as it comes, and how RFC 9111 has it: share_cookies = "as the
// header permits".
var asProxy = httpcache.View{Cookies: httpcache.ShareCookies}

// explainAsProxy explains a response for larder proxy and a browser.
func explainAsProxy(
	req *http.Request, resp *http.Response, o httpcache.ExplainOptions,
) httpcache.Explanation {
	e := httpcache.Explain(req, resp, o)
	if e.Shared == nil || !e.Shared.Stored {
		return e
	}
	for i := range e.Findings {
		if f := &e.Findings[i]; f.ID == "shared-cookie" {
			f.Why = "its header permits to keep it, so larder proxy and other caches that go by the" +
				" RFC hand the cookie of one visitor to all others; some refuse by themselves"
			f.Instead = "leave the cookie out of what is cached, or write Cache-Control: private;" +
				` share_cookies = "never" protects a site behind larder proxy`
		}
	}
	return e
}
