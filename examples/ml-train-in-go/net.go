// net.go is the model: a neural network with one hidden layer, trained by gradient descent.

package main

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// params are what a model depends on, besides the data and the code.
type params struct {
	Hidden int     // neurons, 1 to maxHidden
	Steps  int     // of training
	Rate   float64 // of learning
	Seed   uint64  // of the first weights
}

const maxHidden = 10_000

// momentum is the share of the last step that goes into the next.
const momentum = 0.9

// net is a model: tanh(x in) out, where x has a 1 behind its inputs.
type net struct{ in, out *mat.Dense }

// train fits a model to the points, or returns the error of ctx.
func train(ctx context.Context, p points, o params) (*net, error) {
	if o.Hidden < 1 || o.Hidden > maxHidden {
		return nil, errors.New("the number of neurons makes no sense")
	}
	r := rand.New(rand.NewPCG(o.Seed, 0))
	n := &net{noise(r, inputs+1, o.Hidden), noise(r, o.Hidden, 1)}
	x, y := p.matrix(), mat.NewDense(len(p.out), 1, p.out)
	stepIn, stepOut := mat.NewDense(inputs+1, o.Hidden, nil), mat.NewDense(o.Hidden, 1, nil)
	for range o.Steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		in, out := n.gradient(x, y)
		descend(n.in, stepIn, in, o.Rate)
		descend(n.out, stepOut, out, o.Rate)
	}
	return n, nil
}

// noise returns a matrix of small random numbers.
func noise(r *rand.Rand, rows, cols int) *mat.Dense {
	m := mat.NewDense(rows, cols, nil)
	size := 1 / math.Sqrt(float64(rows))
	m.Apply(func(_, _ int, _ float64) float64 { return size * r.NormFloat64() }, m)
	return m
}

// matrix returns the inputs with a 1 behind each row.
func (p points) matrix() *mat.Dense {
	x := mat.NewDense(len(p.in), inputs+1, nil)
	for i, row := range p.in {
		x.SetRow(i, append(row[:], 1))
	}
	return x
}

// run returns what comes out for x, and out of the hidden layer.
func (n *net) run(x *mat.Dense) (hidden, out *mat.Dense) {
	hidden, out = &mat.Dense{}, &mat.Dense{}
	hidden.Mul(x, n.in)
	hidden.Apply(func(_, _ int, v float64) float64 { return math.Tanh(v) }, hidden)
	out.Mul(hidden, n.out)
	return hidden, out
}

// gradient returns how the mean squared error grows with the weights.
func (n *net) gradient(x, y *mat.Dense) (in, out *mat.Dense) {
	hidden, miss := n.run(x)
	miss.Sub(miss, y)
	rows, _ := y.Dims()
	miss.Scale(1/float64(rows), miss)
	in, out = &mat.Dense{}, &mat.Dense{}
	out.Mul(hidden.T(), miss)
	var back mat.Dense
	back.Mul(miss, n.out.T())
	back.Apply(func(i, j int, v float64) float64 {
		h := hidden.At(i, j)
		return v * (1 - h*h)
	}, &back)
	in.Mul(x.T(), &back)
	return in, out
}

// descend goes a step down the slope.
func descend(weights, step, slope *mat.Dense, rate float64) {
	step.Scale(momentum, step)
	slope.Scale(rate, slope)
	step.Sub(step, slope)
	weights.Add(weights, step)
}

// miss returns by how much the model misses the points, as the root of the mean square.
func (n *net) miss(p points) float64 {
	_, out := n.run(p.matrix())
	out.Sub(out, mat.NewDense(len(p.out), 1, p.out))
	return mat.Norm(out, 2) / math.Sqrt(float64(len(p.out)))
}

func (n *net) write(w io.Writer) error {
	_, err := n.in.MarshalBinaryTo(w)
	if err == nil {
		_, err = n.out.MarshalBinaryTo(w)
	}
	return err
}

// readNet is the inverse of write.
func readNet(r io.Reader) (*net, error) {
	n := &net{&mat.Dense{}, &mat.Dense{}}
	if _, err := n.in.UnmarshalBinaryFrom(r); err != nil {
		return nil, err
	}
	_, err := n.out.UnmarshalBinaryFrom(r)
	return n, err
}
