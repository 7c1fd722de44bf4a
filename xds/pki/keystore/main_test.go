package keystore_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/xds/pki"
	"usher/xds/pki/keystore"
)

// pass is the passphrase of every file that has but one.
const pass = "changeit"

// needs are the tools that these tests run, and what has them.
var needs = map[string]string{
	"openssl": "install openssl, version 3",
	"keytool": "install a JDK 17, such as openjdk-17-jdk-headless",
	"java":    "install a JDK 17, such as openjdk-17-jdk-headless",
}

// run starts a real tool in a folder and gives its output.
func run(t testing.TB, dir, tool string, args ...string) string {
	t.Helper()
	out, err := try(t, dir, tool, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", tool, strings.Join(args, " "), err, out)
	}
	return out
}

func try(t testing.TB, dir, tool string, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		t.Fatalf("%s is needed: %s", tool, needs[tool])
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// keytool runs it on one store, with the passphrase pass.
func keytool(t testing.TB, dir, store string, args ...string) string {
	t.Helper()
	return run(t, dir, "keytool", append(args, "-keystore", store, "-storepass", pass, "-noprompt")...)
}

func read(t testing.TB, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func authority(t testing.TB, name string) pki.Authority {
	t.Helper()
	return must[pki.Authority](t)(pki.NewAuthority(name, pki.AuthorityLifetime, time.Now()))
}

func entry(alias string, ca pki.Authority) keystore.Entry {
	return keystore.Entry{Alias: alias, Certificate: ca.Certificate}
}

// aliasesOf are the names in a store and their kinds, as keytool lists them.
func aliasesOf(t testing.TB, dir, store string) map[string]string {
	t.Helper()
	kinds := map[string]string{}
	for line := range strings.Lines(keytool(t, dir, store, "-list")) {
		for _, kind := range []string{"PrivateKeyEntry", "SecretKeyEntry", "trustedCertEntry"} {
			if alias, _, found := strings.Cut(line, ", "); found && strings.Contains(line, kind) {
				kinds[alias] = kind
			}
		}
	}
	return kinds
}
