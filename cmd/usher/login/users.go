package login

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Bounds of the users file. Whoever has more people uses an OpenID provider.
const (
	largestFile = 1 << 20 // bytes
	mostEntries = 1000    // of each kind
)

// nameShape is what users and tokens are called: a line of the log, a URL and a
// shell take it without quotes.
var nameShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`)

// entries are what the users file says.
type entries struct {
	Users  []person `yaml:"users,omitempty"`
	Tokens []bearer `yaml:"tokens,omitempty"`
}

// person is somebody with a password.
type person struct {
	Name     string `yaml:"name"`
	Role     string `yaml:"role"`
	Password string `yaml:"password"` // argon2id, as a PHC string

	role Role
	hash hash
}

// bearer is a program with a token. 256 random bits need no slow hash.
type bearer struct {
	Name    string    `yaml:"name"`
	Role    string    `yaml:"role"`
	SHA256  string    `yaml:"sha256"` // of the token, in hexadecimal digits
	Expires time.Time `yaml:"expires,omitempty"`

	role Role
	sum  [sha256.Size]byte
}

// parse reads a users file: strictly, and with all that is wrong at once.
func parse(text []byte) (entries, error) {
	var e entries
	if len(text) > largestFile {
		return e, fmt.Errorf("larger than %d bytes", largestFile)
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&e); err != nil && !errors.Is(err, io.EOF) {
		return entries{}, oneLine(err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return entries{}, errors.New("there is a second document in it")
	}
	if err := e.check(); err != nil {
		return entries{}, err
	}
	return e, nil
}

// long is what may be a hash in the library's words.
var long = regexp.MustCompile(`\S{24,}`)

// oneLine keeps the library's list of faults in one line, and hashes out of it.
func oneLine(err error) error {
	return errors.New(long.ReplaceAllString(strings.Join(strings.Fields(err.Error()), " "), "…"))
}

func (e *entries) check() error {
	var faults []error
	if len(e.Users) > mostEntries || len(e.Tokens) > mostEntries {
		return fmt.Errorf("more than %d users or tokens: an OpenID provider (--oidc) knows more people", mostEntries)
	}
	seen := map[string]bool{}
	for i := range e.Users {
		p := &e.Users[i]
		faults = append(faults, named(fmt.Sprintf("users[%d]", i), "user", p.Name, seen), p.read())
	}
	for i := range e.Tokens {
		t := &e.Tokens[i]
		faults = append(faults, named(fmt.Sprintf("tokens[%d]", i), "token", t.Name, seen), t.read())
	}
	return errors.Join(faults...)
}

func named(at, kind, name string, seen map[string]bool) error {
	key := kind + " " + name
	if !nameShape.MatchString(name) {
		return fmt.Errorf("%s: %q is not a name: up to 64 letters, digits, and . _ @ - within", at, name)
	}
	if seen[key] {
		return fmt.Errorf("%s: there are two with the name %s", at, name)
	}
	seen[key] = true
	return nil
}

func (p *person) read() (err error) {
	if p.role, err = ParseRole(p.Role); err != nil {
		return fmt.Errorf("user %q: %w", p.Name, err)
	}
	if p.hash, err = parseHash(p.Password); err != nil {
		return fmt.Errorf("user %q: %w", p.Name, err)
	}
	return nil
}

func (b *bearer) read() (err error) {
	if b.role, err = ParseRole(b.Role); err != nil {
		return fmt.Errorf("token %q: %w", b.Name, err)
	}
	sum, err := hex.DecodeString(b.SHA256)
	if err != nil || len(sum) != len(b.sum) {
		return fmt.Errorf("token %q: sha256 is not %d hexadecimal digits", b.Name, 2*len(b.sum))
	}
	b.sum = [sha256.Size]byte(sum)
	return nil
}

// stamp changes with the password and the role: what was given out under
// another one is void.
func (p person) stamp() [sha256.Size]byte {
	return sha256.Sum256([]byte(p.Role + "\n" + p.Password))
}

func (e entries) user(name string) (person, bool) {
	for _, p := range e.Users {
		if p.Name == name {
			return p, true
		}
	}
	return person{}, false
}
