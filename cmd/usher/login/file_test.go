package login

import (
	"bytes"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFaultsOfAUsersFile(t *testing.T) {
	good := newHash("password", cheap).String()
	for text, want := range map[string]string{ //nolint:gosec // G101: none that anybody has
		"": "", "# nothing\n": "", "users:\n": "", "users: []": "",
		"users: [{name: a, role: viewer, password: '" + good + "'}]":                       "",
		"users: [{name: a, role: root, password: '" + good + "'}]":                         `user "a": "root" is not a role`,
		"users: [{name: a, role: viewer}]":                                                 "not a hash of argon2id",
		"users: [{name: a, role: viewer, password: hunter2}]":                              "not a hash of argon2id",
		"users: [{name: a b, role: viewer, password: '" + good + "'}]":                     "is not a name",
		"users: [{name: '', role: viewer, password: '" + good + "'}]":                      "is not a name",
		"users: [{name: a, role: viewer, password: '" + good + "', more: 1}]":              "field more not found",
		"users: [{name: a, role: viewer, role: operator, password: '" + good + "'}]":       "already",
		strings.Repeat("users: [{name: a, role: viewer, password: '"+good+"'}]\n---\n", 2): "second document",
		"user: []": "field user not found",
		"[]":       "cannot",
		"users: [&a {name: a, role: viewer, password: '" + good + "'}, *a]":                                      "two with the name a",
		"tokens: [{name: a, role: viewer, sha256: abc}]":                                                         "64 hexadecimal digits",
		"tokens: [{name: a, role: viewer, sha256: " + strings.Repeat("0", 64) + ", expires: soon}]":              "parsing time",
		"users: [{name: a, role: viewer, password: '" + strings.Replace(good, "m=8192", "m=99999999", 1) + "'}]": "too dear",
		"users: [{name: a, role: viewer, password: '" + strings.Replace(good, "m=8192", "m=8", 1) + "'}]":        "too weak",
		"users: [{name: a, role: viewer, password: '" + strings.Replace(good, "t=1", "t=0", 1) + "'}]":           "too weak",
		"users: [{name: a, role: viewer, password: '" + strings.Replace(good, "p=1", "p=+1", 1) + "'}]":          "version",
		"users: [{name: a, role: viewer, password: '" + strings.Replace(good, "v=19", "v=16", 1) + "'}]":         "version",
		"users: [{name: a, role: viewer, password: '" + strings.Replace(good, "argon2id", "argon2i", 1) + "'}]":  "not a hash of argon2id",
		"# " + strings.Repeat("x", largestFile):                                                                  "larger",
	} {
		_, err := parse([]byte(text))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.120s\n  %v, not %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), good[60:]) {
			t.Errorf("a hash is shown: %v", err)
		}
	}
}

func TestAPasswordMatchesItsHashAlone(t *testing.T) {
	h, err := parseHash(newHash("Pässwort 1", cheap).String())
	if err != nil {
		t.Fatal(err)
	}
	if !h.matches("Pässwort 1") || h.matches("Pässwort 2") || h.matches("") {
		t.Error("it matches what it should not, or not what it should")
	}
	// By the reference implementation: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -e
	theirs := "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if h, err := parseHash(theirs); err != nil || !h.matches("password") {
		t.Error("the reference implementation's hash does not match", err)
	}
}

func TestAFileThatOthersCanReadIsRefused(t *testing.T) {
	h := newHouse(t)
	for _, mode := range []os.FileMode{0o640, 0o604, 0o644, 0o620, 0o666} {
		setMode(t, h.file, mode)
		if _, err := OpenUsers(h.file, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("%v: %v", mode, err)
		}
		if err := Change(h.file, func(*File) error { return nil }); err == nil {
			t.Errorf("%v: changed", mode)
		}
	}
	if _, err := OpenUsers(filepath.Dir(h.file), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a folder is no users file")
	}
}

