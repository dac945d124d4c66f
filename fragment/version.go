// version.go tells versions of templates apart by their source.

package fragment

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"html/template"
	"maps"
	"slices"
	"text/template/parse"
)

// source is what a template says, and which others it names.
type source struct {
	text  hash.Hash
	calls []string // by {{ template }}, in their order
	names []string // by {{ fragment }}
	any   bool     // a fragment in it may be any
}

// sourcesOf reads all templates of a set that was not executed yet.
func sourcesOf(set *template.Template) map[string]*source {
	sources := map[string]*source{}
	for _, t := range set.Templates() {
		if t.Tree != nil && t.Tree.Root != nil {
			sources[t.Name()] = read(t.Tree)
		}
	}
	return sources
}

// read reads a template.
func read(tree *parse.Tree) *source {
	s := &source{text: sha256.New()}
	fmt.Fprint(s.text, tree.Root.String())
	inspect(tree.Root, func(node parse.Node) {
		switch n := node.(type) {
		case *parse.TextNode:
			fmt.Fprintf(s.text, "\x00%d", len(n.Text)) // where it ends, which String does not say
		case *parse.TemplateNode:
			s.calls = append(s.calls, n.Name)
		case *parse.CommandNode:
			s.readCommand(n)
		}
	})
	return s
}

// readCommand notes the template that a fragment shows. Where its name is not written out it may be
// any.
func (s *source) readCommand(n *parse.CommandNode) {
	i := slices.IndexFunc(n.Args, isFragment)
	if i < 0 {
		return
	}
	if i+1 < len(n.Args) {
		if name, ok := n.Args[i+1].(*parse.StringNode); ok {
			s.names = append(s.names, name.Text)
			return
		}
	}
	s.any = true
}

// versionsOf returns, for each template, a hash of its source and of all that it leads to.
func versionsOf(sources map[string]*source) map[string]string {
	versions := map[string]string{}
	for name := range sources {
		sum := sha256.New()
		for _, reached := range reach(sources, name) {
			fmt.Fprintf(sum, "%q %x\n", reached, sources[reached].text.Sum(nil))
		}
		versions[name] = fmt.Sprintf("%x", sum.Sum(nil)[:6])
	}
	return versions
}

// reach returns the names of all templates that one leads to, itself included, sorted.
func reach(sources map[string]*source, name string) []string {
	seen := map[string]bool{}
	for todo := []string{name}; len(todo) > 0; {
		last := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		s := sources[last]
		if seen[last] || s == nil {
			continue
		}
		if s.any {
			return slices.Sorted(maps.Keys(sources))
		}
		seen[last] = true
		todo = append(append(todo, s.calls...), s.names...)
	}
	return slices.Sorted(maps.Keys(seen))
}
