// addresses.go reads the addresses to fetch, from the command line and from stdin.

package main

import (
	"bufio"
	"io"
	"iter"
	"slices"
	"strings"
)

const (
	// maxLine is how many bytes of a line of stdin are read: far more than an address may have.
	maxLine = 64 << 10
	// byteOrderMark begins files that editors on Windows wrote, also where one follows another.
	byteOrderMark = "\ufeff"
)

// addresses yields urls, and for - the addresses that in holds.
func addresses(urls []string, in io.Reader, failed *error) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, url := range urls {
			source := slices.Values([]string{url})
			if url == "-" {
				source = lines(in, failed)
			}
			for address := range source {
				if !yield(address) {
					return
				}
			}
		}
	}
}

// lines yields the lines of in that are neither empty nor begin with #, without the space around
// them. Of a longer one it yields the first maxLine bytes, which are refused as an address.
func lines(in io.Reader, failed *error) iter.Seq[string] {
	return func(yield func(string) bool) {
		r := bufio.NewReaderSize(in, maxLine)
		line, err := readLine(r)
		for ; err == nil; line, err = readLine(r) {
			line = strings.TrimSpace(strings.TrimPrefix(line, byteOrderMark))
			if line != "" && line[0] != '#' && !yield(line) {
				return
			}
		}
		if err != io.EOF {
			*failed = err
		}
	}
}

// readLine returns the next line, or as much of it as r can hold.
func readLine(r *bufio.Reader) (string, error) {
	piece, more, err := r.ReadLine()
	line := string(piece)
	for more && err == nil {
		_, more, err = r.ReadLine()
	}
	if line != "" {
		return line, nil // an error that cut it short comes again
	}
	return "", err
}
