// main.go trains a small model: it stands for the slow program of yours.

// Command ml-train fits a line to the points of a CSV file by gradient descent and writes the
// model to a file, as JSON. Run it through larder, as train.sh does, and it trains once for each
// content of its data and of its own code. It could be in any language.
package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
)

// model predicts y as Slope*x + Intercept.
type model struct {
	Slope     float64 `json:"slope"`
	Intercept float64 `json:"intercept"`
	Steps     int     `json:"steps"`
}

type point struct{ x, y float64 }

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: ml-train DATA.csv MODEL.json")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "ml-train:", err)
		os.Exit(1)
	}
}

func run(data, path string) error {
	points, err := read(data)
	if err != nil {
		return err
	}
	fmt.Println("training on", len(points), "points")
	m := train(points)
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	fmt.Printf("y = %.3f x + %.3f\n", m.Slope, m.Intercept)
	return os.WriteFile(path, append(b, '\n'), 0o666)
}

func read(path string) ([]point, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, err
	}
	var points []point
	for _, row := range rows {
		p, err := parse(row)
		if err != nil {
			return nil, err
		}
		points = append(points, p)
	}
	return points, nil
}

func parse(row []string) (point, error) {
	if len(row) != 2 {
		return point{}, fmt.Errorf("row %q: want x,y", row)
	}
	x, err := strconv.ParseFloat(row[0], 64)
	if err != nil {
		return point{}, err
	}
	y, err := strconv.ParseFloat(row[1], 64)
	return point{x, y}, err
}

// train walks down the gradient of the mean squared error. A real one takes hours.
func train(points []point) model {
	const steps, rate = 20_000, 0.01
	m := model{Steps: steps}
	for range steps {
		var slope, intercept float64
		for _, p := range points {
			miss := m.Slope*p.x + m.Intercept - p.y
			slope += miss * p.x / float64(len(points))
			intercept += miss / float64(len(points))
		}
		m.Slope -= rate * slope
		m.Intercept -= rate * intercept
	}
	return m
}
