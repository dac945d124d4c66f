// address_internal_test.go holds addresses to their one form.

package scrape

import (
	"errors"
	"testing"
)

func TestURLsHaveOneForm(t *testing.T) {
	for raw, want := range map[string]string{
		"HTTP://Example.ORG:80":                "http://example.org/",
		"https://example.org:443/a?b#":         "https://example.org/a?b",
		"http://example.org:/":                 "http://example.org/",
		"http://example.org:443/#top":          "http://example.org:443/",
		"http://a/x/../private/2":              "http://a/private/2",
		"http://a/./private/3":                 "http://a/private/3",
		"http://a/x/%2e%2E/private/4":          "http://a/private/4",
		"http://a/x/.%2e/%2E./../y/":           "http://a/y/",
		"http://a/x/y/..":                      "http://a/x/",
		"http://a/x/y/%2e":                     "http://a/x/y/",
		"http://a/..":                          "http://a/",
		"http://a//x//..//y":                   "http://a//x//y",
		"http://a/x/..?q=/../y":                "http://a/?q=/../y",
		"http://a/a%2fb/%e4/./%2E%2E%2Fc/...d": "http://a/a%2fb/%e4/%2E%2E%2Fc/...d",
		"http://a/%2E%2E.html/.b/..c":          "http://a/%2E%2E.html/.b/..c",
		"http://BÜCHER.example:8080/é/../ü":    "http://xn--bcher-kva.example:8080/%C3%BC",
		"http://b%C3%BCcher。example:80":        "http://xn--bcher-kva.example/",
		"http://１２７.0.0.1/":                    "http://127.0.0.1/",
	} {
		u, err := parseURL(raw)
		if err != nil || u.String() != want {
			t.Errorf("parseURL(%q) = %v, %v, want %s", raw, u, err, want)
			continue
		}
		if again, err := parseURL(want); err != nil || again.String() != want {
			t.Errorf("parseURL(%q) = %v, %v, want itself", want, again, err)
		}
	}
}

func TestURLsThatNobodyServesAreRefused(t *testing.T) {
	for _, raw := range []string{
		"http://a:0/", "http://a:65536/", "http://127.0.0.1:99999/", "http://a:99999999999999999999/",
		"http://\u2100.example/", "http://\u00ad/", "http://[fe80::1%25é]/",
	} {
		if u, err := parseURL(raw); !errors.Is(err, ErrURL) {
			t.Errorf("parseURL(%q) = %v, %v, want ErrURL", raw, u, err)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("http://a/x/%2e./%2F..//b;c?d#e")
	f.Add("https://é。com:443/..\\..")
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := parseURL(raw)
		if err != nil {
			return
		}
		again, err := parseURL(u.String())
		if err == nil && again.String() != u.String() || err != nil && len(u.String()) <= maxURL {
			t.Errorf("%q: %s, then %v, %v", raw, u, again, err)
		}
	})
}
