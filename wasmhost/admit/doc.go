// Package admit stands between foreign WebAssembly and wazero: [Instrument] validates a module by the specification
// and by the caps of a [Policy], and rewrites it so that it pays fuel for what it does. Nothing that has not come
// through here may be handed to wazero, whose compiler and runtime bound neither memory nor time.
//
// # What is admitted
//
// Core WebAssembly 2.0 (https://www.w3.org/TR/wasm-core-2/): several values, sign extension, saturating conversions,
// bulk memory, reference types, 128-bit SIMD, mutable globals. Refused are table.grow, threads, exceptions, tail
// calls, 64-bit and several memories, garbage collection, extended constant expressions, a start function unless the
// policy allows it, imports that the policy does not list, and whatever exceeds a cap. Every refusal is a
// *fault.Fault of code admission whose Cause is a [Refusal] with the offset, the function, the cap and the value.
//
// # What the rewriter adds
//
// An import [ImportModule].[ImportName] of type (i64) -> i64, as the last imported function, so that indices of own
// functions move up by one; a mutable i64 global, exported as [FuelGlobal]; and helper functions after the module's
// own. Validation comes first and knows nothing of them, so that no index of the module's can name them. Exports keep
// their names, functions theirs in traces; other custom sections are left out.
//
// Under [Policy.LazyTables] a module's only table starts empty, and each call_indirect first asks a helper for an element that is null. What a
// program can see of it is the same, and so is its fuel.
//
// # The rule, version 1
//
// Fuel is paid before what it pays for.
//
//  1. A function pays at its entry 1 plus the weight of the longest path through its code that takes no back edge.
//  2. A branch back to a loop's header pays 1 plus the weight of the longest path from the header to such a branch.
//     A br_table with a loop among its targets pays for the dearest whatever it takes, and so does a conditional
//     branch to a loop with parameters.
//  3. Weights: nop, block, loop, else and end 0, call 2, call_indirect 4, division, remainder and square root 8,
//     bulk operations 8, memory.grow and ref.func 32, all else 1.
//  4. A function whose path weighs at most 1,000, that calls nothing but functions like it, and that no host, table or
//     reference can reach, pays nothing at its entry: a call of it weighs 1 plus its path. In a function where that
//     makes a path of more than 250,000, it weighs 2, and 1 plus its path are paid before each call of it.
//  5. memory.fill, memory.copy and memory.init also pay a unit for 32 bytes, table.fill, table.copy and table.init
//     one for 4 elements: as part of the path if the instruction before is a constant of at most 4 KiB, else just
//     before they are done, for at most 1 MiB. What is longer is checked against its bounds as a whole, so that it
//     traps before it writes or pays, and is done by the MiB, each paid before, with a call of the host.
//  6. memory.grow pays 2,048 units for each page it got.
//
// At any point, a trap included, what was paid covers what was executed. The rule does not cover time that the weights cannot see: a cache miss, the first touch of a
// page, and time spent in host functions, which the host charges itself.
//
// # How a host uses it
//
//	out, info, err := admit.Instrument(wasm, policy)     // then compile and cache out, under its digest and info.Rule
//	host module "wasmill_fuel": out_of_fuel(left i64) i64
//	global := instance.ExportedGlobal(admit.FuelGlobal)
//	global.Set(meter.Start(budget))                      // before each call into the guest
//	results, err := fn.Call(ctx, args...)
//	spent := meter.Stop(int64(global.Get()))             // after it
//
// out_of_fuel is called when the fuel has fallen below 0, and with fuel left before each MiB of a long bulk operation.
// left is the fuel, which it replaces by what it returns: at least 0, or it panics to end the call, after which the
// guest is discarded. [Meter.Refill] has the arithmetic. There the host looks at the clock and at its budgets, and as
// the call leaves compiled code, Go's scheduler and garbage collector get in. A slice of 1,000,000 ([DefaultSlice])
// takes 0.3 to 5 ms in ordinary code; when a deadline is near or the last slice took long, grant less.
//
// A fresh instance has no fuel, so that even its first instruction asks the host. Fuel is exact: the same module, rule
// version, input and host results cost the same in every run, whatever the slices were.
package admit
