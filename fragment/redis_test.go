// redis_test.go shares fragments between front ends by a real Redis.

package fragment_test

import (
	"context"
	"testing"
	"time"

	"github.com/larder-go/larder/fragment"
	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/store/redis"
)

func TestFrontEndsShareFragmentsByRedis(t *testing.T) {
	addr := servers.Redis(t).Addr
	front := func() *fragment.Cache {
		s, err := redis.Open(redis.Options{Addrs: []string{addr}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return open(t, fragment.Options{Store: s})
	}
	a, b := front(), front()
	pa, na := parse(t, a, family)
	pb, nb := parse(t, b, family)
	if one, two := show(t, pa, nil), show(t, pb, nil); one != two || nb.Load() != 0 {
		t.Errorf("they show %q and %q; the second was rendered %d times", one, two, nb.Load())
	}
	if err := b.DeleteTag(context.Background(), "team:3"); err != nil {
		t.Fatal(err)
	}
	for late := time.Now().Add(10 * time.Second); na.Load() == 3; { // until a has heard of it
		if show(t, pa, nil); time.Now().After(late) {
			t.Fatal("a shows what b has deleted")
		}
	}
	if one, two := show(t, pa, nil), show(t, pb, nil); one != "4(5[6])" || two != one {
		t.Errorf("after a deletion they show %q and %q", one, two)
	}
}
