package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// contestant is a balancer that may be measured.
type contestant struct {
	Name    string
	what    string
	program string // a path, or a name to look for
	file    string // in the folder config
	args    func(file string, s setting) ([]string, error)
	version []string
}

// The one that all others are compared with.
const lean = "envoy-lean"

// contestants are all that there are; usher and Envoy are the paths of the programs.
func contestants(usher, envoy string) []contestant {
	run := func(file string, _ setting) ([]string, error) {
		ports, err := freePorts(2)
		if err != nil {
			return nil, err
		}
		return []string{"run", "--config", file, "--envoy", envoy, "--log-level", "warn",
			"--console", fmt.Sprintf("127.0.0.1:%d", ports[0]), "--xds", fmt.Sprintf("127.0.0.1:%d", ports[1])}, nil
	}
	return []contestant{
		{lean, "Envoy, configured by hand for this work alone", envoy, "envoy.yaml", func(file string, _ setting) ([]string, error) {
			return []string{"-c", file, "--disable-hot-restart", "--log-level", "error"}, nil
		}, []string{"--version"}},
		{"usher", "usher run, all by default", usher, "cluster.yaml", run, []string{"version"}},
		{"usher-lean", "usher run, what costs switched off", usher, "cluster-lean.yaml", run, []string{"version"}},
		{"httpd", "httpd, the old guide's file", "apache2", "httpd.conf", func(file string, s setting) ([]string, error) {
			return []string{"-d", s.Dir, "-f", file, "-DFOREGROUND"}, nil
		}, []string{"-v"}},
		{"haproxy", "HAProxy, one thread", "haproxy", "haproxy.cfg", func(file string, _ setting) ([]string, error) {
			return []string{"-f", file, "-db", "-q"}, nil
		}, []string{"-v"}},
		{"nginx", "nginx, one worker", "nginx", "nginx.conf", func(file string, s setting) ([]string, error) {
			return []string{"-c", file, "-p", s.Dir, "-e", "stderr"}, nil
		}, []string{"-v"}},
	}
}

// find looks for the program, also where Debian keeps those of the system.
func (c contestant) find() (string, error) {
	if filepath.IsAbs(c.program) {
		_, err := os.Stat(c.program)
		return c.program, err
	}
	if path, err := exec.LookPath(c.program); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/" + c.program)
}

// running is a contestant that serves.
type running struct {
	contestant
	setting
	Version string
	cmd     *exec.Cmd
	said    *bytes.Buffer
	ended   chan struct{}
}

// start waits until it listens.
func (c contestant) start(dir string, nodes []node, balancer, load int) (*running, error) {
	program, err := c.find()
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	s := setting{dir, ports[0], ports[1], nodes, httpdModules()}
	file, err := s.write(c.file)
	if err != nil {
		return nil, err
	}
	args, err := c.args(file, s)
	if err != nil {
		return nil, err
	}
	r := &running{contestant: c, setting: s, Version: versionOf(program, c.version), cmd: exec.Command(program, args...), said: &bytes.Buffer{}, ended: make(chan struct{})} //nolint:gosec // one of the above
	r.cmd.Stdout, r.cmd.Stderr = r.said, r.said
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := startOn(balancer, load, r.cmd); err != nil {
		return nil, err
	}
	go func() { _ = r.cmd.Wait(); close(r.ended) }()
	if err := r.serves(); err != nil {
		r.stop()
		return nil, fmt.Errorf("%s: %w\n%s", c.Name, err, r.said)
	}
	return r, nil
}

func (r *running) serves() error {
	for began := time.Now(); time.Since(began) < patience; time.Sleep(50 * time.Millisecond) {
		select {
		case <-r.ended:
			return errors.New("it has ended")
		default:
		}
		c, err := dialH1(r.ECDSA, smallPath, smallBody, sessionOf(0, r.Nodes))
		if err != nil {
			continue
		}
		err = c.get()
		c.close()
		if err == nil {
			return nil
		}
	}
	return errors.New("it does not serve")
}

// stop ends it, gently first.
func (r *running) stop() {
	all, _ := tree(r.cmd.Process.Pid)
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-r.ended:
	case <-time.After(patience):
	}
	for _, pid := range all {
		_ = syscall.Kill(pid, syscall.SIGKILL) // whatever is left
	}
	<-r.ended
}

func versionOf(program string, args []string) string {
	out, _ := exec.Command(program, args...).CombinedOutput() //nolint:gosec // the same
	first, _, _ := bytes.Cut(bytes.TrimSpace(out), []byte("\n"))
	return string(bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(first), []byte(program))))
}

// httpdModules are what the guide's file needs and what is not built in.
func httpdModules() (all []string) {
	for _, m := range []string{"mpm_event", "authz_core", "ssl", "http2", "socache_shmcb", "proxy", "proxy_http", "proxy_balancer", "slotmem_shm", "lbmethod_byrequests"} {
		if _, err := os.Stat("/usr/lib/apache2/modules/mod_" + m + ".so"); err == nil {
			all = append(all, m)
		}
	}
	return all
}

func (r *running) port(kind string) int {
	if kind == kindRSA {
		return r.RSA
	}
	return r.ECDSA
}

func (r *running) String() string { return r.Name + " (pid " + strconv.Itoa(r.cmd.Process.Pid) + ")" }
