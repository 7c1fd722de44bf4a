package main

import (
	"bytes"
	"embed"
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed config
var configs embed.FS

// setting is what a balancer's file is made of.
type setting struct {
	Dir        string // of certificates, and of the balancer's own files
	ECDSA, RSA int    // ports
	Nodes      []node
	Modules    []string // of httpd
}

// Listener is what a listener for one kind of certificate needs.
func (s setting) Listener(kind string) map[string]any {
	port := s.ECDSA
	if kind == kindRSA {
		port = s.RSA
	}
	return map[string]any{"Kind": kind, "Port": port, "Dir": s.Dir, "Nodes": s.Nodes}
}

// write makes a balancer's file, in a folder of its own.
func (s setting) write(name string) (string, error) {
	text, err := configs.ReadFile("config/" + name)
	if err != nil {
		return "", err
	}
	t, err := template.New(name).Parse(string(text))
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, s); err != nil {
		return "", err
	}
	dir := filepath.Join(s.Dir, strings.TrimSuffix(name, filepath.Ext(name)))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, out.Bytes(), 0o600)
}

// freePorts are ports on which nobody listens now.
func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		lis, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer lis.Close() //nolint:errcheck // only its number counts
		ports = append(ports, lis.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
