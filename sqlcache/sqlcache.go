// Package sqlcache keeps the results of database queries.
package sqlcache
