// database.go is the origin: slow, and it says what it was asked.

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// query is how long one takes.
const query = 150 * time.Millisecond

type tea struct {
	ID    int
	Name  string
	Note  string
	cents int
}

// Price returns the price as it is shown.
func (t tea) Price() string { return fmt.Sprintf("€ %d.%02d", t.cents/100, t.cents%100) }

type database struct {
	mu    sync.Mutex // guards the fields below
	asked []string
	stock []tea
}

func newDatabase() *database {
	return &database{stock: []tea{
		{1, "Sencha", "Fresh grass & the sea", 1250}, {2, "Assam <No. 4>", "Malt, for milk", 890},
		{3, "Lapsang", "Smoke and leather", 1100},
	}}
}

// ask waits as long as a query does, and notes it.
func (d *database) ask(what string) {
	time.Sleep(query)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, what)
}

// said returns what was asked since the last call.
func (d *database) said() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	asked := d.asked
	d.asked = nil
	if len(asked) == 0 {
		return "nothing is asked"
	}
	return strings.Join(slices.Sorted(slices.Values(asked)), ", ")
}

func (d *database) news(context.Context) ([]string, error) {
	d.ask("news")
	return []string{"First flush has arrived", "Closed on Monday", "Tasting on Friday, 6 pm"}, nil
}

func (d *database) teas() []tea {
	d.ask("teas")
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.stock)
}

func (d *database) basket(user string) []string {
	d.ask("basket of " + user)
	return map[string][]string{"Ann": {"Sencha, 100 g", "A cup"}, "Bob": {"Lapsang, 50 g"}}[user]
}

func (d *database) setPrice(id, cents int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.stock {
		if d.stock[i].ID == id {
			d.stock[i].cents = cents
		}
	}
}
