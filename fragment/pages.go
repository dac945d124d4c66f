// pages.go executes templates that contain fragments.

package fragment

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"sync"
	"time"
)

// errBare is what the functions return in a template that Pages does not execute.
var errBare = errors.New("fragment: the page has to be executed by Pages.Execute")

// Funcs returns the functions by which templates are parsed: fragment and tag.
//
//	{{ fragment NAME DATA TIME KEY... }}
//
// shows the template NAME of the same set, executed with DATA. TIME is how long that is fresh: a
// string such as "5m" or "1h30m", a time.Duration, "forever", or "0" for Options.TTL. KEY is what
// identifies it, as in Keys; among it may be tags: (tag "team:" .Team.ID). Without KEY, DATA is the
// key.
//
// DATA may be a function without arguments or with a context.Context, which returns a value or a
// value and an error. It is called only where the fragment is not kept, and needs a KEY. A field of
// the page's data can hold one; a method is called by the template itself, so let it return one.
//
// What is shown is HTML: NAME was escaped as it was rendered, for the place between the elements of
// a page. So fragment must stand there, and alone: not in an attribute, a script, a style or a
// title, and its result in no variable, function or other template. Elsewhere markup could become
// something that was never meant to run; Pages refuses it.
func Funcs() template.FuncMap {
	return template.FuncMap{
		"fragment": func(string, any, any, ...any) (template.HTML, error) { return "", errBare },
		"tag":      makeTag,
	}
}

// Pages executes templates that contain fragments. All methods may be called by many goroutines at
// once.
type Pages struct {
	cache    *Cache
	set      *template.Template // never executed, so that it can be cloned
	versions map[string]string  // of the sources, by the name of the template
	stages   sync.Pool          // of *stage
}

// Pages returns the pages of a set of templates, which was parsed with Funcs. Like template.Must it
// panics: on a set that was executed before, since what is escaped cannot be cloned; and on a
// fragment that is not between elements.
//
// A fragment is known by the source of its template and of all templates that this one names. Where
// the name in a fragment is not written out, those are all of the set.
func (c *Cache) Pages(set *template.Template) *Pages {
	set, err := set.Clone()
	if err != nil {
		panic(fmt.Sprintf("fragment: Pages: %v", err))
	}
	sources := sourcesOf(set)
	if err := checkPlaces(set, sources); err != nil {
		panic(fmt.Sprintf("fragment: Pages: %v", err))
	}
	return &Pages{cache: c, set: set, versions: versionsOf(sources)}
}

// Execute writes the template name of the set with data to w. What was written when an error is
// returned stays written, as with html/template. An error of a fragment has its name.
//
// ctx reaches the data that is lazy, and ends the wait for fragments; one that others wait for too
// is rendered to its end, with the data of whoever asked first, and perhaps after Execute has
// returned. So nobody may change the data after that.
func (p *Pages) Execute(ctx context.Context, w io.Writer, name string, data any) error {
	s, ok := p.stages.Get().(*stage)
	if !ok {
		var err error
		if s, err = p.newStage(); err != nil {
			return fmt.Errorf("fragment: %w", err)
		}
	}
	s.ctx = ctx
	err := s.set.ExecuteTemplate(w, name, data)
	s.ctx = nil
	p.stages.Put(s) // not deferred: after a panic it may be in disorder
	return err
}

// stage is a set of templates on which one page or fragment is executed at a time: its functions
// belong to that.
type stage struct {
	pages *Pages
	set   *template.Template
	ctx   context.Context // of what is executed; functions of templates get none
}

func (p *Pages) newStage() (*stage, error) {
	set, err := p.set.Clone()
	if err != nil {
		return nil, err
	}
	s := &stage{pages: p, set: set}
	set.Funcs(template.FuncMap{"fragment": s.fragment})
	return s, nil
}

// fragment is the function of templates.
func (s *stage) fragment(name string, data, ttl any, more ...any) (template.HTML, error) {
	p := s.pages
	wrong := func(err error) error { return fmt.Errorf("fragment %q: %w", name, err) }
	version, ok := p.versions[name]
	if !ok {
		return "", wrong(errors.New("there is no such template"))
	}
	j := &job{version: version}
	var err error
	if j.ttl, err = durationOf(ttl); err != nil {
		return "", wrong(err)
	}
	key, tags := sortOut(more)
	j.tags = tags
	id, err := identifyBy(name, data, key)
	if err != nil {
		return "", wrong(err)
	}
	j.write = func(ctx context.Context, w io.Writer) error {
		value, err := valueOf(ctx, data)
		if err != nil {
			return err
		}
		return p.Execute(ctx, w, name, value)
	}
	markup, err := p.cache.get(s.ctx, id, j)
	return template.HTML(markup), err
}

// identifyBy makes an identity of a key, or of the data where there is none.
func identifyBy(name string, data any, key []any) (identity, error) {
	if len(key) > 0 || data == nil {
		return identify(name, key)
	}
	id, err := identify(name, []any{data})
	if err != nil {
		err = fmt.Errorf("there is no key after the time, so the data is the key, and: %w", err)
	}
	return id, err
}

// sortOut tells the parts of a key from tags.
func sortOut(more []any) (key []any, tags []string) {
	for _, one := range more {
		if tag, ok := one.(Tag); ok {
			tags = append(tags, string(tag))
		} else {
			key = append(key, one)
		}
	}
	return key, tags
}

// durationOf returns the time that a template gives.
func durationOf(ttl any) (time.Duration, error) {
	switch t := ttl.(type) {
	case time.Duration:
		return t, nil
	case string:
		if t == "forever" {
			return forever, nil
		}
		return time.ParseDuration(t)
	}
	return 0, fmt.Errorf(`the time is a %T: it comes after the data and looks like "5m"`, ttl)
}
