package keystore_test

import (
	"crypto"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/xds/pki"
	"usher/xds/pki/keystore"
)

// serverFiles is a folder with a chain as openssl makes it: ca.pem, ca.key,
// server.pem, server.key, and chain.pem (the leaf, then its issuer).
func serverFiles(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	run(t, dir, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=old CA", "-days", "30")
	issue(t, dir, "server", "rsa:2048", "30")
	write(t, dir, "chain.pem", append(read(t, dir, "server.pem"), read(t, dir, "ca.pem")...))
	return dir
}

// issue makes NAME.key and NAME.pem.
func issue(t testing.TB, dir, name, key, days string) {
	t.Helper()
	run(t, dir, "openssl", "req", "-newkey", key, "-nodes", "-keyout", name+".key", "-out", name+".csr", "-subj", "/CN="+name+".example")
	run(t, dir, "openssl", "x509", "-req", "-in", name+".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", days, "-out", name+".pem")
}

// TestReadEncryptedKeys: every encryption that an openssl of the last twenty
// years writes keys in gives the same key, asks for a passphrase where there
// is none, and names a wrong one.
func TestReadEncryptedKeys(t *testing.T) {
	dir := serverFiles(t)
	want := must[crypto.Signer](t)(keystore.DecryptKey(read(t, dir, "server.key"), nil))
	out := []string{"-in", "server.key", "-passout", "pass:" + pass, "-out", "encrypted"}
	for name, args := range map[string][]string{
		"traditional_3des":   {"rsa", "-traditional", "-des3"},
		"traditional_des":    {"rsa", "-traditional", "-des", "-provider", "legacy", "-provider", "default"},
		"traditional_aes256": {"rsa", "-traditional", "-aes256"},
		"pkcs8_3des":         {"rsa", "-des3"},
		"pkcs8_default":      {"pkcs8", "-topk8"},
		"pkcs8_sha512":       {"pkcs8", "-topk8", "-v2prf", "hmacWithSHA512"},
		"pkcs8_aes128_sha1":  {"pkcs8", "-topk8", "-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA1"},
		"pkcs8_scrypt":       {"pkcs8", "-topk8", "-scrypt"},
		"pkcs8_v1_3des":      {"pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES"},
		"pkcs8_v1_rc2":       {"pkcs8", "-topk8", "-v1", "PBE-SHA1-RC2-128", "-provider", "legacy", "-provider", "default"},
		"pkcs8_der":          {"pkcs8", "-topk8", "-outform", "der"},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, dir, "openssl", append(args, out...)...)
			opensOnlyBy(t, read(t, dir, "encrypted"), want)
		})
	}
}

// opensOnlyBy checks that pass opens a file with this key, and nothing else.
func opensOnlyBy(t *testing.T, data []byte, want crypto.Signer) {
	t.Helper()
	key, err := keystore.DecryptKey(data, []byte(pass))
	if err != nil || !sameKey(key, want) {
		t.Errorf("with the passphrase: %v", err)
	}
	if _, err := keystore.DecryptKey(data, nil); !errors.Is(err, keystore.ErrPassphraseNeeded) {
		t.Errorf("without a passphrase: %v", err)
	}
	for _, wrong := range []string{"", "changeme", pass + "\n"} {
		if _, err := keystore.DecryptKey(data, []byte(wrong)); !errors.Is(err, keystore.ErrWrongPassphrase) {
			t.Errorf("with %q: %v", wrong, err)
		}
	}
}

func sameKey(a, b crypto.Signer) bool {
	return a.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(b.Public())
}

// TestGenrsaMakesAnAuthority reads what the old guides make: openssl genrsa
// -des3, and a certificate of it.
func TestGenrsaMakesAnAuthority(t *testing.T) {
	for name, flags := range map[string][]string{"now": nil, "before_version_3": {"-traditional"}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			run(t, dir, "openssl", append(append([]string{"genrsa", "-des3", "-passout", "pass:" + pass}, flags...), "-out", "ca.key", "2048")...)
			run(t, dir, "openssl", "req", "-x509", "-key", "ca.key", "-passin", "pass:"+pass, "-subj", "/CN=guide CA", "-out", "ca.pem")
			crt, key := must[keystore.Contents](t)(keystore.Read(read(t, dir, "ca.pem"), nil)), must[keystore.Contents](t)(keystore.Read(read(t, dir, "ca.key"), []byte(pass)))
			p := must[pki.Pair](t)(pki.ParsePair(crt.ChainPEM(), must[[]byte](t)(key.KeyPEM()), time.Now()))
			if p.Leaf.Subject.CommonName != "guide CA" {
				t.Error(p.Leaf.Subject)
			}
		})
	}
}

