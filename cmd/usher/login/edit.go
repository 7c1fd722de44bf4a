package login

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v4"
)

// File is a users file in the hands of a verb that changes it. Comments, and
// whatever is not changed, stay.
type File struct {
	doc yaml.Node
	entries
}

// headline is the first line of a new file.
const headline = "Who may use usher's console and API. `usher user` and `usher token` write this file; running ushers follow it."

// Change applies a change to a users file, which it makes where there is none. It
// is written in one step, for its owner alone, and only if it is good; two that
// change it at once wait for each other. What a link leads to is changed, and not
// the link.
func Change(path string, change func(*File) error) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	unlock, err := lock(path)
	if err != nil {
		return err
	}
	defer unlock()
	text, _, err := readPrivate(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err = changed(text, change)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return write(path, text)
}

// changed is the text of a users file after a change.
func changed(text []byte, change func(*File) error) ([]byte, error) {
	f := &File{}
	var err error
	if f.entries, err = parse(text); err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal(text, &f.doc); err != nil {
		return nil, err
	}
	if f.doc.Kind == 0 || f.doc.Content[0].Kind != yaml.MappingNode {
		f.doc = yaml.Node{Kind: yaml.DocumentNode, HeadComment: headline, Content: []*yaml.Node{{Kind: yaml.MappingNode}}}
	}
	if err := change(f); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(&f.doc), enc.Close()); err != nil {
		return nil, err
	}
	if _, err := parse(out.Bytes()); err != nil { // an anchor that went with its entry, say
		return nil, fmt.Errorf("the change would spoil the file: %w", err)
	}
	return out.Bytes(), nil
}

// List reads a users file for those who only look: no hash is in it.
func List(path string) (users, tokens []Listed, err error) {
	e, _, err := readUsers(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	for _, p := range e.Users {
		users = append(users, Listed{Name: p.Name, Role: p.role})
	}
	for _, t := range e.Tokens {
		tokens = append(tokens, Listed{Name: t.Name, Role: t.role, Expires: t.Expires})
	}
	return users, tokens, err
}

// Listed is a user, or a token with the time when it expires, if it does.
type Listed struct {
	Name    string
	Role    Role
	Expires time.Time
}

// AddUser adds somebody who is not there yet.
func (f *File) AddUser(name string, role Role, password string) error {
	if _, there := f.user(name); there {
		return fmt.Errorf("there is a user %s already: `usher user passwd %s` and `usher user role %s ROLE` change him", name, name, name)
	}
	if err := errors.Join(named("user", "user", name, map[string]bool{}), checkPassword(password)); err != nil {
		return err
	}
	f.append("users", pairs("name", name, "role", role.String(), "password", newHash(password, usual).String()))
	return nil
}

// SetPassword gives a user another password.
func (f *File) SetPassword(name, password string) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	return f.set("users", name, "password", newHash(password, usual).String())
}

// SetRole gives a user another role.
func (f *File) SetRole(name string, role Role) error {
	return f.set("users", name, "role", role.String())
}

// RemoveUser takes a user away.
func (f *File) RemoveUser(name string) error { return f.remove("users", name) }

// RemoveToken takes a token away.
func (f *File) RemoveToken(name string) error { return f.remove("tokens", name) }

// tokenMark begins every token, so that scanners for secrets know one.
const tokenMark = "usher_"

// AddToken adds a token that is valid until expires, or for ever where that is
// zero, and returns it: the file keeps no more than its hash.
func (f *File) AddToken(name string, role Role, expires time.Time) (token string, err error) {
	for _, t := range f.Tokens {
		if t.Name == name {
			return "", fmt.Errorf("there is a token %s already: `usher token remove %s`, or choose another name", name, name)
		}
	}
	if err := named("token", "token", name, map[string]bool{}); err != nil {
		return "", err
	}
	token = tokenMark + secret()
	sum := sha256.Sum256([]byte(token))
	entry := pairs("name", name, "role", role.String(), "sha256", hex.EncodeToString(sum[:]))
	if !expires.IsZero() {
		at := scalar(expires.UTC().Format(time.RFC3339))
		at.Tag = "!!timestamp"
		entry.Content = append(entry.Content, scalar("expires"), at)
	}
	f.append("tokens", entry)
	return token, nil
}

// secret is 256 random bits that fit into a cookie, a URL and a header.
func secret() string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	return base64.RawURLEncoding.EncodeToString(random)
}
