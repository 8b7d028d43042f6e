// A guest whose registration is refused.
package main

import wasmill "github.com/wasmill/wasmill/sdk/go"

func init() {
	wasmill.Map("f", func(in struct{ C chan int }) (struct{ N int64 }, error) { return struct{ N int64 }{}, nil })
}

func main() {}
