package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts run this very program as a user does.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"usher": func() { os.Exit(execute(context.Background(), os.Args[1:])) },
	})
}

func TestTheProgramAsAUserTypesIt(t *testing.T) {
	binary, err := filepath.Abs(filepath.Join("..", "..", ".tools", "envoy"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("%v\nrun `make envoy` first", err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("USHER_ENVOY", binary)
			return nil
		},
	})
}
