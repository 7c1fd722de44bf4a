package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tree are a process and all that it has started.
func tree(root int) ([]int, error) {
	parents, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for _, path := range parents {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		// The name in brackets may have any characters.
		fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
		parent, _ := strconv.Atoi(fields[1])
		children[parent] = append(children[parent], pid)
	}
	all := []int{root}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all, nil
}

// spent is the CPU time of processes so far: to the nanosecond by the scheduler's
// account of their threads. Threads that have ended are missing in it; none of the
// balancers ends any under load.
func spent(pids []int) (time.Duration, error) {
	var sum time.Duration
	for _, pid := range pids {
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		if err != nil {
			return 0, err
		}
		for _, path := range tasks {
			data, err := os.ReadFile(path)
			if err != nil {
				continue
			}
			first, _, _ := strings.Cut(string(data), " ")
			n, err := strconv.ParseInt(first, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("%s: %w", path, err)
			}
			sum += time.Duration(n)
		}
	}
	return sum, nil
}

// coreCount is how many cores the machine has; this program uses one of them.
func coreCount() int {
	dirs, _ := filepath.Glob("/sys/devices/system/cpu/cpu[0-9]*") // the pattern is good
	return len(dirs)
}

// core is how a core has spent its time so far, in clock ticks (proc(5), /proc/stat).
type core struct{ busy, stolen, all float64 }

func coreTimes(n int) (core, error) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return core{}, err
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if f[0] != fmt.Sprintf("cpu%d", n) {
			continue
		}
		var t [9]float64 // user nice system idle iowait irq softirq steal
		for i := 1; i < len(t); i++ {
			if t[i], err = strconv.ParseFloat(f[i], 64); err != nil {
				return core{}, err
			}
		}
		c := core{busy: t[1] + t[2] + t[3] + t[6] + t[7], stolen: t[8]}
		c.all = c.busy + c.stolen + t[4] + t[5]
		return c, nil
	}
	return core{}, fmt.Errorf("/proc/stat has no cpu%d", n)
}
