package admit

import "fmt"

// ValueType is the byte that stands for a type of value in the binary format.
//
// It is an alias so that a function type can refer to the module's own bytes, without a copy.
type ValueType = byte

// The types of values of core WebAssembly 2.0.
const (
	I32       ValueType = 0x7f
	I64       ValueType = 0x7e
	F32       ValueType = 0x7d
	F64       ValueType = 0x7c
	V128      ValueType = 0x7b
	FuncRef   ValueType = 0x70
	ExternRef ValueType = 0x6f

	// anyType is what the operand stack of unreachable code yields: it matches every type.
	anyType ValueType = 0
)

func isRef(t ValueType) bool { return t == FuncRef || t == ExternRef }

func isValueType(t ValueType) bool { return t >= V128 && t <= I32 || isRef(t) }

func typeName(t ValueType) string {
	switch t {
	case I32:
		return "i32"
	case I64:
		return "i64"
	case F32:
		return "f32"
	case F64:
		return "f64"
	case V128:
		return "v128"
	case FuncRef:
		return "funcref"
	case ExternRef:
		return "externref"
	case anyType:
		return "any"
	}
	return fmt.Sprintf("type %#x", t)
}

// FuncType is the type of a function. Both slices may refer to a module's bytes and are not to be written to.
type FuncType struct {
	Params, Results []ValueType
}

// String returns the type as "(i32, i64) -> (i32)".
func (t FuncType) String() string { return typeList(t.Params) + " -> " + typeList(t.Results) }

func typeList(ts []ValueType) string {
	const most = 16
	s := "("
	for i, t := range ts {
		if i == most {
			s += ", ..."
			break
		}
		if i > 0 {
			s += ", "
		}
		s += typeName(t)
	}
	return s + ")"
}

func (t FuncType) equal(u FuncType) bool {
	return string(t.Params) == string(u.Params) && string(t.Results) == string(u.Results)
}

// Kind says what an import or export is; the values are those of the binary format.
type Kind byte

// The kinds of imports and exports.
const (
	Func   Kind = 0
	Table  Kind = 1
	Memory Kind = 2
	Global Kind = 3
)

func (k Kind) String() string {
	switch k {
	case Func:
		return "function"
	case Table:
		return "table"
	case Memory:
		return "memory"
	case Global:
		return "global"
	}
	return fmt.Sprintf("kind %d", byte(k))
}
