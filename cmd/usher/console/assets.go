package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"net/http"
)

//go:embed assets
var assets embed.FS

//go:embed templates/*.html
var templateFiles embed.FS

var templates = template.Must(template.New("").Funcs(words).ParseFS(templateFiles, "templates/*.html"))

// versions are the beginnings of the assets' hashes: a page names each file by its
// content, so that a browser keeps it until there is another one.
var versions = func() map[string]string {
	all := map[string]string{}
	names, _ := fs.Glob(assets, "assets/*") // the pattern is well formed
	for _, name := range names {
		text, _ := assets.ReadFile(name) // it is embedded
		sum := sha256.Sum256(text)
		all[name[len("assets/"):]] = hex.EncodeToString(sum[:6])
	}
	return all
}()

// assetURL is where a page finds one of its files.
func assetURL(name string) string { return "/console/assets/" + name + "?v=" + versions[name] }

// asset answers with a file of the page. It is no secret: a browser may keep it.
func asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if r.FormValue("v") == versions[name] {
		w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	http.ServeFileFS(w, r, assets, "assets/"+name)
}
