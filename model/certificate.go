package model

// Certificate is what a listener shows to clients or a pool to nodes: issued
// and renewed by the local CA, obtained from an ACME directory, or taken from
// files.
type Certificate struct {
	// Name identifies the certificate. Required, unique.
	Name string `yaml:"name"`
	// Hosts are the names and IP addresses in it. Default: the hosts of the
	// listeners that use it, its own name where only pools do. Not with chain
	// and key.
	Hosts []string `yaml:"hosts"`
	// Chain is a PEM file, the leaf first. Needs key.
	Chain string `yaml:"chain"`
	// Key is the PEM file of its private key. Needs chain.
	Key string `yaml:"key"`
	// Lifetime is how long an issued certificate is valid, 60s to 825d.
	// Default: 90d. It is renewed when two thirds have passed. Not with acme.
	Lifetime Duration `yaml:"lifetime" range:"60s..825d"`
	// KeyType is `ecdsa` (on P-256) or `rsa` (of 3072 bits, for clients that know
	// nothing else) where the certificate is not given as files. Default: ecdsa.
	// A change issues a new one.
	KeyType KeyType `yaml:"key_type"`
	// ACME obtains the certificate from a public or private ACME directory.
	// Not with chain and key.
	ACME *ACME `yaml:"acme"`
}

// ACME is where a certificate comes from and how its hosts are proven to be
// ours (RFC 8555). Until the first one is there, a certificate of the local CA
// serves; afterwards the last one does, whatever happens. Whoever names a
// directory agrees to its terms.
type ACME struct {
	// Directory is its URL. Default: that of Let's Encrypt,
	// https://acme-v02.api.letsencrypt.org/directory.
	Directory string `yaml:"directory"`
	// Email is whom the directory may write to. Default: nobody.
	Email string `yaml:"email"`
	// CA is a PEM file of the authorities to trust as the directory, for a
	// private one. Default: the system's roots.
	CA string `yaml:"ca"`
	// Challenge is `http-01`, answered by the listeners without TLS for the
	// hosts (the directory asks at port 80), or `tls-alpn-01`, answered by those
	// that show the certificate (port 443). Default: http-01 where such
	// listeners answer for all hosts, else tls-alpn-01.
	Challenge Challenge `yaml:"challenge"`
}

// Issued tells whether the local CA makes this certificate.
func (c Certificate) Issued() bool { return c.Chain == "" && c.Key == "" && c.ACME == nil }
