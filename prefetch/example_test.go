// example_test.go answers questions.

package prefetch_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/larder-go/larder/prefetch"
)

// slowShare stands for files on a network share.
func slowShare(_ context.Context, name string) ([]byte, error) {
	time.Sleep(time.Millisecond)
	return []byte(strings.ToUpper(name)), nil
}

var names = []string{"a.tif", "b.tif", "c.tif", "d.tif", "e.tif"}

// How do I look through files on a slow share without waiting for each?
func Example() {
	files := prefetch.New(slowShare, prefetch.Slice(names), prefetch.Options[string, []byte]{
		MaxWeight: 256 << 20,
		Weigh:     func(_ string, file []byte) int64 { return int64(len(file)) },
	})
	defer files.Close()
	for _, name := range names { // while one is looked at, the next ones come
		file, err := files.Get(context.Background(), name)
		fmt.Printf("%s %v\n", file, err)
	}
	// Output:
	// A.TIF <nil>
	// B.TIF <nil>
	// C.TIF <nil>
	// D.TIF <nil>
	// E.TIF <nil>
}

// How do I read ahead in an order that I know, for example that of the batches of a training run?
func ExamplePrefetcher_Expect_orderIsKnown() {
	files := prefetch.New(slowShare, prefetch.Slice(names), prefetch.Options[string, []byte]{})
	defer files.Close()
	shuffled := []string{"d.tif", "a.tif", "e.tif", "c.tif"}
	files.Expect(shuffled...)
	for _, name := range shuffled {
		file, err := files.Get(context.Background(), name)
		fmt.Printf("%s %v\n", file, err)
	}
	// Output:
	// D.TIF <nil>
	// A.TIF <nil>
	// E.TIF <nil>
	// C.TIF <nil>
}

// How does a list view get what is visible before anything else?
func ExamplePrefetcher_Show_listView() {
	drawn := make(chan string)
	thumbs := prefetch.New(slowShare, prefetch.Slice(names), prefetch.Options[string, []byte]{
		MaxWidth: 1,
		OnReady:  func(name string, _ []byte) { drawn <- name },
	})
	defer thumbs.Close()
	thumbs.Show("b.tif", "d.tif") // at each scroll; the rest comes by OnReady
	for range 3 {
		fmt.Println("draw", <-drawn)
	}
	// Output:
	// draw b.tif
	// draw c.tif
	// draw d.tif
}

// How do I keep a value that something outside of the program works with, and release it later?
func ExamplePrefetcher_Hold_whileInUse() {
	files := prefetch.New(slowShare, prefetch.Slice(names), prefetch.Options[string, []byte]{
		OnEvict: func(name string, _ []byte) {
			if name == "a.tif" {
				fmt.Println("delete the local copy of", name)
			}
		},
	})
	file, release, err := files.Hold(context.Background(), "a.tif")
	fmt.Printf("%s %v\n", file, err)
	files.Close()
	fmt.Println("still in use")
	release()
	// Output:
	// A.TIF <nil>
	// still in use
	// delete the local copy of a.tif
}

// months is the sequence of all months, by the number of months since the year 0.
type months struct{}

func (months) At(i int) (string, bool) {
	if i < 0 || i >= 12*10_000 {
		return "", false
	}
	return fmt.Sprintf("%04d-%02d", i/12, i%12+1), true
}

func (months) Index(month string) (int, bool) {
	t, err := time.Parse("2006-01", month)
	return 12*t.Year() + int(t.Month()) - 1, err == nil
}

// How do I prefetch what is neither numbers nor a list, for example the months of a calendar?
func ExampleSequence_months() {
	calendar := prefetch.New(func(_ context.Context, month string) (string, error) {
		return "appointments of " + month, nil
	}, months{}, prefetch.Options[string, string]{})
	defer calendar.Close()
	fmt.Println(calendar.Get(context.Background(), "2026-12"))
	fmt.Println(calendar.Get(context.Background(), "2027-01"))
	// Output:
	// appointments of 2026-12 <nil>
	// appointments of 2027-01 <nil>
}
