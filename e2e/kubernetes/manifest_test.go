// Package kubernetes holds the manifest in deploy/kubernetes against the types of
// the Kubernetes API. It is a module of its own: usher needs none of these.
package kubernetes

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"
)

// manifest is every object of the file, one of each kind.
type manifest struct {
	config     corev1.ConfigMap
	account    corev1.ServiceAccount
	deployment appsv1.Deployment
	service    corev1.Service
	budget     policyv1.PodDisruptionBudget
}

// read takes no key that the API does not know, as a server's strict validation.
func read(t *testing.T) (m manifest) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "kubernetes", "usher.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[metav1.TypeMeta]any{
		{APIVersion: "v1", Kind: "ConfigMap"}:                  &m.config,
		{APIVersion: "v1", Kind: "ServiceAccount"}:             &m.account,
		{APIVersion: "apps/v1", Kind: "Deployment"}:            &m.deployment,
		{APIVersion: "v1", Kind: "Service"}:                    &m.service,
		{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"}: &m.budget,
	}
	for _, doc := range bytes.Split(text, []byte("\n---\n")) {
		var kind metav1.TypeMeta
		if err := yaml.Unmarshal(doc, &kind); err != nil {
			t.Fatal(err)
		}
		object, ok := kinds[kind]
		if !ok {
			t.Fatalf("%+v is unknown, or there twice", kind)
		}
		delete(kinds, kind)
		if err := yaml.UnmarshalStrict(doc, object); err != nil {
			t.Errorf("%s: %v", kind.Kind, err)
		}
	}
	if len(kinds) > 0 {
		t.Fatalf("missing: %v", kinds)
	}
	return m
}

func (m manifest) pod() corev1.PodSpec          { return m.deployment.Spec.Template.Spec }
func (m manifest) container() corev1.Container  { return m.pod().Containers[0] }
func truly(b *bool) bool                        { return b != nil && *b }
func falsely(b *bool) bool                      { return b != nil && !*b }
func named(p intstr.IntOrString) (string, bool) { return p.StrVal, p.Type == intstr.String }

func TestThePodMayDoNothingThatItNeedNot(t *testing.T) {
	m := read(t)
	pod, c := m.pod().SecurityContext, m.container().SecurityContext
	for what, ok := range map[string]bool{ // what it does otherwise
		"runs as root":               truly(pod.RunAsNonRoot) && *pod.RunAsUser > 0 && *pod.RunAsGroup > 0,
		"has no seccomp profile":     pod.SeccompProfile != nil && pod.SeccompProfile.Type == corev1.SeccompProfileTypeRuntimeDefault,
		"may become more":            falsely(c.AllowPrivilegeEscalation),
		"writes to its root":         truly(c.ReadOnlyRootFilesystem),
		"has capabilities":           len(c.Capabilities.Drop) == 1 && c.Capabilities.Drop[0] == "ALL" && len(c.Capabilities.Add) == 0,
		"has a token":                falsely(m.pod().AutomountServiceAccountToken) && falsely(m.account.AutomountServiceAccountToken),
		"is of another account":      m.pod().ServiceAccountName == m.account.Name,
		"shows its secret to all":    *volume(t, m, "tls").Secret.DefaultMode&0o7 == 0,
		"takes all of the memory":    hasKey(m.container().Resources.Limits, corev1.ResourceMemory),
		"is more than one container": len(m.pod().Containers) == 1 && len(m.pod().InitContainers) == 0,
	} {
		if !ok {
			t.Errorf("the pod %s", what)
		}
	}
}

func hasKey(l corev1.ResourceList, name corev1.ResourceName) bool {
	q, ok := l[name]
	return ok && !q.IsZero()
}

func volume(t *testing.T, m manifest, name string) corev1.Volume {
	t.Helper()
	for _, v := range m.pod().Volumes {
		if v.Name == name {
			return v
		}
	}
	t.Fatalf("there is no volume %s", name)
	return corev1.Volume{}
}

func TestWhatRefersToSomethingFindsIt(t *testing.T) {
	m := read(t)
	ports := map[string]bool{}
	for _, p := range m.container().Ports {
		ports[p.Name] = true
	}
	var wanted []intstr.IntOrString
	for _, p := range m.service.Spec.Ports {
		wanted = append(wanted, p.TargetPort)
	}
	for _, p := range []*corev1.Probe{m.container().StartupProbe, m.container().ReadinessProbe} {
		wanted = append(wanted, p.HTTPGet.Port)
	}
	for _, p := range wanted {
		if name, ok := named(p); !ok || !ports[name] {
			t.Errorf("there is no port %s", p.String())
		}
	}
	for _, mount := range m.container().VolumeMounts {
		volume(t, m, mount.Name)
		if mount.SubPath != "" {
			t.Errorf("%s would not follow a change", mount.MountPath)
		}
	}
	if name := volume(t, m, "config").ConfigMap.Name; name != m.config.Name || m.config.Data["cluster.yaml"] == "" {
		t.Errorf("there is no cluster.yaml in a ConfigMap %s", name)
	}
}

func TestEverySelectorFindsThePods(t *testing.T) {
	m := read(t)
	labels := m.deployment.Spec.Template.Labels
	for what, selector := range map[string]map[string]string{
		"deployment": m.deployment.Spec.Selector.MatchLabels, "service": m.service.Spec.Selector,
		"budget": m.budget.Spec.Selector.MatchLabels, "spread": m.pod().TopologySpreadConstraints[0].LabelSelector.MatchLabels,
	} {
		if len(selector) == 0 {
			t.Errorf("the %s selects everything", what)
		}
		for key, value := range selector {
			if labels[key] != value {
				t.Errorf("the %s selects %s=%s, and the pods have %q", what, key, value, labels[key])
			}
		}
	}
}
