// fragment.go says what the package is for.

// Package fragment keeps parts of a page.
//
// A page is often new for each reader while most of it is not: a list of news, a menu, what is in
// the basket. In html/template such a part is a template of its own; say fragment where you said
// template, and for how long:
//
//	{{ template "sidebar" .User }}
//	{{ fragment "sidebar" .User "5m" .User.ID .Lang }}
//
// The template "sidebar" is executed when nobody has done so for this user and language within
// five minutes, and once for all who wait for it. The functions come from [Funcs], the cache from
// [New], and [Cache.Pages] brings them together:
//
//	parts := fragment.New(fragment.Options{})
//	set := template.Must(template.New("").Funcs(fragment.Funcs()).ParseFS(files, "*.html"))
//	pages := parts.Pages(set)
//	err := pages.Execute(r.Context(), w, "page.html", data)
//
// Who does not use html/template calls [Cache.Get] with a function that writes the part.
//
// # What identifies a fragment
//
// Its name, the source of its template, and the key: all that follows the time. What the markup
// depends on and the key does not say is seen by the wrong reader. So without a key the data is the
// key, and data that cannot be one, such as a *User, is an error: nobody shares a fragment because
// something was forgotten. A constant says that all share one:
//
//	{{ fragment "news" .News "1m" "everyone" }}
//
// # Fragments in fragments
//
// A fragment in another one is part of its markup. So the outer one is kept no longer than the
// inner one, and deleting the inner one, by name, key or tag, deletes the outer one. Its key must
// say what the inner ones depend on as well.
//
// # What costs time
//
// Executing a template is quick; getting its data is not. Data that is a function is called only
// where the fragment is not kept:
//
//	type Home struct{ News func(context.Context) ([]Item, error) }
//	{{ fragment "news" .News "1m" "everyone" }}
package fragment