// TestEncryptKey: openssl reads what we encrypt, and so do we.
func TestEncryptKey(t *testing.T) {
	dir := serverFiles(t)
	issue(t, dir, "ec", "ec:"+curve(t, dir), "30")
	issue(t, dir, "edwards", "ed25519", "30")
	for _, name := range []string{"server", "ec", "edwards"} {
		want := must[crypto.Signer](t)(keystore.DecryptKey(read(t, dir, name+".key"), nil))
		text := must[[]byte](t)(keystore.EncryptKey(want, []byte(pass)))
		opensOnlyBy(t, text, want)
		write(t, dir, "encrypted", text)
		plain := run(t, dir, "openssl", "pkey", "-in", "encrypted", "-passin", "pass:"+pass)
		if key := must[crypto.Signer](t)(keystore.DecryptKey([]byte(plain), nil)); !sameKey(key, want) {
			t.Error("openssl reads another key:", name)
		}
	}
	if _, err := keystore.EncryptKey(must[crypto.Signer](t)(keystore.DecryptKey(read(t, dir, "ec.key"), nil)), nil); err == nil {
		t.Error("a key was encrypted under no passphrase")
	}
}

// curve is a file of parameters for openssl req -newkey ec:.
func curve(t *testing.T, dir string) string {
	t.Helper()
	run(t, dir, "openssl", "ecparam", "-name", "prime256v1", "-out", "curve.pem")
	return filepath.Join(dir, "curve.pem")
}

// TestReadStores: one key with its chain from the stores of openssl and
// keytool gives a pair that can be served.
func TestReadStores(t *testing.T) {
	dir := serverFiles(t)
	p12 := []string{"pkcs12", "-export", "-inkey", "server.key", "-passout", "pass:" + pass}
	run(t, dir, "openssl", append(p12, "-in", "chain.pem", "-out", "openssl.p12")...)
	run(t, dir, "openssl", append(p12, "-in", "chain.pem", "-legacy", "-out", "legacy.p12")...)
	write(t, dir, "swapped.pem", append(read(t, dir, "ca.pem"), read(t, dir, "server.pem")...))
	run(t, dir, "openssl", append(p12, "-in", "swapped.pem", "-out", "swapped.p12")...)
	for _, to := range []string{"jks", "pkcs12"} {
		run(t, dir, "keytool", "-importkeystore", "-srckeystore", "openssl.p12", "-srcstoretype", "pkcs12", "-srcstorepass", pass,
			"-destkeystore", "keytool."+to, "-deststoretype", to, "-deststorepass", pass, "-noprompt")
		keytool(t, dir, "keytool."+to, "-importcert", "-alias", "trusted", "-file", "ca.pem")
	}
	run(t, dir, "keytool", "-J-Dkeystore.pkcs12.legacy", "-importkeystore", "-srckeystore", "keytool.jks", "-srcstorepass", pass,
		"-destkeystore", "java8.p12", "-deststoretype", "pkcs12", "-deststorepass", pass, "-noprompt")
	for file, format := range map[string]keystore.Format{
		"openssl.p12": keystore.PKCS12, "legacy.p12": keystore.PKCS12, "swapped.p12": keystore.PKCS12,
		"keytool.pkcs12": keystore.PKCS12, "java8.p12": keystore.PKCS12, "keytool.jks": keystore.JKS,
	} {
		t.Run(file, func(t *testing.T) {
			data := read(t, dir, file)
			c := must[keystore.Contents](t)(keystore.Read(data, []byte(pass)))
			p := must[pki.Pair](t)(pki.ParsePair(c.ChainPEM(), must[[]byte](t)(c.KeyPEM()), time.Now()))
			if c.Format != format || len(c.Chain) != 2 || p.Leaf.Subject.CommonName != "server.example" {
				t.Errorf("%s, %d in the chain of %s", c.Format, len(c.Chain), p.Leaf.Subject)
			}
			opensOnlyBy(t, data, c.Key)
			cutOff(t, data)
		})
	}
}

