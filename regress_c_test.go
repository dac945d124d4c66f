// regress_c_test.go: what once went wrong when much is deleted at once.

package larder_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/storetest"
)

// 40. who asks after DeleteTag gets what a load of before brings.
func TestNobodyJoinsALoadOfADeletedTag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		truth := textOf("old")
		c := larder.New(larder.Options[string, string]{
			Reload: func(context.Context, string, larder.Entry[string]) (larder.Entry[string], error) {
				v := truth.get()
				time.Sleep(time.Second)
				return larder.Entry[string]{Value: v, Tags: []string{"t"}}, nil
			}})
		defer c.Close()
		go c.Get(ctx, "k")
		time.Sleep(time.Second / 2)
		truth.set("new")
		c.DeleteTag(ctx, "t")
		if v, _ := c.Get(ctx, "k"); v != "new" {
			t.Errorf("Get after DeleteTag returns %q", v)
		}
	})
}

// 41. Clear and DeletePrefix of a store that cannot delete by prefix (Redis, disk) leave the leases.
func TestClearVoidsLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		truth := textOf("old")
		c := larder.New(larder.Options[string, string]{Name: "n",
			Store: storetest.NewFaulty(store.NewMemory(store.MemoryOptions{})), // no DeletePrefix, as redis.Store
			Load: func(context.Context, string) (string, error) {
				v := truth.get()
				time.Sleep(time.Second)
				return v, nil
			}})
		defer c.Close()
		go c.Get(ctx, "k")
		time.Sleep(time.Second / 2)
		truth.set("new")
		if err := c.Clear(ctx); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if v, _ := c.Get(ctx, "k"); v != "new" {
			t.Errorf("Get a second after Clear returns %q", v)
		}
	})
}
