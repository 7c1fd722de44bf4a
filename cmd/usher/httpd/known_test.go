package httpd

import (
	"os"
	"strings"
	"testing"
)

// The names are those of the manual of httpd 2.4.
func TestEveryDirectiveOfTheManualIsKnown(t *testing.T) {
	names, err := os.ReadFile("testdata/directives.txt")
	if err != nil {
		t.Fatal(err)
	}
	k := parseKnown(knownText)
	for name := range strings.FieldsSeq(string(names)) {
		// What a translation has a use for needs an entry as well: it may stand where
		// nothing has.
		switch i, ok := k.of(strings.ToLower(name)); {
		case !ok:
			t.Errorf("%s is not known", name)
		case i.note == "" || !i.verdict.isOne():
			t.Errorf("%s: %q %q", name, i.verdict, i.note)
		}
	}
}

func (v Verdict) isOne() bool {
	for _, one := range verdicts {
		if v == one {
			return true
		}
	}
	return false
}

func TestEveryParameterOfABalancerIsKnown(t *testing.T) {
	// mod_proxy.xml, set_worker_param and set_balancer_param in mod_proxy.c, and
	// set_worker_hc_param in mod_proxy_hcheck.c.
	for kind, names := range map[string]string{
		"member": `loadfactor route redirect status lbset retry timeout connectiontimeout ping max smax min acquire ttl disablereuse
			enablereuse addressttl keepalive iobuffersize receivebuffersize responsefieldsize flushpackets flushwait upgrade mapping secret
			flusher multipathtcp hcmethod hcinterval hcpasses hcfails hcuri hcexpr hctemplate`,
		"balancer": `lbmethod stickysession stickysessionsep scolonpathdelim nofailover maxattempts timeout failonstatus failontimeout
			forcerecovery growth nonce`,
	} {
		table := map[string]map[string]setter{"member": memberParameters, "balancer": balancerParameters}[kind]
		for name := range strings.FieldsSeq(names) {
			if table[name] == nil {
				t.Errorf("%s parameter %s is not known", kind, name)
			}
		}
		if n := len(strings.Fields(names)); n != len(table) {
			t.Errorf("%d %s parameters, %d are httpd's", len(table), kind, n)
		}
	}
}

func TestEveryFlagOfAMemberIsKnown(t *testing.T) {
	for _, flag := range "DSIHRNEC" {
		if _, ok := statusFlags(string(flag)); !ok {
			t.Errorf("flag %c is not known", flag)
		}
	}
	if _, ok := statusFlags("Z"); ok {
		t.Error("a flag that httpd has not was taken")
	}
}
