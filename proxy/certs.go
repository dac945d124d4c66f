// certs.go chooses the certificate of a connection, and notices new ones.

package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"strings"
)

// certs are certificates by the names they are for.
type certs struct {
	byName map[string][]*tls.Certificate // *.example.com among them
	first  *tls.Certificate              // for clients that name nobody we know
}

var errNoCertificate = errors.New("proxy: no certificate")

// choose implements tls.Config.GetCertificate.
func (c *certs) choose(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	candidates := c.byName[name]
	if candidates == nil {
		if _, rest, ok := strings.Cut(name, "."); ok {
			candidates = c.byName["*."+rest]
		}
	}
	for _, one := range candidates { // RSA and ECDSA, say
		if hello.SupportsCertificate(one) == nil {
			return one, nil
		}
	}
	switch {
	case len(candidates) > 0:
		return candidates[0], nil
	case c.first == nil:
		return nil, errNoCertificate
	}
	return c.first, nil
}

func (c *certs) add(one *tls.Certificate) {
	if c.first == nil {
		c.first = one
	}
	names := one.Leaf.DNSNames
	if len(names) == 0 && one.Leaf.Subject.CommonName != "" {
		names = []string{one.Leaf.Subject.CommonName}
	}
	for _, name := range names {
		name = strings.ToLower(name)
		c.byName[name] = append(c.byName[name], one)
	}
}

// loadCerts reads the files of all certificates.
func (c *Config) loadCerts() (*certs, Mistakes) {
	var wrong Mistakes
	all := &certs{byName: map[string][]*tls.Certificate{}}
	for i, files := range c.Certificates {
		one, err := loadPair(files)
		if err != nil {
			wrong = append(wrong, c.wrong(indexed("certificate", i, ""), "%v", err))
			continue
		}
		all.add(one)
	}
	return all, wrong
}

func loadPair(files Certificate) (*tls.Certificate, error) {
	one, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		return nil, plain(err, files.Cert+" and "+files.Key)
	}
	if one.Leaf == nil {
		one.Leaf, err = x509.ParseCertificate(one.Certificate[0])
	}
	return &one, err
}

// plain names the files of an error that does not.
func plain(err error, files string) error {
	var named *os.PathError
	if errors.As(err, &named) {
		return err
	}
	return errors.New(files + ": " + strings.TrimPrefix(err.Error(), "tls: "))
}

// stamp tells whether a file is another than it was.
type stamp struct {
	changed int64 // in Unix nanoseconds
	size    int64
}

// stamps returns the stamps of the files of all certificates.
func (c *Config) stamps() map[string]stamp {
	found := map[string]stamp{}
	for _, files := range c.Certificates {
		for _, path := range []string{files.Cert, files.Key} {
			found[path] = stampOf(path)
		}
	}
	return found
}

// stampOf returns the stamp of a file; the zero stamp where there is none.
func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime().UnixNano(), info.Size()}
}

// tlsConfig returns what clients may agree on: TLS 1.2 with forward secrecy, or 1.3, which is what
// Go does unless told otherwise.
func tlsConfig(now func() *certs) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return now().choose(hello)
		},
	}
}
