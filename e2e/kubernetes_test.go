package e2e

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"usher/xds/pki"
)

// object is what the test looks at of an object in the Kubernetes manifest.
type object struct {
	Kind string
	Data map[string]string
	Spec struct {
		Template struct {
			Spec struct {
				Containers []struct {
					Args          []string
					LivenessProbe struct {
						Exec struct{ Command []string }
					} `yaml:"livenessProbe"`
					ReadinessProbe struct {
						HTTPGet struct{ Path string } `yaml:"httpGet"`
					} `yaml:"readinessProbe"`
				}
			}
		}
	}
}

// objects reads the manifest as if a pod's folders were in dir.
func objects(t *testing.T, dir string, port, second int) map[string]object {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "deploy", "kubernetes", "usher.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	moved := strings.NewReplacer("/etc/usher-tls", dir, "/etc/usher", dir, "/state", dir,
		"0.0.0.0:8443", fmt.Sprintf("127.0.0.1:%d", port), "0.0.0.0:8080", fmt.Sprintf("127.0.0.1:%d", second)).Replace(string(text))
	all, docs := map[string]object{}, yaml.NewDecoder(bytes.NewReader([]byte(moved)))
	for {
		var o object
		if err := docs.Decode(&o); err != nil {
			return all // a document that can't be read is missed below
		}
		all[o.Kind] = o
	}
}

func TestWhatThePodRunsIsReadyAndAlive(t *testing.T) {
	s := newIdleSite(t, 0, file{})
	second := freePort(t)
	all := objects(t, s.dir, s.port, second)
	if len(all) != 5 {
		t.Fatalf("%d kinds of objects", len(all))
	}
	pod := all["Deployment"].Spec.Template.Spec.Containers[0]
	ca, _ := theirAuthority(t)
	pair, err := ca.Issue(pki.Request{Hosts: []string{"localhost"}, Lifetime: day}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"tls.crt": pair.Chain, "tls.key": pair.Key} {
		if err := os.WriteFile(filepath.Join(s.dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.save(all["ConfigMap"].Data["cluster.yaml"])
	t.Setenv("USHER_ENVOY", envoyPath())
	s.usher = start(t, filepath.Join(bin, "usher"), append(pod.Args, "--xds", fmt.Sprintf("127.0.0.1:%d", s.xds), "--console", fmt.Sprintf("127.0.0.1:%d", s.console))...)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.PEM)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	until(t, patience, "the pod to be ready", func() bool {
		resp, err := client.Get(s.url(pod.ReadinessProbe.HTTPGet.Path))
		return err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	})
	if out, code := s.usherCLI(pod.LivenessProbe.Exec.Command[1:]...); code != 0 {
		t.Errorf("the liveness probe exits with %d: %s", code, out)
	}
	everyLineIsJSON(t, s.usher.output())
}
