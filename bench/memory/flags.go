// flags.go reads the two kinds of flags that package flag does not have.

package main

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
)

// positive is a whole number of at least 1.
type positive int

func (p *positive) String() string { return strconv.Itoa(int(*p)) }

// Set reads a number; 1_000_000 is one too.
func (p *positive) Set(text string) error {
	n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 32)
	if err != nil || n < 1 {
		return errors.New("give a whole number of at least 1")
	}
	*p = positive(n)
	return nil
}

func positiveVar(set *flag.FlagSet, p *positive, name string, value int, about string) {
	*p = positive(value)
	set.Var(p, name, about)
}

// list is some numbers, separated by commas.
type list []float64

func (l *list) String() string {
	if l == nil {
		return ""
	}
	return strings.ReplaceAll(strings.Trim(fmt.Sprint([]float64(*l)), "[]"), " ", ",")
}

// Set reads the numbers in place of those that are there.
func (l *list) Set(text string) error {
	*l = nil
	for part := range strings.SplitSeq(text, ",") {
		x, err := strconv.ParseFloat(part, 64)
		if err != nil || x < 0 {
			return fmt.Errorf("%q is not a number of at least 0", part)
		}
		*l = append(*l, x)
	}
	return nil
}

// counts returns the numbers as whole ones of at least 1.
func (l list) counts() (n []int) {
	for _, x := range l {
		n = append(n, max(1, int(x)))
	}
	return n
}
