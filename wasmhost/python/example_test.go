package python_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/wasmhost/python"
)

// The file testdata/prices.py has the functions with_tax(net: float) -> float and describe(event).
func ExampleLoadFile() {
	ctx := context.Background()
	file, err := python.LoadFile(ctx, "testdata/prices.py")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close(ctx)

	gross, err := file.Call(ctx, "with_tax", 100.0)
	fmt.Println(gross, err)

	event, err := file.Call(ctx, "describe", map[string]any{"name": "tea", "net": 4})
	fmt.Println(event, err)

	_, err = file.Call(ctx, "describe", map[string]any{"net": -1})
	fmt.Println(err)
	traceback, _, _ := strings.Cut(fault.From(err).Detail, "\nrow: ")
	fmt.Println(traceback)

	// Output:
	// 125 <nil>
	// map[gross:5 name:tea net:4] <nil>
	// function describe: ValueError: a price below zero (prices.py, line 12, in describe)
	// Traceback (most recent call last):
	//   File "prices.py", line 12, in describe
	//     raise ValueError("a price below zero")
	// ValueError: a price below zero
}
