// main.go answers: as which bytes do values leave the program, and can bytes harm it?

// Command which-codec stores a list as JSON and as msgpack, plain and compressed; asks for a codec
// of a type that would not come back whole, which is refused; and lets somebody put bytes into the
// store that are meant to harm: they are a miss, and the value is loaded again. Bytes never say of
// which type they are, so nothing that is stored can run code.
//
//	go run ./examples/which-codec
package main

import (
	"context"
	"fmt"
	"log"
	"reflect"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/codec"
	"github.com/larder-go/larder/codec/msgpack"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/compressed"
)

// Order is a line of a list.
type Order struct {
	ID   int64
	Item string
	At   time.Time
}

func load(ctx context.Context, customer string) ([]Order, error) {
	var all []Order
	for i := range 100 {
		at := time.Date(2026, 11, 21, 0, i, 0, 0, time.UTC)
		all = append(all, Order{int64(1000 + i), "tea for " + customer, at})
	}
	return all, nil
}

func main() {
	ctx := context.Background()
	for _, c := range []codec.Codec{codec.JSON{}, msgpack.Codec{}} {
		plain, err := sizeOf(ctx, c, func(s store.Store) store.Store { return s })
		if err != nil {
			log.Fatal(err)
		}
		packed, err := sizeOf(ctx, c, func(s store.Store) store.Store {
			return compressed.New(s, compressed.Options{})
		})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %d bytes, compressed to less than a fifth: %v\n",
			c.Name(), plain, packed < plain/5)
	}
	refuse()
	if err := attack(ctx); err != nil {
		log.Fatal(err)
	}
}

// sizeOf returns how many bytes the orders take in a store.
func sizeOf(ctx context.Context, c codec.Codec, wrap func(store.Store) store.Store) (int64, error) {
	memory := store.NewMemory(store.MemoryOptions{}) // yours may be Redis: see examples/redis
	defer memory.Close()
	orders := larder.New(larder.Options[string, []Order]{
		Name: "orders", Store: wrap(memory), Codec: c,
	})
	defer orders.Close()
	all, err := load(ctx, "ann")
	if err != nil {
		return 0, err
	}
	if err := orders.Set(ctx, "ann", all); err != nil {
		return 0, err
	}
	info, err := only(ctx, memory)
	return info.Size, err
}

// only returns what the only item of a store is.
func only(ctx context.Context, s store.Store) (info store.Info, err error) {
	for info, err = range store.List(ctx, s, "") {
		break
	}
	return info, err
}

// refuse asks for a codec of a type that has a field which would be lost.
func refuse() {
	type Session struct {
		User string
		//lint:ignore U1000 a field that would be lost
		token string
	}
	err := codec.JSON{}.Check(reflect.TypeFor[Session]())
	fmt.Println(err)
}

// attack overwrites what is stored by bytes that announce a list of four billion elements.
func attack(ctx context.Context) error {
	memory := store.NewMemory(store.MemoryOptions{})
	defer memory.Close()
	attacker := memory.Share() // another process, so to speak
	defer attacker.Close()
	var damage error
	orders := larder.New(larder.Options[string, []Order]{
		Name: "orders", Load: load, Store: memory, Codec: msgpack.Codec{},
		OnError: func(err error) { damage = err },
	})
	defer orders.Close()
	if _, err := orders.Get(ctx, "ann"); err != nil {
		return err
	}
	info, err := only(ctx, attacker)
	if err != nil {
		return err
	}
	head := "\x01\x00\x00\x07msgpack" // as the cache writes it: no time for the load, the codec
	err = attacker.Set(ctx, info.Key, store.Item{Value: []byte(head + "\xdd\xff\xff\xff\xff")})
	if err != nil {
		return err
	}
	all, err := orders.Get(ctx, "ann") // the cache has heard of the change: it reads what is stored
	fmt.Printf("got %d orders by load %d, as the stored bytes are of no use: %v\n",
		len(all), orders.Stats().Loads, damage)
	return err
}