// TestReadStoresWithOddPassphrases: an empty one is none, and letters of other
// scripts count as openssl counts them in either encryption.
func TestReadStoresWithOddPassphrases(t *testing.T) {
	dir := serverFiles(t)
	for _, odd := range []string{"", "změna €", "🔑🔑🔑"} {
		for _, flags := range [][]string{nil, {"-legacy"}} {
			run(t, dir, "openssl", append([]string{"pkcs12", "-export", "-in", "chain.pem", "-inkey", "server.key", "-out", "odd.p12", "-passout", "pass:" + odd}, flags...)...)
			given := []byte(odd)
			if odd == "" {
				given = nil
			}
			if c, err := keystore.Read(read(t, dir, "odd.p12"), given); err != nil || c.Key == nil || len(c.Chain) != 2 {
				t.Errorf("%q %v: %v", odd, flags, err)
			}
		}
	}
}

// cutOff reads a store that ends early, anywhere: its passphrase is never
// blamed.
func cutOff(t *testing.T, data []byte) {
	t.Helper()
	for _, n := range []int{4, 13, 100, len(data) / 2, len(data) - 1} {
		if _, err := keystore.Read(data[:n], []byte(pass)); err == nil || err.Error() != "the file is cut off: copy it again" {
			t.Errorf("%d of %d bytes: %v", n, len(data), err)
		}
	}
}

// TestReadRefuses names what is wrong with a file.
func TestReadRefuses(t *testing.T) {
	dir := serverFiles(t)
	twoKeys(t, dir, "two.jks", "jks")
	twoKeys(t, dir, "two.pkcs12", "pkcs12")
	keytool(t, dir, "own.jks", "-genkeypair", "-alias", "tomcat", "-keyalg", "EC", "-dname", "CN=x", "-keypass", "another", "-storetype", "jks")
	keytool(t, dir, "secrets", "-genseckey", "-alias", "s", "-keyalg", "AES", "-keysize", "128", "-storetype", "jceks")
	run(t, dir, "openssl", "crl2pkcs7", "-nocrl", "-certfile", "chain.pem", "-out", "chain.p7b")
	run(t, dir, "openssl", "crl2pkcs7", "-nocrl", "-certfile", "chain.pem", "-outform", "der", "-out", "binary.p7b")
	chain, key := read(t, dir, "chain.pem"), read(t, dir, "server.key")
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":                     {nil, "the file is empty"},
		"text":                      {[]byte("hello"), "the file is neither PEM, DER, PKCS12 nor JKS"},
		"UTF-16":                    {[]byte("\xff\xfe-\x00-\x00"), "the file is text in UTF-16"},
		"certificate cut off":       {chain[:200], "only 0 of the file's 1 PEM blocks can be read: it is cut off"},
		"second cut off":            {chain[:len(chain)-40], "only 1 of the file's 2 PEM blocks can be read: it is cut off"},
		"key cut off":               {key[:len(key)-40], "only 0 of the file's 1 PEM blocks can be read: it is cut off"},
		"wrong bytes":               {[]byte(strings.Replace(string(chain), "MII", "AAA", 1)), "PEM block 1 (CERTIFICATE): it is not a certificate"},
		"two keys":                  {append(key, key...), "PEM block 2 (PRIVATE KEY): there is more than one private key"},
		"a request":                 {read(t, dir, "server.csr"), "there is no certificate and no private key in the file, its first PEM block is \"CERTIFICATE REQUEST\""},
		"PKCS#7":                    {read(t, dir, "chain.p7b"), "PEM block 1 (PKCS7): PKCS#7 (.p7b) is not read here: openssl pkcs7 -print_certs"},
		"PKCS#7 in DER":             {read(t, dir, "binary.p7b"), "PKCS#7 (.p7b) is not read here"},
		"two keys in JKS":           {read(t, dir, "two.jks"), "the store holds 2 private keys ("},
		"two keys in PKCS12":        {read(t, dir, "two.pkcs12"), "the store holds 2 private keys (tomcat, signing)"},
		"a key passphrase of a key": {read(t, dir, "own.jks"), `the key "tomcat" (its passphrase must be that of the store): the passphrase is wrong`},
		"JCEKS":                     {read(t, dir, "secrets"), "a JCEKS store is not read here: make a PKCS12 one of it"},
	} {
		if _, err := keystore.Read(c.data, []byte(pass)); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: want %q, got %v", name, c.want, err)
		}
	}
}

