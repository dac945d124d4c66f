// links.go is a list of addresses as a source of pictures.

package gallery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/larder-go/larder/gallery/thumb"
)

// longestPicture is the most bytes of a picture by URL.
const longestPicture = 64 << 20

// links is a source of pictures by URL.
type links struct {
	client  *http.Client
	all     *catalog
	longest int64               // bytes of a picture
	memory  *semaphore.Weighted // bytes of all that are being used
}

func newLinks(urls []string, client *http.Client, o Options) (*links, error) {
	l := &links{
		client: client, longest: min(longestPicture, o.Memory/8),
		memory: semaphore.NewWeighted(o.Memory / 8),
		all:    &catalog{generation: firstGeneration(), byPath: map[string]*picture{}},
	}
	for i, text := range urls {
		u, err := url.Parse(text)
		if err == nil && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
			err = errors.New("not an http or https address")
		}
		if err != nil {
			return nil, fmt.Errorf("picture %d: %q: %w", i+1, text, err)
		}
		if l.all.byPath[text] == nil {
			p := &picture{path: text, kind: thumb.KindOf(u.Path)}
			p.info.Store(&info{})
			l.all.byPath[text] = p
			l.all.pictures = append(l.all.pictures, p)
		}
	}
	return l, nil
}

func (l *links) title() string { return "Pictures" }

func (l *links) root() string { return "url" }

func (l *links) local() bool { return false }

func (l *links) catalog() *catalog { return l.all }

func (l *links) inspect(_ context.Context, p *picture) *info { return p.info.Load() }

func (l *links) inspectAll() bool { return true }

func (l *links) close() error { return nil }

// open gets the bytes of a picture from where they are cached, or from the network.
func (l *links) open(ctx context.Context, p *picture) (*opened, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := l.client.Do(req)
	if err != nil {
		return nil, unreachable(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s", resp.Status)
	}
	body, free, err := l.read(ctx, resp)
	if err != nil {
		return nil, err
	}
	modified, _ := http.ParseTime(resp.Header.Get("Last-Modified"))
	return &opened{
		File: thumb.File{
			Reader: bytes.NewReader(body), Size: int64(len(body)), Name: path.Base(p.path),
		},
		modified: modified, now: func() string { return "" },
		close: func() error { free(); return nil },
	}, nil
}

// read reads a body, once there is memory for it. free gives that back.
func (l *links) read(
	ctx context.Context, resp *http.Response,
) (body []byte, free func(), err error) {
	most := l.longest
	if resp.ContentLength >= 0 {
		most = min(resp.ContentLength, most)
	}
	if err := l.memory.Acquire(ctx, most); err != nil {
		return nil, nil, err
	}
	free = sync.OnceFunc(func() { l.memory.Release(most) })
	all := bytes.NewBuffer(make([]byte, 0, most+bytes.MinRead))
	_, err = all.ReadFrom(io.LimitReader(resp.Body, l.longest+1))
	if err == nil && int64(all.Len()) > l.longest {
		err = fmt.Errorf("%w: over %d MiB", thumb.ErrTooLarge, l.longest>>20)
	}
	if err != nil {
		free()
		return nil, nil, err
	}
	return all.Bytes(), free, nil
}

// unreachable says why there was no answer, in the few words that a tile has room for.
func unreachable(err error) error {
	var dial *net.OpError
	var request *url.Error
	switch {
	case errors.As(err, &dial):
		err = dial.Err
	case errors.As(err, &request): // its text repeats the address
		err = request.Err
	}
	return fmt.Errorf("not reachable: %w", err)
}
