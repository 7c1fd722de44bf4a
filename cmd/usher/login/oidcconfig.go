package login

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// OIDC is the file that names an OpenID provider. File names count from its
// folder.
type OIDC struct {
	Issuer       string        `yaml:"issuer"`             // as the provider's discovery has it
	ClientID     string        `yaml:"client_id"`          // what usher is there
	SecretFile   string        `yaml:"client_secret_file"` // mode 0600; left out for a public client
	Console      string        `yaml:"console"`            // the console's URL as browsers know it; Callback hangs on it
	CA           string        `yaml:"ca"`                 // PEM file of the authorities to trust as the provider; the system's where left out
	Scopes       []string      `yaml:"scopes"`             // beside openid; [profile] where left out
	Name         string        `yaml:"name"`               // the claim with the user's name; preferred_username where left out
	Roles        RoleClaim     `yaml:"role"`               // who may what
	ClockSkew    time.Duration `yaml:"clock_skew"`         // how far the provider's clock may be off, at most 5m; 1m where left out
	ClientSecret string        `yaml:"-"`
}

// RoleClaim says which values of a claim give which role. Whoever has none of
// them is not let in.
type RoleClaim struct {
	Claim    string   `yaml:"claim"` // groups where left out; dots lead into it (realm_access.roles)
	Operator []string `yaml:"operator"`
	Viewer   []string `yaml:"viewer"`
}

// Callback is the path that the provider has to send users back to.
const Callback = "/login/oidc/callback"

const longestSkew = 5 * time.Minute

// LoadOIDC reads the file.
func LoadOIDC(path string) (OIDC, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return OIDC{}, err
	}
	c := OIDC{ClockSkew: time.Minute}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil {
		return OIDC{}, fmt.Errorf("%s: %w", path, oneLine(err))
	}
	if c.Scopes == nil {
		c.Scopes = []string{"profile"}
	}
	c.Name = cmp.Or(c.Name, "preferred_username")
	c.Roles.Claim = cmp.Or(c.Roles.Claim, "groups")
	for _, file := range []*string{&c.CA, &c.SecretFile} {
		if *file != "" && !filepath.IsAbs(*file) {
			*file = filepath.Join(filepath.Dir(path), *file)
		}
	}
	if err := errors.Join(c.check(), c.readSecret()); err != nil {
		return OIDC{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func (c *OIDC) check() error {
	var faults []error
	if c.ClientID == "" {
		faults = append(faults, errors.New("client_id is missing: register usher with the provider"))
	}
	faults = append(faults, private("issuer", c.Issuer), private("console", c.Console))
	if u, err := url.Parse(c.Console); err == nil && strings.Trim(u.Path, "/") != "" {
		faults = append(faults, fmt.Errorf("console: %q has a path, and the console is at /", c.Console))
	}
	if len(c.Roles.Operator)+len(c.Roles.Viewer) == 0 {
		faults = append(faults, errors.New("role: neither operator nor viewer has a value, so that nobody would be let in"))
	}
	if c.ClockSkew < 0 || c.ClockSkew > longestSkew {
		faults = append(faults, fmt.Errorf("clock_skew: %s is not between 0s and %s", c.ClockSkew, longestSkew))
	}
	return errors.Join(faults...)
}

// private demands https, but on this machine.
func private(field, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%s: %q is not a URL such as https://host", field, text)
	}
	ip, _ := netip.ParseAddr(u.Hostname())
	if u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip.IsLoopback()) {
		return nil
	}
	return fmt.Errorf("%s: %q has to begin with https", field, text)
}

func (c *OIDC) readSecret() error {
	if c.SecretFile == "" {
		return nil
	}
	text, _, err := readPrivate(c.SecretFile)
	if err != nil {
		return fmt.Errorf("client_secret_file: %w", err)
	}
	if c.ClientSecret = strings.TrimSpace(string(text)); c.ClientSecret == "" {
		return fmt.Errorf("client_secret_file: %s is empty", c.SecretFile)
	}
	return nil
}
