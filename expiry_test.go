package larder_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/policy"
)

func TestEntriesExpireToTheNanosecond(t *testing.T) {
	for _, ttl := range []time.Duration{time.Nanosecond, time.Millisecond, 15 * time.Millisecond,
		time.Second, time.Minute, 36 * time.Hour, 400 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			c := larder.New(larder.Options[int, int]{TTL: ttl})
			defer c.Close()
			time.Sleep(1234567 * time.Microsecond)
			c.Set(ctx, 1, 10)
			time.Sleep(ttl - time.Nanosecond)
			if _, ok := c.Lookup(1); !ok {
				t.Errorf("TTL %v: gone before its time", ttl)
			}
			time.Sleep(time.Nanosecond)
			if v, ok := c.Lookup(1); ok {
				t.Errorf("TTL %v: %d shows after its time", ttl, v)
			}
			for k, v := range c.All() {
				t.Errorf("TTL %v: All shows %d, %d after their time", ttl, k, v)
			}
		})
	}
}

func TestSettingAgainBeginsANewLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := larder.New(larder.Options[int, int]{TTL: time.Minute})
		defer c.Close()
		for range 100 {
			c.Set(ctx, 1, 10)
			time.Sleep(59 * time.Second)
			if _, ok := c.Lookup(1); !ok {
				t.Fatal("gone before its time")
			}
		}
		c.SetFor(ctx, 1, 11, time.Second) // sooner than it was planned
		time.Sleep(time.Second)
		if _, ok := c.Lookup(1); ok {
			t.Error("shows after its shorter time")
		}
		time.Sleep(10 * time.Second)
		if c.Len() != 0 {
			t.Error("its room was not given back")
		}
	})
}

func TestRoomIsGivenBackWithoutTraffic(t *testing.T) {
	for _, ttl := range []time.Duration{time.Millisecond, 3 * time.Second, time.Hour, 500 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			var left atomic.Int64
			c := larder.New(larder.Options[int, int]{MaxEntries: 20_000, TTL: ttl,
				OnEvict: func(_, _ int, cause larder.Cause) {
					if cause == larder.Expired {
						left.Add(1)
					}
				}})
			defer c.Close()
			for i := range 10_000 {
				c.Set(ctx, i, i)
				time.Sleep(ttl / 5000)
			}
			time.Sleep(ttl + ttl/32 + 50*time.Millisecond)
			synctest.Wait()
			if c.Len() != 0 || left.Load() != 10_000 {
				t.Errorf("TTL %v: %d entries are there, %d have left", ttl, c.Len(), left.Load())
			}
		})
	}
}

func TestALifetimeOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := larder.New(larder.Options[string, int]{MaxEntries: 1000}) // no TTL at all
		defer c.Close()
		c.Set(ctx, "for ever", 1)
		c.SetFor(ctx, "a minute", 2, time.Minute)
		c.SetFor(ctx, "an hour", 3, time.Hour)
		c.SetFor(ctx, "for ever too", 4, larder.Forever)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if _, ok := c.Lookup("a minute"); ok || c.Len() != 3 {
			t.Errorf("a minute is there: %v; %d entries, want 3", ok, c.Len())
		}
		time.Sleep(1000 * time.Hour)
		synctest.Wait()
		if v, ok := c.Lookup("for ever"); !ok || v != 1 || c.Len() != 2 {
			t.Errorf("for ever: %d, %v; %d entries, want 2", v, ok, c.Len())
		}
	})
}

func TestIdleEntriesExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := larder.New(larder.Options[string, int]{Idle: time.Minute, TTL: time.Hour})
		defer c.Close()
		c.Set(ctx, "used", 1)
		c.Set(ctx, "not used", 2)
		for range 60 {
			time.Sleep(59 * time.Second)
			if _, ok := c.Lookup("used"); !ok {
				t.Fatal("gone though it was used")
			}
		}
		synctest.Wait()
		if c.Len() != 1 {
			t.Errorf("%d entries, want 1", c.Len())
		}
		for range 2 { // an hour is over, use or not
			time.Sleep(30 * time.Second)
			c.Lookup("used")
		}
		if _, ok := c.Lookup("used"); ok {
			t.Error("shows after its TTL")
		}
	})
}

// TestADayInTheLifeOfACache lets 24 hours pass, with all that can happen in them. A bubble ends only
// when its last goroutine has, so none is left behind.
func TestADayInTheLifeOfACache(t *testing.T) {
	for _, p := range policy.All() {
		synctest.Test(t, func(t *testing.T) {
			c := larder.New(larder.Options[int, int]{MaxEntries: 500, TTL: 10 * time.Minute,
				Idle: 3 * time.Minute, Policy: p.New})
			for i := range 24 * 60 {
				for k := range 40 {
					c.Set(ctx, i*7+k*k, i)
					c.SetFor(ctx, -k, i, time.Duration(k+1)*time.Minute)
					c.Lookup(i * k % 1000)
				}
				c.Delete(ctx, i*7)
				time.Sleep(time.Minute)
			}
			if c.Len() == 0 {
				t.Errorf("%s: nothing was kept", p.Name)
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			if c.Len() != 0 {
				t.Errorf("%s: %d entries after their time", p.Name, c.Len())
			}
			c.Close()
		})
	}
}
