package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// pinned says in the environment that this process is on its core already.
const pinned = "USHER_BENCH_PINNED"

// cores are the first two that this process may use: for the balancer, and for the
// nodes and the load. On one core alone they are the same.
func cores() (balancer, load int, err error) {
	if fixed := os.Getenv(pinned); fixed != "" {
		_, err := fmt.Sscan(fixed, &balancer, &load)
		return balancer, load, err
	}
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return 0, 0, fmt.Errorf("ask for the cores: %w", err)
	}
	var all []int
	for i := range 1024 {
		if set.IsSet(i) {
			all = append(all, i)
		}
	}
	return all[0], all[min(1, len(all)-1)], nil
}

// pin starts this program anew on the core of the load: only a thread can be
// pinned, and a new program has all of its threads from this one.
func pin(balancer, load int) error {
	if os.Getenv(pinned) != "" {
		return nil
	}
	runtime.LockOSThread()
	if err := onCore(load); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	env := append(slices.Clone(os.Environ()), fmt.Sprintf("%s=%d %d", pinned, balancer, load))
	return syscall.Exec(self, os.Args, env) //nolint:gosec // this very program
}

// startOn starts a program on a core.
func startOn(core, back int, cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := onCore(core); err != nil {
		return err
	}
	err := cmd.Start()
	if e := onCore(back); err == nil {
		err = e
	}
	return err
}

func onCore(core int) error {
	var set unix.CPUSet
	set.Set(core)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("use core %d: %w", core, err)
	}
	return nil
}
