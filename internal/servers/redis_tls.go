// redis_tls.go starts Redis behind TLS, with a certificate of its own making.

package servers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// RedisTLS starts a redis-server that speaks TLS alone. The config lets a client trust it.
func RedisTLS(t testing.TB, args ...string) (*Server, *tls.Config) {
	t.Helper()
	certFile, keyFile, pool := certificate(t)
	addr := FreeAddr(t)
	host, port, _ := net.SplitHostPort(addr)
	all := []string{
		Program(t, "redis-server", "redis-server"),
		"--bind", host, "--port", "0", "--tls-port", port,
		"--tls-cert-file", certFile, "--tls-key-file", keyFile, "--tls-ca-cert-file", certFile,
		"--tls-auth-clients", "no", "--save", "", "--appendonly", "no",
	}
	return start(t, addr, t.TempDir(), append(all, args...)...), &tls.Config{RootCAs: pool}
}

// certificate makes a key and a certificate that it signs itself, for the loopback interface.
func certificate(t testing.TB) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return writePEM(t, filepath.Join(dir, "cert.pem"), "CERTIFICATE", der),
		writePEM(t, filepath.Join(dir, "key.pem"), "PRIVATE KEY", keyDER), pool
}

func writePEM(t testing.TB, file, kind string, der []byte) string {
	t.Helper()
	b := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
