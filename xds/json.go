package xds

import (
	"bytes"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
)

// JSON is all resources as one object, kinds in the order of a push and names
// in theirs: what `usher show` prints. The private keys in it are those of r.
func (r Resources) JSON() []byte {
	var out bytes.Buffer
	for i, k := range Kinds() {
		fmt.Fprintf(&out, "%s%q:[", open(i, '{'), k)
		for j, name := range r.Names(k) {
			b, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(r[k][name])
			if err != nil {
				panic("xds: " + k.String() + " " + name + ": " + err.Error()) // this package made it
			}
			out.WriteString(open(j, 0))
			out.Write(b)
		}
		out.WriteByte(']')
	}
	out.WriteByte('}')
	return out.Bytes()
}

// open is what stands before the i-th of a row.
func open(i int, first byte) string {
	if i > 0 {
		return ","
	}
	if first == 0 {
		return ""
	}
	return string(first)
}
