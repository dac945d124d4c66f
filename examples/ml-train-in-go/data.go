// data.go makes the points, and reads them.

package main

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
)

// points are rows of inputs, each with what should come out.
type points struct {
	in  [][inputs]float64
	out []float64
}

// inputs is how many numbers go in.
const inputs = 4

// makeData writes the same points each time, with a little noise. Whoever is killed meanwhile
// leaves nothing at path.
func makeData(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".points-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone if all went well
	r := rand.New(rand.NewPCG(1, 2))
	w := csv.NewWriter(f)
	for range 2000 {
		var x [inputs]float64
		var row []string
		for i := range x {
			x[i] = 2*r.Float64() - 1
			row = append(row, strconv.FormatFloat(x[i], 'f', 6, 64))
		}
		y := math.Sin(3*x[0])*x[1] + x[2]*x[3] + 0.05*r.NormFloat64()
		_ = w.Write(append(row, strconv.FormatFloat(y, 'f', 6, 64))) // Error tells
	}
	w.Flush()
	if err := w.Error(); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func readData(path string) (p points, err error) {
	f, err := os.Open(path)
	if err != nil {
		return p, err
	}
	defer f.Close()
	c := csv.NewReader(f)
	c.FieldsPerRecord = inputs + 1
	rows, err := c.ReadAll()
	if err != nil {
		return p, fmt.Errorf("%s: %w", path, err)
	}
	for i, row := range rows {
		var x [inputs + 1]float64
		for j, text := range row {
			if x[j], err = strconv.ParseFloat(text, 64); err != nil {
				return p, fmt.Errorf("%s: row %d: %w", path, i+1, err)
			}
		}
		p.in, p.out = append(p.in, [inputs]float64(x[:inputs])), append(p.out, x[inputs])
	}
	if len(p.in) == 0 {
		return p, fmt.Errorf("%s: no points", path)
	}
	return p, nil
}
