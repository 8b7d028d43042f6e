package config_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmill/wasmill/connectors/config"
	"github.com/wasmill/wasmill/engine/fault"
)

type common struct {
	Name string `json:"name"`
}

type sample struct {
	common
	Paths  []string        `json:"paths" config:"main,required"`
	Rate   float64         `json:"rate"`
	Count  int32           `json:"count"`
	Seed   uint64          `json:"seed"`
	Follow bool            `json:"follow"`
	Wait   config.Duration `json:"wait"`
	Size   config.Bytes    `json:"size"`
	Raw    json.RawMessage `json:"raw"`
	Any    any             `json:"any"`
	Number *json.Number    `json:"number"`
	Sub    *sub            `json:"sub"`
	Fields map[string]sub  `json:"fields"`
	Subs   []sub           `json:"subs"`
}

type sub struct {
	Min int64  `json:"min"`
	Key string `json:"key" config:"required"`
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		raw  string
		want sample
	}{
		{`{"paths":["a","b"],"rate":1.5,"count":-3,"seed":18446744073709551615,"follow":true,"wait":"1m30s","size":"1.5 KiB","name":"n"}`,
			sample{common: common{"n"}, Paths: []string{"a", "b"}, Rate: 1.5, Count: -3, Seed: 1<<64 - 1, Follow: true, Wait: config.Duration(90 * time.Second), Size: 1536}},
		{`{"paths":"a","rate":7,"raw":{"x":[1,9007199254740993]},"any":null}`,
			sample{Paths: []string{"a"}, Rate: 7, Raw: json.RawMessage(`{"x":[1,9007199254740993]}`)}},
		{`"a"`, sample{Paths: []string{"a"}}},
		{`["a","b"]`, sample{Paths: []string{"a", "b"}}},
		{`{"paths":[],"sub":{"key":"k"},"fields":{"u":{"min":1,"key":"x"}},"subs":{"key":"one"},"any":"s"}`,
			sample{Paths: []string{}, Sub: &sub{Key: "k"}, Fields: map[string]sub{"u": {1, "x"}}, Subs: []sub{{Key: "one"}}, Any: "s"}},
	} {
		var got sample
		if err := config.Decode(json.RawMessage(c.raw), &got); err != nil {
			t.Errorf("%s: %v", c.raw, err)
			continue
		}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(sample{}, common{})); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.raw, diff)
		}
	}
}

func TestNumbersKeepTheirDigits(t *testing.T) {
	var got sample
	if err := config.Decode(json.RawMessage(`{"paths":"a","number":123456789012345678901.50,"any":[1e400]}`), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{json.Number("1e400")}, got.Any); diff != "" || *got.Number != "123456789012345678901.50" {
		t.Errorf("got %v and %v", *got.Number, got.Any)
	}
}

func TestDecodeKeepsDefaults(t *testing.T) {
	got := sub{Min: 4, Key: "d"}
	if err := config.Decode(json.RawMessage(`{"key":"k"}`), &got); err != nil {
		t.Fatal(err)
	}
	if want := (sub{4, "k"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	var none struct{}
	for _, raw := range []string{"", "null", " ", "{}"} {
		if err := config.Decode(json.RawMessage(raw), &none); err != nil {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestDecodeReportsAll(t *testing.T) {
	for _, c := range []struct{ raw, want string }{
		{`{"pahts":["a"]}`, "`paths` is missing\npahts: unknown field `pahts` (did you mean `paths`?)"},
		{`{"paths":["a",1,null],"rate":"x","count":3000000000,"seed":-1,"follow":1}`,
			"paths[1]: expected a string, got 1\npaths[2]: expected a string, got null\nrate: expected a number, got \"x\"\n" +
				"count: expected an integer of 32 bits, got 3000000000\nseed: expected an integer of 64 bits that is not negative, got -1\n" +
				"follow: expected true or false, got 1"},
		{`{"paths":"a","wait":5,"size":"5 parsecs","sub":[],"fields":{"u":{"mni":1}},"subs":[{"key":{}}]}`,
			"wait: expected a duration such as \"200ms\" or \"1m30s\", got 5\nsize: expected a size such as 4096 or \"64KiB\", got \"5 parsecs\"\n" +
				"sub: expected an object, got a list\nfields.u: `key` is missing\nfields.u.mni: unknown field `mni` (did you mean `min`?)\n" +
				"subs[0].key: expected a string, got an object"},
		{`{"paths":{"a":1}}`, "paths: expected a string, got an object"},
		{`3`, "paths: expected a string, got 3"},
		{`{"paths":"a","count":1.5,"size":-1,"fields":3,"number":"1"}`,
			"count: expected an integer of 32 bits, got 1.5\nsize: expected a size such as 4096 or \"64KiB\", got -1\nnumber: expected a number, got \"1\"\nfields: expected an object, got 3"},
		{`{`, "the configuration is not valid JSON: unexpected EOF"},
		{`{} {}`, "the configuration is not valid JSON: there is text behind the value"},
	} {
		err := config.Decode(json.RawMessage(c.raw), new(sample))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got\n%v\nwant\n%s", c.raw, err, c.want)
		}
		if fault.CodeOf(err) != fault.Usage {
			t.Errorf("%s: code %q", c.raw, fault.CodeOf(err))
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"paths":["a"],"fields":{"u":{"min":1,"key":"x"}}}`))
	f.Add([]byte(`[1,{}]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var s sample
		if err := config.Decode(raw, &s); err != nil && fault.CodeOf(err) != fault.Usage {
			t.Fatal(err)
		}
	})
}
