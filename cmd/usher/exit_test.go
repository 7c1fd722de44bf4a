package main

import (
	"errors"
	"fmt"
	"testing"

	"usher/envoy"
	"usher/model"
)

func TestEveryErrorHasItsExitCode(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, exitGood},
		{errors.New("something"), exitFaults},
		{errSaid, exitFaults},
		{model.Problems{{What: "bad"}}, exitFaults},
		{usageError{errors.New("bad flag")}, exitUsage},
		{fmt.Errorf("find: %w", envoy.ErrNotFound), exitNoEnvoy},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: exit code %d, want %d", c.err, got, c.want)
		}
	}
}
