// shop.go is what the caches are for: a shop, and those who visit it.

package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder"
)

// shop has three caches in front of a database that takes its time.
type shop struct {
	products *larder.Cache[int, string]
	prices   *larder.Cache[int, string]
	searches *larder.Cache[string, []int]
}

// newShop returns a shop whose caches observe themselves. Do not copy their options: each has a
// mistake in it.
func newShop() *shop {
	return &shop{
		products: larder.New(larder.Options[int, string]{
			Name: "products", Load: loadProduct, Observe: true,
			MaxWeight: 256 << 10, Weigh: weigh, // a hundred pages, where people look at thousands
		}),
		prices: larder.New(larder.Options[int, string]{
			Name: "prices", Load: loadPrice, Observe: true,
			TTL: 300 * time.Millisecond, // each price is asked for three times in a second
		}),
		searches: larder.New(larder.Options[string, []int]{
			Name: "searches", Load: search, Observe: true, MaxEntries: 1000,
		}),
	}
}

func (s *shop) close() {
	s.products.Close()
	s.prices.Close()
	s.searches.Close()
}

// teas is how many products there are, and priced how many of them have a price that changes.
const teas, priced = 5000, 200

// loadProduct makes a page. That of a bundle needs all that is in it.
func loadProduct(_ context.Context, id int) (string, error) {
	time.Sleep(time.Duration(2+id%5) * time.Millisecond)
	if id%100 == 7 {
		time.Sleep(80 * time.Millisecond)
	}
	return strings.Repeat("x", 1000+id*37%3000), nil
}

// weigh returns how many bytes a page takes, with what is around it.
func weigh(_ int, page string) int { return len(page) + 100 }

func loadPrice(_ context.Context, id int) (string, error) {
	time.Sleep(3 * time.Millisecond)
	return fmt.Sprintf("%d.90", id%20), nil
}

func search(_ context.Context, query string) ([]int, error) {
	time.Sleep(8 * time.Millisecond)
	return []int{len(query) % teas}, nil
}

// visitors is how many visit the shop at a time, forEver a number of visits that never come to an
// end.
const visitors, forEver = 20, math.MaxInt64

// open lets visitors come until they have come so many times, or one of them gets an error.
func (s *shop) open(ctx context.Context, times int64) (err error) {
	var left atomic.Int64
	left.Store(times)
	var all sync.WaitGroup
	var once sync.Once
	for i := range uint64(visitors) {
		all.Go(func() {
			if e := s.visits(ctx, rand.New(rand.NewPCG(1, i)), &left); e != nil {
				once.Do(func() { err = e })
				left.Store(0)
			}
		})
	}
	all.Wait()
	return err
}

// visits is one who comes again and again, with a look at something else in between.
func (s *shop) visits(ctx context.Context, r *rand.Rand, left *atomic.Int64) error {
	popular := rand.NewZipf(r, 1.1, 20, teas-1)
	for left.Add(-1) >= 0 {
		if err := s.visit(ctx, int(popular.Uint64()), r.IntN(priced)); err != nil {
			return err
		}
		time.Sleep(time.Duration(10+r.IntN(20)) * time.Millisecond)
	}
	return nil
}

// visit looks at one product, at the price of another one, and searches for something.
func (s *shop) visit(ctx context.Context, product, price int) error {
	if _, err := s.products.Get(ctx, product); err != nil {
		return err
	}
	if _, err := s.prices.Get(ctx, price); err != nil {
		return err
	}
	// The mistake: no two visitors ask for the same moment.
	query := fmt.Sprintf("q=tea&page=%d&at=%s", product%3, time.Now().Format("15:04:05.000000"))
	_, err := s.searches.Get(ctx, query)
	return err
}
