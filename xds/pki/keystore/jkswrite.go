package keystore

import "encoding/binary"

// jksStore writes a new store. An entry's date is the beginning of its
// certificate's life, so that the same export is the same file.
func jksStore(entries []Entry, passphrase []byte) []byte {
	body := binary.BigEndian.AppendUint32(nil, magicJKS)
	body = binary.BigEndian.AppendUint32(body, 2)
	s := jks{body: binary.BigEndian.AppendUint32(body, 0)}
	for _, e := range entries {
		s.trust(e)
	}
	return s.marshal(passphrase)
}

// trust adds an entry after the others, in the way of the store's version.
func (s *jks) trust(e Entry) {
	b := binary.BigEndian.AppendUint32(append([]byte(nil), s.body...), jksTrusted)
	b = appendText(b, e.Alias)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Certificate.NotBefore.UnixMilli()))
	if binary.BigEndian.Uint32(b[4:]) == 2 {
		b = appendText(b, "X.509")
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(e.Certificate.Raw))) //nolint:gosec // a certificate is no 4 GiB
	s.body = append(b, e.Certificate.Raw...)
	s.count++
	binary.BigEndian.PutUint32(s.body[8:], s.count)
}

func (s *jks) marshal(passphrase []byte) []byte {
	return append(append([]byte(nil), s.body...), jksProof(s.body, passphrase)...)
}

func appendText(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(text))), text...) //nolint:gosec // checkAlias bounds it
}
