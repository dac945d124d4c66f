// heat_internal_test.go fills a Heat that holds little.

package accesslog

import (
	"fmt"
	"testing"
	"time"
)

func TestHeatForgetsTheCold(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	h := Heat{most: 100}
	for range 3 {
		h.Add("/hot", now)
	}
	for i := range 1000 {
		h.Add(fmt.Sprint("/", i), now.Add(time.Duration(i)*time.Minute))
		if len(h.urls) > 100 {
			t.Fatalf("holds %d", len(h.urls))
		}
	}
	got := h.Hottest()
	if got[0] != (Ranked{"/hot", 3}) || got[1].URL != "/999" || len(got) < 50 {
		t.Errorf("keeps %d, first %+v and %+v", len(got), got[0], got[1])
	}
}
