// kind.go says what Content-Type a file has.

package browsercache

import (
	"mime"
	"net/http"
	"path"
	"strings"
)

// kinds are the types of what the web is made of, the same everywhere: the tables of a machine may
// lack some, and say odd things of others.
var kinds = map[string]string{
	".avif": "image/avif", ".css": "text/css; charset=utf-8", ".gif": "image/gif",
	".htm": "text/html; charset=utf-8", ".html": "text/html; charset=utf-8",
	".ico": "image/x-icon", ".jpeg": "image/jpeg", ".jpg": "image/jpeg",
	".js": "text/javascript; charset=utf-8", ".json": "application/json",
	".map": "application/json", ".mjs": "text/javascript; charset=utf-8",
	".mp3": "audio/mpeg", ".mp4": "video/mp4", ".otf": "font/otf", ".pdf": "application/pdf",
	".png": "image/png", ".svg": "image/svg+xml", ".ttf": "font/ttf",
	".txt": "text/plain; charset=utf-8", ".wasm": "application/wasm", ".webm": "video/webm",
	".webmanifest": "application/manifest+json", ".webp": "image/webp", ".woff": "font/woff",
	".woff2": "font/woff2", ".xml": "text/xml; charset=utf-8",
}

// kindOf returns the Content-Type of a file: by its name, else by its first bytes.
func kindOf(c content) string {
	ext := strings.ToLower(path.Ext(c.name))
	if kind := kinds[ext]; kind != "" {
		return kind
	}
	if kind := mime.TypeByExtension(ext); kind != "" {
		return kind
	}
	if c.body == nil {
		return "application/octet-stream"
	}
	return http.DetectContentType(c.body)
}

// isText tells whether what has this Content-Type gets smaller when it is compressed.
func isText(kind string) bool {
	kind, _, _ = strings.Cut(kind, ";")
	switch kind {
	case "application/wasm", "font/ttf", "font/otf", "image/x-icon":
		return true
	}
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "json") ||
		strings.HasSuffix(kind, "xml") || strings.HasSuffix(kind, "javascript")
}
