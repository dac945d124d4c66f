// tls_test.go speaks every version of HTTP, and changes certificates meanwhile.

package proxy_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/larder-go/larder/proxy"
)

// pair writes a new certificate for names, which vouches for itself, over files in dir.
func pair(t *testing.T, dir, file string, names ...string) (proxy.Certificate, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	files := proxy.Certificate{
		Cert: filepath.Join(dir, file+".pem"), Key: filepath.Join(dir, file+".key"),
	}
	write(t, files.Key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	write(t, files.Cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	return files, leaf
}

// secure serves over TLS too, with a certificate for example.com and one for *.example.org.
func secure(t *testing.T, to string) (proxy.Config, string) {
	t.Helper()
	dir := t.TempDir()
	c := config(to)
	c.ListenTLS = []string{loopback}
	first, _ := pair(t, dir, "com", "example.com")
	second, _ := pair(t, dir, "org", "*.example.org", "example.org")
	c.Certificates = []proxy.Certificate{first, second}
	c.CertificateCheck = proxy.Duration(10 * time.Millisecond)
	return c, dir
}

// offered returns the certificate that clients get who ask for a name.
func offered(t *testing.T, s *served, name string, change ...func(*tls.Config)) *x509.Certificate {
	t.Helper()
	c := &tls.Config{ServerName: name, InsecureSkipVerify: true}
	for _, f := range change {
		f(c)
	}
	conn, err := tls.Dial("tcp", s.Addrs().TLS[0].String(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0]
}

func echoProto(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }

func TestChoosesTheCertificateByName(t *testing.T) {
	c, _ := secure(t, newOrigin(t, echoProto))
	s := serve(t, c)
	for name, want := range map[string]string{
		"example.com": "example.com", "EXAMPLE.com": "example.com", "a.example.org": "*.example.org",
		"example.org": "*.example.org", "a.b.example.org": "example.com", "": "example.com",
		"other": "example.com",
	} {
		if got := offered(t, s, name).Subject.CommonName; got != want {
			t.Errorf("%q got the certificate of %s, want %s", name, got, want)
		}
	}
}

func TestRefusesOldTLS(t *testing.T) {
	c, _ := secure(t, newOrigin(t, echoProto))
	s := serve(t, c)
	for version, ok := range map[uint16]bool{
		tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true,
	} {
		conn, err := tls.Dial("tcp", s.Addrs().TLS[0].String(), &tls.Config{
			InsecureSkipVerify: true, MinVersion: version, MaxVersion: version,
		})
		if (err == nil) != ok {
			t.Errorf("TLS %x: %v", version, err)
		}
		if err == nil {
			conn.Close()
		}
	}
}

func TestTakesNewCertificatesFromTheirFiles(t *testing.T) {
	c, dir := secure(t, newOrigin(t, echoProto))
	s := serve(t, c)
	before := offered(t, s, "example.com")
	write(t, c.Certificates[0].Key, "no key")
	s.await(t, "not renewed")
	if got := offered(t, s, "example.com"); !got.Equal(before) {
		t.Error("a broken pair took the place of the old one")
	}
	_, after := pair(t, dir, "com", "example.com")
	s.await(t, "certificates renewed")
	if got := offered(t, s, "example.com"); !got.Equal(after) {
		t.Error("the new pair is not in use")
	}
}

func TestSpeaksEveryVersionOfHTTP(t *testing.T) {
	c, _ := secure(t, newOrigin(t, hello))
	s := serve(t, c)
	for i, row := range []struct {
		name, url string
		set       func(*http.Protocols)
		want      string
	}{
		{"HTTP/1.1", s.url("/"), func(p *http.Protocols) { p.SetHTTP1(true) }, "HTTP/1.1"},
		{"h2c", s.url("/"), func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }, "HTTP/2.0"},
		{"TLS 1.1", s.secureURL("/"), func(p *http.Protocols) { p.SetHTTP1(true) }, "HTTP/1.1"},
		{"TLS h2", s.secureURL("/"), func(p *http.Protocols) { p.SetHTTP2(true) }, "HTTP/2.0"},
	} {
		browser := insecure(t)
		transport := browser.Transport.(*http.Transport)
		transport.Protocols = new(http.Protocols)
		row.set(transport.Protocols)
		for range 2 {
			resp, text := get(t, browser, row.url)
			if resp.Proto != row.want || text != "hello" {
				t.Errorf("%s: %s %s", row.name, resp.Proto, resp.Status)
			}
		}
		// With TLS it is another URL; but for that all share what one of them loaded.
		if got, want := s.Stats().Cache.Hits, uint64(2*(i+1)-1-i/2); got != want {
			t.Errorf("after %s: %d hits, want %d", row.name, got, want)
		}
	}
}

func (s *served) secureURL(path string) string {
	return "https://" + s.Addrs().TLS[0].String() + path
}

// insecure is a client that believes every certificate.
func insecure(t *testing.T) *http.Client {
	c := client(t)
	c.Transport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	return c
}

func TestNeedsHTTP3OfTheProgram(t *testing.T) {
	c, _ := secure(t, "http://127.0.0.1:1")
	c.HTTP3 = true
	if _, err := proxy.New(c, proxy.Options{}); err == nil {
		t.Error("New promised HTTP/3 without having any")
	}
}

func TestVerifiesOriginsByTheirCA(t *testing.T) {
	inner, _ := secure(t, newOrigin(t, echoProto))
	origin := serve(t, inner)
	to := "https://" + origin.Addrs().TLS[0].String()
	c := config(to)
	if resp, _ := get(t, client(t), serve(t, c).url("/")); resp.StatusCode != 502 {
		t.Errorf("an origin that nobody vouches for: %s, want 502", resp.Status)
	}
	c.Sites[0].CA = inner.Certificates[0].Cert
	if resp, _ := get(t, client(t), serve(t, c).url("/")); resp.StatusCode != 502 {
		t.Errorf("an origin of another name: %s, want 502", resp.Status)
	}
}
