// guard.go says who is answered: this machine, the page itself, and who has the token.

package dash

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// policy is what the page may do: nothing but what this handler serves, and nobody may frame it.
// Trusted types make sure that no text becomes markup.
const policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
	"object-src 'none'; require-trusted-types-for 'script'"

// protect sets what every answer has.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// guard tells whom to answer.
type guard struct {
	remote bool
	act    bool
	token  [sha256.Size]byte // its hash: comparing hashes tells nothing of lengths
	origin *http.CrossOriginProtection
}

func newGuard(o Options) guard {
	return guard{o.AllowRemote, o.Actions, sha256.Sum256([]byte(o.Token)),
		http.NewCrossOriginProtection()}
}

// The lines that say what to do instead.
const (
	notLocal = "only clients on this machine are answered: come through a tunnel (ssh -L " +
		"PORT:localhost:PORT HOST), or set dash.Options.AllowRemote and put a log-in in front"
	notLocalName = "only the host names localhost, 127.0.0.1 and [::1] are answered, so that " +
		"no other site can pretend to be this one: use one of them, or set dash.Options.AllowRemote"
	notOurs = "another site has sent this request: open the page itself"
	noActs  = "nothing can be changed here: set dash.Options.Actions and Token"
	noToken = "the token is missing or wrong: send Authorization: Bearer TOKEN"
)

// check returns why a request is not answered.
func (g guard) check(r *http.Request) error {
	switch {
	case !g.remote && !overUnix(r) && !local(r):
		return refuse(http.StatusForbidden, notLocal)
	case !g.remote && !overUnix(r) && !localName(r.Host):
		return refuse(http.StatusForbidden, notLocalName)
	case foreign(r):
		return refuse(http.StatusForbidden, notOurs)
	}
	return nil
}

// checkAct returns why a request may not change anything. The form of r is read.
func (g guard) checkAct(r *http.Request) error {
	if !g.act {
		return refuse(http.StatusForbidden, noActs)
	}
	if err := g.origin.Check(r); err != nil {
		return refuse(http.StatusForbidden, notOurs)
	}
	token := r.PostForm.Get("token")
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		token = bearer
	}
	sum := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(sum[:], g.token[:]) == 0 {
		return refuse(http.StatusForbidden, noToken)
	}
	return nil
}

// overUnix tells whether a request came over a Unix socket, which no browser and no other machine
// can reach.
func overUnix(r *http.Request) bool {
	at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && at.Network() == "unix"
}

// local tells whether a request was made on this machine. One that a proxy here forwards for
// another machine was not.
func local(r *http.Request) bool {
	client, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !client.Addr().Unmap().IsLoopback() || r.Header.Get("Forwarded") != "" {
		return false
	}
	for _, field := range []string{"X-Forwarded-For", "X-Real-Ip"} {
		for _, line := range r.Header.Values(field) {
			for by := range strings.SplitSeq(line, ",") {
				if !loopback(strings.TrimSpace(by)) {
					return false
				}
			}
		}
	}
	return true
}

// localName tells whether a Host is a name that always means this machine. Any other may be one
// that its owner lets point here, to read this page from theirs: DNS rebinding.
func localName(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || loopback(name)
}

func loopback(ip string) bool {
	a, err := netip.ParseAddr(ip)
	return err == nil && a.Unmap().IsLoopback()
}

// foreign tells whether a browser says that a request is another site's. It may lead here, but
// neither ask in the background nor begin a recording.
func foreign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return false
	}
	led := r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate"
	return !led || r.URL.Query().Has("record")
}
