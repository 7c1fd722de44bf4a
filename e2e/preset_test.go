package e2e

import (
	"net/http"
	"strings"
	"testing"
)

const identityPool = "preset: wso2-is\ntls: {verify: none}"

func TestThePresetOfTheIdentityServerDoesWhatItsAdministratorsWant(t *testing.T) {
	s := newSite(t, 2, file{listener: "preset: wso2-is", pool: identityPool})
	for path, want := range map[string]int{
		"/carbon/": 404, "/carbon;x/admin": 404, "/t/example.org/carbon/": 404, "/services/EntitlementService": 404,
		"/t/example.org/services/X": 404, "/api/health-check/v1.0/health": 404, "/carbonara": 200, "/": 200,
	} {
		if _, resp := s.ask(path, ""); resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
	for _, path := range []string{"/api/identity/entitlement/decision/pdp", "/t/example.org/api/identity/entitlement/decision/pdp"} {
		s.anyOf(path, "JSESSIONID=A.isNode2; ROUTEID=.isNode2", "isNode1", "isNode2")
	}
	s.always("isNode2", "/oauth2/authorize", "JSESSIONID=A.gone; ROUTEID=.isNode2")
	if _, resp := s.ask("/", ""); routeCookie(resp) == nil || routeCookie(resp).SameSite != http.SameSiteNoneMode {
		t.Errorf("cookies %v", resp.Cookies())
	}
	show, _ := s.usherCLI("show", "--preset", "wso2-is")
	if !strings.Contains(show, "/api/identity/entitlement") {
		t.Errorf("show --preset says\n%s", show)
	}
}

func TestWhatAPresetClosesIsOpenToTheAddressesOfTheFile(t *testing.T) {
	s := newSite(t, 2, file{listener: "preset: {name: wso2-is, allow: [127.0.0.0/8]}", pool: identityPool})
	for path, want := range map[string]int{"/carbon/": 302, "/api/health-check/v1.0/health": 200} {
		if _, resp := s.ask(path, ""); resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
	s.change("other addresses", func(f *file) { f.listener = "preset: {name: wso2-is, allow: [192.0.2.0/24]}" })
	if _, resp := s.ask("/carbon/", ""); resp.StatusCode != 403 {
		t.Errorf("from elsewhere: %d", resp.StatusCode)
	}
}

func TestAPresetYieldsToTheFile(t *testing.T) {
	s := newSite(t, 2, file{listener: "preset: wso2-is", pool: identityPool + "\nsticky: {jvm_route: JSESSIONID}", routes: []string{"{path: /carbon, pool: identity}"}})
	if _, resp := s.ask("/carbon/", ""); resp.StatusCode != 302 {
		t.Errorf("a path of the file: %d", resp.StatusCode)
	}
	if _, resp := s.ask("/", ""); routeCookie(resp) != nil {
		t.Error("the preset's cookie is set beside the file's own way")
	}
}
