package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// inPrivate is run as root of a namespace of its own, where the system's trust
// store is a copy: the machine's own is never touched.
const inPrivate = `
for store in /etc/ssl/certs /usr/local/share/ca-certificates; do
	mkdir -p "$COPY$store"
	cp -r --preserve=links "$store/." "$COPY$store"
	mount --bind "$COPY$store" "$store"
done
if sudo=$(command -v sudo); then mount --bind /dev/null "$sudo"; fi # there is nobody to ask
! curl -sS -o /dev/null "$URL" 2>/dev/null
"$USHER" ca trust --config "$CONFIG"
curl -sS -o /dev/null "$URL"
"$USHER" ca untrust --config "$CONFIG"
if curl -sS -o /dev/null "$URL"; then echo "still trusted"; exit 1; fi
`

func TestTheSystemTrustsTheLocalCAAndForgetsIt(t *testing.T) {
	s := newSite(t, 1, file{})
	cmd := exec.Command("unshare", "--map-root-user", "--mount", "sh", "-e", "-c", inPrivate)
	cmd.Env = append(os.Environ(), "COPY="+t.TempDir(), "CONFIG="+s.config(), "USHER="+filepath.Join(bin, "usher"),
		fmt.Sprintf("URL=https://localhost:%d/", s.port))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
