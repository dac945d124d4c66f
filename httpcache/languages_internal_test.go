// languages_internal_test.go checks Accept-Language against RFC 9110 and RFC 4647.

package httpcache

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestNormalLanguages(t *testing.T) { // RFC 9110, sections 12.4.2 and 12.5.4
	for _, tc := range []struct {
		lines []string
		want  string
	}{
		{nil, ""},
		{[]string{""}, ""},
		{[]string{"en, de"}, "de,en"},
		{[]string{"de, en"}, "de,en"},
		{[]string{"de", "en"}, "de,en"},
		{[]string{"eN, De"}, "de,en"},
		{[]string{" en ,   de,, "}, "de,en"},
		{[]string{"en, de, EN"}, "de,en"},
		{[]string{"en;q=1, de;q=1.000"}, "de,en"},
		{[]string{"en ; Q=0.50 , de"}, "de,en;q=0.5"},
		{[]string{"de;q=0.5, en"}, "en,de;q=0.5"},
		{[]string{"a;q=0.1, b;q=0.01, c;q=0.001, d;q=0.120"},
			"d;q=0.12,a;q=0.1,b;q=0.01,c;q=0.001"},
		{[]string{"*;q=0, en"}, "en,*;q=0"},
		{[]string{"en;q=0.000"}, "en;q=0"},
		{[]string{"en;q=0."}, "en;q=0"},
		{[]string{"de-CH-1996, zh-Hant"}, "de-ch-1996,zh-hant"},
		// What could mean anything keeps its order and case.
		{[]string{"en;q=0.5, EN"}, "!en;q=0.5,EN,"},
		{[]string{"en;q=2"}, "!en;q=2,"},
		{[]string{"en;q=1.5"}, "!en;q=1.5,"},
		{[]string{"en;q=0.1234"}, "!en;q=0.1234,"},
		{[]string{"en;q="}, "!en;q=,"},
		{[]string{"en;q=-1"}, "!en;q=-1,"},
		{[]string{"en;x=1"}, "!en;x=1,"},
		{[]string{"en;q=0.5;x=1"}, "!en;q=0.5;x=1,"},
		{[]string{"en-"}, "!en-,"},
		{[]string{"1en"}, "!1en,"},
		{[]string{"*-CH"}, "!*-CH,"},
		{[]string{"toolongtag"}, "!toolongtag,"},
		{[]string{"é"}, "!é,"},
		{[]string{`"en, de"`}, `!"en,de",`},
	} {
		if got := normalLanguages(tc.lines); got != tc.want {
			t.Errorf("normalLanguages(%q) = %q, want %q", tc.lines, got, tc.want)
		}
	}
}

func TestManyLanguagesAreNotSorted(t *testing.T) {
	var all []string
	for i := range maxLanguages + 1 {
		all = append(all, fmt.Sprintf("a-%d", i))
	}
	slices.Sort(all)
	if got := normalLanguages(all[:maxLanguages]); got != strings.Join(all[:maxLanguages], ",") {
		t.Errorf("%d members: got %q", maxLanguages, got)
	}
	if got := normalLanguages(all); got[0] != '!' {
		t.Errorf("%d members: got %q", len(all), got)
	}
}

