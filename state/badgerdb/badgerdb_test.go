package badgerdb

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/statetest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func opener(profile Profile) statetest.Open {
	return func(dir string) (state.Store, error) { return Open(Options{Dir: dir, Profile: profile}) }
}

func TestConformance(t *testing.T) { statetest.Run(t, opener(Small)) }

func TestConformanceOfTheDefaultProfile(t *testing.T) { statetest.Cases(t, opener(Default)) }
