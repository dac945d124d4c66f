// admin.go is the address at which a server can be told what to do.

package proxy

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/larder-go/larder/dash"
	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/metrics/prom"
)

// debugPath is where the admin address shows what the server reports.
const debugPath = "/debug/cache"

// maxOrder bounds the body of a request to the admin address, in bytes.
const maxOrder = 64 << 10

// listenAdmin opens the admin address, if there is to be one.
func (s *Server) listenAdmin(a *Admin) error {
	if a.Listen == "" {
		return nil
	}
	l, err := listenPrivate(a.Listen)
	if err != nil {
		return err
	}
	s.doors.admin = &http.Server{
		Handler:           s.adminHandler(l.Addr()),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          s.doors.plain.ErrorLog,
	}
	s.doors.open = append(s.doors.open, door{l, s.doors.admin, s.doors.admin.Serve})
	return nil
}

// listenPrivate listens at host:port, or at a socket that belongs to our user alone.
func listenPrivate(address string) (net.Listener, error) {
	path, ok := strings.CutPrefix(address, "unix:")
	if !ok {
		return net.Listen("tcp", address)
	}
	if err := removeDeadSocket(path); err != nil {
		return nil, err
	}
	return listenSocket(path)
}

// removeDeadSocket removes a socket that nobody listens at any more.
func removeDeadSocket(path string) error {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return nil // listening says what is wrong
	}
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return errors.New(path + ": another server listens there")
	}
	return os.Remove(path)
}

// adminHandler returns the handler of the admin address: strangers are refused, and browsers that
// somebody else's page sends.
func (s *Server) adminHandler(at net.Addr) http.Handler {
	mux := http.NewServeMux()
	s.handleLooks(mux)
	mux.HandleFunc("POST /purge", s.servePurge)
	mux.HandleFunc("POST /reload", s.serveReload)
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, s.Stats())
	})
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{
			"status": "ok", "origins": s.now.Load().originStates(),
		})
	})
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"version": s.options.Version})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !namesAdmin(r.Host, at):
			writeError(w, http.StatusForbidden, "this is not a name of the admin address")
		case !s.authorized(r):
			challenge(w.Header(), r)
			writeError(w, http.StatusUnauthorized, "give the token as Authorization: Bearer")
		default:
			r.Body = http.MaxBytesReader(w, r.Body, maxOrder)
			http.NewCrossOriginProtection().Handler(mux).ServeHTTP(w, r)
		}
	})
}

// handleLooks adds what shows the numbers of the parts. Who may look is not decided there.
func (s *Server) handleLooks(mux *http.ServeMux) {
	s.dash = dash.New(&s.parts, dash.Options{AllowRemote: true, Version: s.options.Version})
	mux.Handle(debugPath, s.dash)
	mux.Handle(debugPath+"/", s.dash)
	mux.Handle("GET /metrics", prom.Handler(&s.parts))
}

// namesAdmin reports whether host is a name that leads here and nowhere else. A page of a stranger
// may have its own name lead here (DNS rebinding).
func namesAdmin(host string, at net.Addr) bool {
	if at.Network() == "unix" {
		return true
	}
	name := siteName(host)
	_, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil || name == "localhost"
}

// challenge says how to give the token. A browser that wants to see the page asks for a password.
func challenge(h http.Header, r *http.Request) {
	h.Set("WWW-Authenticate", "Bearer")
	if readsPage(r) {
		h.Add("WWW-Authenticate", `Basic realm="larder: the token is the password", charset="UTF-8"`)
	}
}

// readsPage reports whether r reads what browsers show. They can give the token as a password there,
// and nowhere else: they send it again by themselves, which nothing that changes anything should
// take for an order.
func readsPage(r *http.Request) bool {
	path := r.URL.Path
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) &&
		(path == debugPath || strings.HasPrefix(path, debugPath+"/"))
}

// authorized reports whether r has the token. The time it takes tells nothing about the token.
func (s *Server) authorized(r *http.Request) bool {
	token := s.now.Load().token
	if token == "" { // only a socket has none
		return true
	}
	kind, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	ok := strings.EqualFold(kind, "Bearer")
	if _, password, basic := r.BasicAuth(); basic && readsPage(r) {
		given, ok = password, true
	}
	a, b := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(given))
	return ok && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// servePurge makes the cache forget what url, prefix or tag names, or with all=1 everything; with
// soft=1 it may be served stale.
func (s *Server) servePurge(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	p, err := purgeOf(r)
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	n, err := s.cache.Purge(r.Context(), p)
	if err != nil {
		writeJSON(w, http.StatusBadGateway, purged{n, "memory has forgotten, but: " + err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, purged{Purged: n})
}

type purged struct {
	Purged int    `json:"purged"`
	Error  string `json:"error,omitempty"`
}

// purgeOf reads what is to leave from the parameters of a request.
func purgeOf(r *http.Request) (httpcache.Purge, error) {
	p := httpcache.Purge{
		URL: r.Form.Get("url"), Prefix: r.Form.Get("prefix"), Tag: r.Form.Get("tag"),
	}
	var wrongAll, wrongSoft error
	p.All, wrongAll = flagOf(r, "all")
	p.Soft, wrongSoft = flagOf(r, "soft")
	if err := cmp.Or(wrongAll, wrongSoft, onlyOnce(r.Form)); err != nil {
		return p, err
	}
	given := 0
	for _, one := range []bool{p.URL != "", p.Prefix != "", p.Tag != "", p.All} {
		if one {
			given++
		}
	}
	if given != 1 {
		return p, errors.New("give one of url, prefix, tag and all=1")
	}
	if u, err := url.Parse(p.URL + p.Prefix); p.URL+p.Prefix != "" && (err != nil || u.Host == "") {
		return p, errors.New("url and prefix begin with http:// or https:// and a host")
	}
	return p, nil
}

// onlyOnce refuses parameters that mean nothing, and those that are given twice.
func onlyOnce(form url.Values) error {
	for name, values := range form {
		switch name {
		case "url", "prefix", "tag", "all", "soft":
			if len(values) > 1 {
				return fmt.Errorf("%s: given %d times: give it once", name, len(values))
			}
		default:
			return fmt.Errorf("%q: no such parameter: there are url, prefix, tag, all, soft", name)
		}
	}
	return nil
}

func flagOf(r *http.Request, name string) (bool, error) {
	switch text := r.Form.Get(name); text {
	case "", "0":
		return false, nil
	case "1":
		return true, nil
	default:
		return false, fmt.Errorf("%s=%q: write %[1]s=1", name, text)
	}
}

func (s *Server) serveReload(w http.ResponseWriter, _ *http.Request) {
	done, err := s.Reload()
	if err != nil {
		writeError(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, done)
}

func writeError(w http.ResponseWriter, code int, why string) {
	writeJSON(w, code, map[string]string{"error": why})
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // a client that left
}
