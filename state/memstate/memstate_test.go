package memstate_test

import (
	"testing"

	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/memstate"
	"github.com/wasmill/wasmill/state/statetest"
)

func TestConformance(t *testing.T) {
	stores := map[string]*memstate.Store{}
	statetest.Run(t, func(dir string) (state.Store, error) {
		if s, ok := stores[dir]; ok {
			stores[dir] = s.Reopen()
		} else {
			stores[dir] = memstate.New()
		}
		return stores[dir], nil
	})
}