// TestBadInputIsNamed: what can be read and still not be served is told by
// name, from whatever file it came.
func TestBadInputIsNamed(t *testing.T) {
	dir := serverFiles(t)
	issue(t, dir, "other", "rsa:2048", "30")
	issue(t, dir, "weak", "rsa:1024", "30")
	issue(t, dir, "late", "rsa:2048", "30")
	write(t, dir, "swapped.pem", append(read(t, dir, "ca.pem"), read(t, dir, "server.pem")...))
	write(t, dir, "alien.pem", append(read(t, dir, "server.pem"), read(t, dir, "other.pem")...))
	run(t, dir, "openssl", "pkcs12", "-export", "-in", "weak.pem", "-inkey", "weak.key", "-out", "weak.p12", "-passout", "pass:"+pass)
	for name, c := range map[string]struct {
		chain, key string
		after      time.Duration
		want       string
	}{
		"fine":                 {"chain.pem", "server.key", 0, ""},
		"swapped":              {"swapped.pem", "server.key", 0, `chain: the chain is out of order: the key's certificate ("server.example") is number 2, after that of "old CA" (put it first`},
		"not of this chain":    {"alien.pem", "server.key", 0, `chain: the chain is out of order: number 1 ("server.example") was not issued by number 2 ("other.example")`},
		"another's key":        {"chain.pem", "other.key", 0, `key: the key is not that of the certificate of "server.example"`},
		"RSA 1024":             {"weak.pem", "weak.key", 0, "key: an RSA key of 1024 bits is too short (Envoy takes RSA keys from 2048 bits"},
		"RSA 1024 from PKCS12": {"weak.p12", "weak.p12", 0, "key: an RSA key of 1024 bits is too short (Envoy takes RSA keys from 2048 bits"},
		"expired":              {"late.pem", "late.key", 31 * 24 * time.Hour, `chain: the certificate of "late.example" expired on `},
	} {
		chain := must[keystore.Contents](t)(keystore.Read(read(t, dir, c.chain), []byte(pass)))
		key := must[keystore.Contents](t)(keystore.Read(read(t, dir, c.key), []byte(pass)))
		_, err := pki.ParsePair(chain.ChainPEM(), must[[]byte](t)(key.KeyPEM()), time.Now().Add(c.after))
		if got := told(err); got != c.want && (c.want == "" || !strings.HasPrefix(got, c.want)) {
			t.Errorf("%s: want %q, got %q", name, c.want, got)
		}
	}
}

func told(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestReadDER takes a certificate and each form of a key.
func TestReadDER(t *testing.T) {
	dir := serverFiles(t)
	run(t, dir, "openssl", "x509", "-in", "server.pem", "-outform", "der", "-out", "crt")
	run(t, dir, "openssl", "pkcs8", "-topk8", "-nocrypt", "-in", "server.key", "-outform", "der", "-out", "pkcs8")
	run(t, dir, "openssl", "rsa", "-traditional", "-in", "server.key", "-outform", "der", "-out", "pkcs1")
	crt := must[keystore.Contents](t)(keystore.Read(read(t, dir, "crt"), nil))
	for _, file := range []string{"pkcs8", "pkcs1"} {
		key := must[keystore.Contents](t)(keystore.Read(read(t, dir, file), nil))
		if _, err := pki.ParsePair(crt.ChainPEM(), must[[]byte](t)(key.KeyPEM()), time.Now()); err != nil {
			t.Error(file, err)
		}
		cutOff(t, read(t, dir, file))
	}
	cutOff(t, read(t, dir, "crt"))
}

// TestPassphraseFile takes the first line.
func TestPassphraseFile(t *testing.T) {
	for text, want := range map[string]string{"a b": "a b", "a\n": "a", "a\r\nrest": "a", " a \n": " a "} {
		if got := must[[]byte](t)(keystore.Passphrase([]byte(text))); string(got) != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	for _, text := range []string{"", "\n", "\r\nx"} {
		if _, err := keystore.Passphrase([]byte(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestParseFormat(t *testing.T) {
	for word, want := range map[string]keystore.Format{"pem": keystore.PEM, "crt": keystore.PEM, "der": keystore.DER, "P12": keystore.PKCS12, "pfx": keystore.PKCS12, "jks": keystore.JKS} {
		if got := must[keystore.Format](t)(keystore.ParseFormat(word)); got != want {
			t.Errorf("%s: %s", word, got)
		}
	}
	if f, err := keystore.ParseFormat("bks"); err == nil {
		t.Error("bks is", f)
	}
}

// FuzzRead: no file makes it panic, and none gives a nil error with nothing.
func FuzzRead(f *testing.F) {
	seeds, err := filepath.Glob("testdata/seeds/*")
	if err != nil || len(seeds) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, seed := range seeds {
		data, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := keystore.Read(data, []byte(pass)); err == nil && c.Format == "" {
			t.Error("it was read as nothing")
		}
	})
}
