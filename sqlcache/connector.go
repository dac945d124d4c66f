// connector.go opens connections.

package sqlcache

import (
	"context"
	"database/sql/driver"
	"io"
	"strconv"
	"sync/atomic"
)

// connector opens connections that use the cache.
type connector struct {
	cache    *Cache
	inner    driver.Connector
	name     string    // begins the identity of its connections: two may lead to two databases
	sentinel *sentinel // nil: the database does not tell of other writers

	plain  atomic.Pointer[string] // identity of the connections as they are when they are opened
	varied atomic.Bool            // there are several, or the database is closed
}

// learn notes the identity of a connection that is as it was when it was opened.
func (n *connector) learn(identity string) {
	if !n.plain.CompareAndSwap(nil, &identity) && *n.plain.Load() != identity {
		n.varied.Store(true)
	}
}

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
	return n.conn(inner), nil
}

// Driver implements driver.Connector.
func (n *connector) Driver() driver.Driver { return &cachedDriver{n.cache, n.inner.Driver(), n} }

// Close implements io.Closer: sql.DB calls it when it is closed.
func (n *connector) Close() error {
	n.varied.Store(true)
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
