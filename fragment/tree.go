// tree.go walks through the source of a template.

package fragment

import "text/template/parse"

// inspect calls visit for node and all nodes in it, in the order of the source.
func inspect(node parse.Node, visit func(parse.Node)) {
	if node == nil {
		return
	}
	visit(node)
	switch n := node.(type) {
	case *parse.ListNode:
		inspectAll(n.Nodes, visit)
	case *parse.ActionNode:
		inspect(n.Pipe, visit)
	case *parse.IfNode:
		inspectBranch(&n.BranchNode, visit)
	case *parse.RangeNode:
		inspectBranch(&n.BranchNode, visit)
	case *parse.WithNode:
		inspectBranch(&n.BranchNode, visit)
	case *parse.TemplateNode:
		if n.Pipe != nil {
			inspect(n.Pipe, visit)
		}
	case *parse.PipeNode:
		inspectAll(n.Cmds, visit)
	case *parse.CommandNode:
		inspectAll(n.Args, visit)
	case *parse.ChainNode:
		inspect(n.Node, visit)
	}
}

func inspectAll[N parse.Node](nodes []N, visit func(parse.Node)) {
	for _, n := range nodes {
		inspect(n, visit)
	}
}

func inspectBranch(n *parse.BranchNode, visit func(parse.Node)) {
	inspect(n.Pipe, visit)
	inspect(n.List, visit)
	if n.ElseList != nil {
		inspect(n.ElseList, visit)
	}
}

// isFragment tells whether a node is the name of the function.
func isFragment(node parse.Node) bool {
	f, ok := node.(*parse.IdentifierNode)
	return ok && f.Ident == "fragment"
}
