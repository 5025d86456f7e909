// Reads references from standard input, one a line, and parses each. "stream" also writes what it means.
package main

import (
	"bufio"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"fmt"
	"os"

	"github.com/docker/distribution/reference"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	defer out.Flush()
	if os.Args[1] == "stream" {
		for in.Scan() {
			ref, err := reference.ParseDockerRef(in.Text())
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				continue
			}
			out.WriteString(ref.String())
			out.WriteByte('\n')
		}
		return
	}
	for in.Scan() {
		named, err := reference.ParseNormalizedNamed(in.Text())
		if err == nil {
			reference.TagNameOnly(named)
		}
	}
}
