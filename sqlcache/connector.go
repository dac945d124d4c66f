// connector.go opens connections.

package sqlcache

import (
	"context"
	"database/sql/driver"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
)

// connector opens connections that use the cache.
type connector struct {
	cache    *Cache
	inner    driver.Connector
	name     string    // begins the identity of its connections: two may lead to two databases
	sentinel *sentinel // nil: the database does not tell of other writers

	likeness likeness
}

// likeness counts the open connections of a connector by what results over them depend on.
type likeness struct {
	plain atomic.Pointer[string] // what all of them depend on; nil: they differ, or there are none

	mu    sync.Mutex // guards the field below
	kinds map[string]int
}

// move counts a connection that was of one kind and is now of another. "" is none: it is not open, or
// nobody has asked yet.
func (l *likeness) move(from, to string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kinds == nil {
		l.kinds = map[string]int{}
	}
	if l.kinds[from]--; l.kinds[from] <= 0 {
		delete(l.kinds, from)
	}
	if to != "" {
		l.kinds[to]++
	}
	l.plain.Store(nil)
	if len(l.kinds) == 1 && l.kinds[odd] == 0 {
		for kind := range l.kinds {
			l.plain.Store(&kind)
		}
	}
}

// odd is the kind of a connection of which nothing is kept, or that is not to be had by everybody.
const odd = "odd"

func (c *Cache) connector(inner driver.Connector) *connector {
	n := &connector{cache: c, inner: inner}
	n.name = strconv.FormatUint(c.connectors.Add(1), 36) + ":"
	if v, ok := c.o.Dialect.(Versioner); ok {
		n.sentinel = &sentinel{cache: c, versioner: v, connector: inner}
		c.mu.Lock()
		c.sentinels = append(c.sentinels, n.sentinel)
		c.mu.Unlock()
	}
	return n
}

// Connect implements driver.Connector.
func (n *connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := n.inner.Connect(ctx)
	if err != nil {
		return nil, err
	}
	c := n.conn(inner)
	if n.sentinel != nil {
		c.session.identity(ctx) // while the file that was opened is still the one of that name
	}
	return c, nil
}

// Driver implements driver.Connector.
func (n *connector) Driver() driver.Driver { return &cachedDriver{n.cache, n.inner.Driver(), n} }

// Close implements io.Closer: sql.DB calls it when it is closed.
func (n *connector) Close() error {
	if n.sentinel != nil {
		n.sentinel.close()
	}
	if closer, ok := n.inner.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

// cachedDriver is a driver of which the connections use the cache.
type cachedDriver struct {
	cache     *Cache
	inner     driver.Driver
	connector *connector // of the database whose driver it is; nil: of none
}

// Open implements driver.Driver.
func (d *cachedDriver) Open(dsn string) (driver.Conn, error) {
	connector, err := d.OpenConnector(dsn)
	if err != nil {
		return nil, err
	}
	return connector.Connect(noContext)
}

// OpenConnector implements driver.DriverContext.
func (d *cachedDriver) OpenConnector(dsn string) (driver.Connector, error) {
	inner, err := openConnector(d.inner, dsn)
	if err != nil {
		return nil, err
	}
	return d.cache.connector(inner), nil
}

// openConnector returns a connector of a driver.
func openConnector(d driver.Driver, dsn string) (driver.Connector, error) {
	if d, ok := d.(driver.DriverContext); ok {
		return d.OpenConnector(dsn)
	}
	return dsnConnector{d, dsn}, nil
}

// dsnConnector is the connector of a driver that has none.
type dsnConnector struct {
	driver driver.Driver
	dsn    string
}

func (n dsnConnector) Connect(context.Context) (driver.Conn, error) { return n.driver.Open(n.dsn) }
func (n dsnConnector) Driver() driver.Driver                        { return n.driver }
