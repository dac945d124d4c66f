// query.go caches answers to QUERY, a safe request whose question is in its body.

package httpcache

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
)

// methodQuery asks something of a resource by a body, and changes nothing
// (draft-ietf-httpbis-safe-method-w-body).
const methodQuery = "QUERY"

// maxQuery is the largest question that is part of a key, in bytes. What is larger passes.
const maxQuery = 64 << 10

// queryFields say what the body of a question means, so that they are part of the key with it.
var queryFields = []string{"Content-Type", "Content-Encoding", "Content-Language"}

// readQuery reads the question of a QUERY, and reports whether it may be answered from the cache:
// not if it is too large, or cut short. The request can be sent on as it was in any case.
func (v *visit) readQuery() bool {
	body := v.r.Body
	question, err := io.ReadAll(io.LimitReader(body, maxQuery+1))
	if err != nil || len(question) > maxQuery {
		v.r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(question), failing{body, err}), body}
		return false
	}
	v.question = question
	v.r.Body = io.NopCloser(bytes.NewReader(question))
	return true
}

// failing is the rest of a body, or what went wrong with it.
type failing struct {
	io.Reader
	err error
}

func (f failing) Read(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return f.Reader.Read(p)
}

// queryKey is what a question adds to the key.
func queryKey(h http.Header, question []byte) string {
	sum := sha256.New()
	for _, name := range queryFields {
		sum.Write(appendField(nil, name, h[name]))
	}
	sum.Write(question)
	return "#query=" + hex.EncodeToString(sum.Sum(nil))
}

// ask puts a question into the request that the origin gets.
func ask(out *http.Request, question []byte) {
	out.ContentLength = int64(len(question))
	out.GetBody = func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(question)), nil
	}
	out.Body, _ = out.GetBody()
}
