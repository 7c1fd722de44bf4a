package httpd

import (
	"io/fs"
	"strconv"
	"strings"
)

// isCondition tells whether a section is decided when httpd reads it.
func isCondition(d *directive) bool {
	return d.section && d.is("ifmodule", "ifdefine", "ifversion", "iffile", "ifdirective", "ifsection")
}

// condition decides one, and is the section that its lines belong to: the one
// around it, or itself where it does not hold.
func (r *reading) condition(d *directive) *directive {
	test, not := strings.CutPrefix(d.text, "!")
	if d.is("ifversion") {
		test, not = d.text, false
	}
	test = strings.Trim(test, ` \t"'`)
	holds, because := r.holds(d, test)
	if holds != not {
		d.say(Carried, "")
		return d.parent
	}
	d.idle = &idle{NotNeeded, because}
	return d
}

// holds tells whether a test is true, and in words why the section counts for
// nothing otherwise.
func (r *reading) holds(d *directive, test string) (bool, string) {
	switch d.lower {
	case "ifmodule":
		if r.present(test) {
			return true, "the module counts as loaded"
		}
		return false, "the module is not loaded"
	case "ifdefine":
		_, defined := r.variables[test]
		if defined {
			return true, "it is defined"
		}
		return false, "it is not defined"
	case "ifversion":
		return versionHolds(test), "httpd counts as 2.4"
	case "iffile":
		_, err := fs.Stat(r.fsys, onDisk(r.below(test)))
		if err == nil {
			return true, "the file is there"
		}
		return false, "the file is not on this machine"
	}
	return true, "the directive counts as known" // IfDirective, IfSection
}

// expected are the modules that a balancer's site needs. They count as loaded
// whether a LoadModule was read or not: a site's file may have been given alone.
var expected = []string{
	"access_compat", "alias", "allowmethods", "authn_core", "authz_core", "authz_host", "core", "env", "headers", "hcheck", "http",
	"http2", "lbmethod_bybusyness", "lbmethod_byrequests", "lbmethod_bytraffic", "lbmethod_heartbeat", "log_config", "macro", "md",
	"proxy", "proxy_ajp", "proxy_balancer", "proxy_hcheck", "proxy_http", "proxy_http2", "proxy_wstunnel", "remoteip", "rewrite",
	"setenvif", "slotmem_shm", "so", "socache_shmcb", "ssl", "status", "unixd", "version", "watchdog",
}

// present tells whether a module counts as loaded.
func (r *reading) present(module string) bool {
	name := moduleName(module)
	if r.modules[name] {
		return true
	}
	for _, e := range expected {
		if e == name {
			return true
		}
	}
	return false
}

// moduleName is what mod_ssl.c and ssl_module have in common.
func moduleName(s string) string {
	s = strings.TrimSuffix(strings.ToLower(s), ".c")
	return strings.TrimSuffix(strings.TrimPrefix(s, "mod_"), "_module")
}

// assumed is the version that <IfVersion> is asked about.
var assumed = []int{2, 4, 66}

// versionHolds decides tests such as >= 2.4, or = 2.4.10, in short 2.4.10; regular
// expressions hold where they name 2.4.
func versionHolds(test string) bool {
	operator := strings.TrimRight(test, "0123456789. \t")
	version := strings.TrimSpace(strings.TrimPrefix(test, operator))
	operator, not := strings.CutPrefix(strings.TrimSpace(operator), "!")
	if strings.Contains(test, "/") || strings.Contains(operator, "~") {
		return strings.Contains(strings.ReplaceAll(test, `\`, ""), "2.4") != not
	}
	order := compareVersions(assumed, version)
	result := order == 0
	switch operator {
	case ">":
		result = order > 0
	case ">=":
		result = order >= 0
	case "<":
		result = order < 0
	case "<=":
		result = order <= 0
	}
	return result != not
}

// compareVersions tells whether a version is above, below or the same as one whose
// missing parts are 0.
func compareVersions(have []int, text string) int {
	parts := strings.Split(text, ".")
	for i, h := range have {
		wanted := 0
		if i < len(parts) {
			wanted, _ = strconv.Atoi(parts[i]) // what is no number is 0
		}
		if h != wanted {
			return h - wanted
		}
	}
	return 0
}