func TestBestLanguage(t *testing.T) { // RFC 4647, section 3
	for _, tc := range []struct {
		line, offered, want string
	}{
		{"", "en de", "en"},
		{"fr", "en de", "en"}, // none suits: the first
		{"de", "", ""},
		{"de", "en de", "de"},
		{"DE", "en De", "De"}, // as it is offered
		{"en, de", "de en", "en"},
		{"en;q=0.5, de", "en de", "de"},
		{"fr;q=0.5, de;q=1.0", "en de fr", "de"},
		{"de-CH", "en de", "de"},          // something more general
		{"de", "en de-AT de-CH", "de-AT"}, // something more special
		{"de", "de-AT de", "de"},
		{"de-CH", "en de-AT", "en"},
		{"de-CH, fr;q=0.9", "fr de", "de"},
		{"zh-Hant-CN-x-private1", "zh-hant-cn zh", "zh-hant-cn"},
		{"zh-Hant-CN-x-private1", "zh zh-hant-cn-x", "zh"}, // no single letter at the end
		{"d", "de", "de"},                                  // the only one
		{"d", "en de", "en"},
		{"*", "en de", "en"},
		{"de, *;q=0.5", "en fr de", "de"},
		{"de, *;q=0.5", "en fr", "en"},
		{"*, en;q=0.5", "en fr", "fr"}, // "*" is for those without a name
		{"en;q=0, *", "en fr", "fr"},
		{"en;q=0, *", "en-GB fr", "fr"},
		{"en;q=0, en-GB", "en-US en-GB", "en-GB"},
		{"de-CH, de;q=0", "en de", "en"},
		{"de-CH, *;q=0", "en de-CH", "de-CH"},
		{"en;q=0", "en", "en"}, // refused, but there is no other
		{"en;q=0", "en de", "de"},
		{"en;q=0, *;q=0", "en de", "en"},
		{"x;;, de", "en de", "de"}, // what is malformed does not count
	} {
		offered := strings.Fields(tc.offered)
		if got := bestLanguage([]string{tc.line}, offered); got != tc.want {
			t.Errorf("bestLanguage(%q, %q) = %q, want %q", tc.line, offered, got, tc.want)
		}
	}
}

func TestLanguageServesOnlyWhoWantsItMost(t *testing.T) {
	for _, tc := range []struct {
		line, language string
		want           bool
	}{
		{"fr;q=0.5, de;q=1.0", "de", true},
		{"fr;q=0.5, DE", " De ", true},
		{"de", "de", true},
		{"de;q=0.2, fr;q=0.1", "de", true},
		{"de, *;q=0.5", "de", true},
		{"de-CH, de;q=0.9", "de-CH", true},
		{"fr;q=0.5, de;q=1.0", "fr", false},
		{"de, fr", "de", false}, // as much as another
		{"de, *", "de", false},
		{"de", "de-AT", false}, // there may be a plain one
		{"de-AT", "de", false},
		{"de-CH, de;q=0.9", "de", false},
		{"de", "de, fr", false},
		{"de", "", false},
		{"*", "*", false},
		{"", "de", false},
		{"de;q=0", "de", false},
		{"de, fr;q=x", "de", false},
		{"de, de;q=0.5", "de", false},
	} {
		if got := languageServes([]string{tc.line}, tc.language); got != tc.want {
			t.Errorf("languageServes(%q, %q) = %v", tc.line, tc.language, got)
		}
	}
}

func FuzzLanguages(f *testing.F) {
	f.Add("en, de;q=0.5", "fr;q=0, *", "de")
	f.Add("zh-Hant-CN-x-private1;q=0.001", "*;q=1.", "zh")
	f.Add(";;q=", "-,--,x-", "a-b")
	f.Fuzz(func(t *testing.T, a, b, offered string) {
		lines := []string{a, b}
		normal := normalLanguages(lines)
		if normal != normalLanguages([]string{a + " ,\t" + b}) {
			t.Fatalf("%q, %q: two lines differ from one", a, b)
		}
		if normal != "" && normal[0] != '!' {
			if again := normalLanguages([]string{normal}); again != normal {
				t.Fatalf("%q, %q: %q, then %q", a, b, normal, again)
			}
			if swapped := normalLanguages([]string{b, a}); swapped != normal {
				t.Fatalf("%q, %q: %q, swapped %q", a, b, normal, swapped)
			}
		}
		if got := bestLanguage(lines, []string{"en", offered}); got != "en" && got != offered {
			t.Fatalf("%q, %q: %q is not offered", a, b, got)
		}
		languageServes(lines, offered)
	})
}
