package model

// PoolTLS is the client side of TLS towards the nodes: 1.2 and 1.3.
type PoolTLS struct {
	// Verify is `ca`, `pin` or `none`. Default: ca. `pin` asks for a known key, whoever
	// signed the certificate, and neither for a name nor a date. `none` accepts
	// any certificate, as httpd does without SSLProxyVerify: anyone in between
	// can listen.
	Verify Verify `yaml:"verify"`
	// Pins are the keys that verify: pin accepts; one of them will do. Each is
	// sha256/ and the base64 of the SHA-256 of the SubjectPublicKeyInfo, as
	// `usher check --live` prints it; hexadecimal digits are read as well.
	Pins []Pin `yaml:"pins"`
	// CA is a PEM file of the authorities to trust. Default: the local CA and
	// the system's roots.
	CA string `yaml:"ca"`
	// ServerName is the name that every node's certificate must carry, and the
	// SNI; with verify: pin it is the SNI alone. Default: the host of each
	// node's address.
	ServerName string `yaml:"server_name"`
	// Certificate names an entry of `certificates`: what usher shows to nodes
	// that demand a client certificate (httpd: SSLProxyMachineCertificateFile).
	// Left out: none.
	Certificate string `yaml:"certificate"`
}
