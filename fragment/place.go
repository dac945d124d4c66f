// place.go refuses fragments that stand where their markup would be something else.

package fragment

import (
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"text/template/parse"
)

// The markup of a fragment is right between the elements of a page, and nowhere else. In most other
// places html/template makes text of it; but not in all: in the srcdoc of an iframe what was
// escaped once is markup again. So each fragment has to be where html/template would let markup
// pass, and its result must go nowhere else: into no variable, no function, no other template.

// checkPlaces returns an error that says where a fragment is out of place. set was not executed.
func checkPlaces(set *template.Template, sources map[string]*source) error {
	between, err := escapersBetween()
	if err != nil {
		return err
	}
	var names []string
	for name := range sources {
		names = append(names, name)
	}
	slices.Sort(names)
	escaped, err := escape(set, names)
	if err == nil {
		return checkAll(escaped, names, sources, between)
	}
	for _, name := range names { // one that cannot be escaped fails when it is executed
		one := []string{name}
		if escaped, err := escape(set, one); err == nil {
			if err := checkAll(escaped, one, sources, between); err != nil {
				return err
			}
		}
	}
	return nil
}

// escape returns a copy of set in which the templates of these names are escaped, as between
// elements. They are called where nothing is executed, for html/template escapes that too.
func escape(set *template.Template, names []string) (*template.Template, error) {
	set, err := set.Clone()
	if err != nil {
		return nil, err
	}
	var calls strings.Builder
	for _, name := range names {
		fmt.Fprintf(&calls, "{{if false}}{{template %q}}{{end}}", name)
	}
	const probe = "\x00fragment"
	if _, err = set.New(probe).Delims("", "").Parse(calls.String()); err != nil {
		return nil, err
	}
	return set, set.ExecuteTemplate(io.Discard, probe, nil)
}

// escapersBetween returns what html/template appends to a pipeline between elements.
func escapersBetween() (string, error) {
	const alone = `{{ define "x" }}{{ fragment "" 0 0 }}{{ end }}`
	set, err := template.New("").Funcs(Funcs()).Parse(alone)
	if err != nil {
		return "", err
	}
	if set, err = escape(set, []string{"x"}); err != nil {
		return "", err
	}
	var escapers string
	inspect(set.Lookup("x").Tree.Root, func(node parse.Node) {
		if p, ok := node.(*parse.PipeNode); ok {
			escapers = textOfCommands(p.Cmds[1:])
		}
	})
	return escapers, nil
}

func textOfCommands(commands []*parse.CommandNode) string {
	var b strings.Builder
	for _, c := range commands {
		b.WriteString(" | " + c.String())
	}
	return b.String()
}

func checkAll(
	escaped *template.Template, names []string, sources map[string]*source, between string,
) error {
	for _, name := range names {
		c := checker{tree: escaped.Lookup(name).Tree, sources: sources, between: between}
		c.calls = sources[name].calls
		inspect(c.tree.Root, c.visit)
		if c.err != nil {
			return c.err
		}
	}
	return nil
}

// checker looks through one template as html/template has escaped it.
type checker struct {
	tree    *parse.Tree
	sources map[string]*source
	between string
	calls   []string   // that are still to come, as they were before
	right   parse.Node // the name of a fragment that is in its place
	err     error
}

// visit looks at one node. Those around it came before.
func (c *checker) visit(node parse.Node) {
	switch n := node.(type) {
	case *parse.ActionNode:
		for i, command := range n.Pipe.Cmds {
			if isFragment(command.Args[0]) && textOfCommands(n.Pipe.Cmds[i+1:]) == c.between {
				c.right = command.Args[0]
			}
		}
	case *parse.IdentifierNode:
		if isFragment(n) && c.right != node {
			c.refuse(node, "fragment")
		}
	case *parse.TemplateNode:
		before := c.calls[0]
		c.calls = c.calls[1:]
		if n.Name != before && c.shows(before) { // it is another one for another place
			c.refuse(node, fmt.Sprintf("the template %q, with a fragment in it,", before))
		}
	}
}

// shows tells whether there is a fragment in a template, or in one that it calls.
func (c *checker) shows(name string) bool {
	return slices.ContainsFunc(reach(c.sources, name), func(name string) bool {
		s := c.sources[name]
		return s.any || len(s.names) > 0
	})
}

func (c *checker) refuse(node parse.Node, what string) {
	if c.err == nil {
		where, _ := c.tree.ErrorContext(node)
		c.err = fmt.Errorf("%s: %s is out of place: it must stand alone between elements, not in "+
			"an attribute, a script, a style, a variable or an argument", where, what)
	}
}