func TestTheFileIsFollowed(t *testing.T) {
	h := newHouse(t)
	has := func(name string) bool { _, there := h.Users.now().user(name); return there }
	save := func(text string) {
		t.Helper()
		if err := os.WriteFile(h.file, []byte(text), 0o600); err != nil { // in place, as some editors do
			t.Fatal(err)
		}
	}
	save(strings.Replace(usersText(), "alice", "carol", 1))
	if has("alice") || !has("carol") {
		t.Error("a save of the same length in the same moment is not seen")
	}
	save("users: [")
	setMode(t, h.file, 0o600)
	if !has("carol") || !strings.Contains(h.log.String(), "the users stay as they were") {
		t.Error("a broken save takes everybody away, or nobody hears of it")
	}
	lines := strings.Count(h.log.String(), "\n")
	if has("dave"); strings.Count(h.log.String(), "\n") != lines {
		t.Error("it is said again and again")
	}
	save(usersText())
	setMode(t, h.file, 0o644)
	if has("alice") {
		t.Error("a file that others can write may add nobody")
	}
	setMode(t, h.file, 0o600)
	if !has("alice") {
		t.Error("the mode is good again")
	}
	if err := os.Remove(h.file); err != nil {
		t.Fatal(err)
	}
	if has("alice") || h.Users.Any() {
		t.Error("the file is gone, its users are not")
	}
	h.write(usersText())
	if !has("alice") {
		t.Error("the file is back, its users are not")
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(h.file, old, old); err != nil {
		t.Fatal(err)
	}
	if !has("alice") {
		t.Error("an older file is one, too")
	}
}

func TestChangesKeepTheRest(t *testing.T) {
	hash := newHash("password", cheap).String()
	before := `# Who may.
users:
  # The chief.
  - name: alice
    role: operator # for ever
    password: ` + "'" + hash + `'
  - {name: bob, role: viewer, password: "` + hash + `"}
# Programs.
tokens: []
`
	after, err := changed([]byte(before), func(f *File) error {
		if err := f.SetRole("alice", Viewer); err != nil {
			return err
		}
		if err := f.RemoveUser("bob"); err != nil {
			return err
		}
		_, err := f.AddToken("ci", Viewer, time.Date(2027, 1, 2, 3, 4, 5, 6, time.UTC))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(long.ReplaceAllString(strings.ReplaceAll(string(after), hash, "HASH"), "SUM"), "\n")
	want := []string{"# Who may.", "users:", "  # The chief.", "  - name: alice", "    role: viewer # for ever", "    password: 'HASH'",
		"# Programs.", "tokens:", "  - name: ci", "    role: viewer", "    sha256: SUM", "    expires: 2027-01-02T03:04:05Z", ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestChangesThatMakeNoSense(t *testing.T) {
	h := newHouse(t)
	before, err := os.ReadFile(h.file)
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*File) error{
		"there is a user alice already": func(f *File) error { return f.AddUser("alice", Viewer, "long enough") },
		"is not a name":                 func(f *File) error { return f.AddUser("-x", Viewer, "long enough") },
		"8 are the least":               func(f *File) error { return f.AddUser("carol", Viewer, "short") },
		"more than one line":            func(f *File) error { return f.SetPassword("alice", "two\nlines of it") },
		"there is no user carol":        func(f *File) error { return f.SetRole("carol", Viewer) },
		"there is no token carol":       func(f *File) error { return f.RemoveToken("carol") },
		"there is a token old already":  func(f *File) error { _, err := f.AddToken("old", Viewer, time.Time{}); return err },
	} {
		if err := Change(h.file, change); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, not %q", err, want)
		}
	}
	if after, err := os.ReadFile(h.file); err != nil || !bytes.Equal(before, after) {
		t.Error("it was changed", err)
	}
}

func TestChangesSideBySideAreAllKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state", "users.yaml")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if err := Change(file, func(f *File) error { _, err := f.AddToken(fmt.Sprint("t", i), Viewer, time.Time{}); return err }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	_, tokens, err := List(file)
	if err != nil || len(tokens) != 8 {
		t.Errorf("%d of 8 are there: %v", len(tokens), err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != fs.FileMode(0o600) {
		t.Error(info, err)
	}
}

func TestWhatRootWritesBelongsToWhoseFolderItIs(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	dir := t.TempDir()
	if err := os.Chown(dir, 1234, 1235); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "users.yaml")
	for _, owner := range []uint32{1234, 4321} {
		if err := Change(file, func(f *File) error {
			_, err := f.AddToken(fmt.Sprint("for", owner), Viewer, time.Time{})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Sys().(*syscall.Stat_t).Uid; got != owner || info.Mode() != 0o600 {
			t.Errorf("it belongs to %d, not to %d: %v", got, owner, info.Mode())
		}
		if err := os.Chown(file, 4321, 4321); err != nil {
			t.Fatal(err)
		}
	}
}

func TestALinkStaysOne(t *testing.T) {
	h := newHouse(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(h.file, link); err != nil {
		t.Fatal(err)
	}
	if err := Change(link, func(f *File) error { return f.RemoveUser("bob") }); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(link); err != nil || to != h.file {
		t.Error(to, err)
	}
	if _, there := h.users().user("bob"); there {
		t.Error("nothing has changed where it leads")
	}
}

// FuzzUsers holds: no text makes parse panic, and what it takes survives a change
// with all that was in it.
func FuzzUsers(f *testing.F) {
	f.Add([]byte(usersText()))
	f.Add([]byte("users: [&a {name: a, role: viewer, password: x}, *a]\ntokens:\n"))
	f.Add([]byte("# c\n---\nusers: ~\n...\n"))
	f.Add([]byte("tokens: [{name: 1, role: viewer, sha256: " + strings.Repeat("0", 64) + ", expires: 2026-01-01}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		before, err := parse(text)
		if err != nil {
			return
		}
		after, err := changed(text, func(f *File) error { _, err := f.AddToken("the-fuzzer", Operator, time.Time{}); return err })
		if err != nil {
			return // refused: an anchor, a name that is there
		}
		got, err := parse(after)
		if err != nil {
			t.Fatalf("%v:\n%s\nbecame\n%s", err, text, after)
		}
		if len(got.Tokens) != len(before.Tokens)+1 || len(got.Users) != len(before.Users) {
			t.Fatalf("%q became %q", text, after)
		}
		for i, p := range before.Users {
			if got.Users[i].stamp() != p.stamp() || got.Users[i].Name != p.Name {
				t.Fatalf("user %s is another one in %q", p.Name, after)
			}
		}
		for i, b := range before.Tokens {
			if got.Tokens[i].sum != b.sum || got.Tokens[i].Name != b.Name || !got.Tokens[i].Expires.Equal(b.Expires) {
				t.Fatalf("token %s is another one in %q", b.Name, after)
			}
		}
	})
}
