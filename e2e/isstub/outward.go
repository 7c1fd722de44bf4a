package main

import (
	"net/http"
	"strconv"
)

// outward are pages that say in headers what they are told to, for what a
// balancer makes of it.
func (n *node) outward() {
	n.mux.HandleFunc("/redirect", redirect)
	n.mux.HandleFunc("/setcookie", n.setCookie)
}

// pointers are headers that hold a URL, and what stands around it.
var pointers = map[string]struct{ before, after string }{
	"Location": {}, "Content-Location": {}, "URI": {}, "Destination": {},
	"Refresh": {before: "0; url="}, "Link": {before: "<", after: `>; rel="next"`},
}

func redirect(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	name, status := q.Get("header"), http.StatusOK
	if name == "" || name == "Location" {
		name, status = "Location", http.StatusFound
	}
	around, ok := pointers[name]
	if given := q.Get("status"); given != "" {
		var err error
		status, err = strconv.Atoi(given)
		ok = ok && err == nil && answerable(status)
	}
	if !ok || q.Get("to") == "" {
		http.Error(w, "to, header or status is wrong", http.StatusBadRequest)
		return
	}
	w.Header().Set(name, around.before+q.Get("to")+around.after)
	w.WriteHeader(status)
}

// setCookie says the attributes as they are given, right or wrong.
func (n *node) setCookie(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	name, value := q.Get("name"), q.Get("value")
	if name == "" {
		name = "stub"
	}
	if value == "" {
		value = n.name
	}
	cookie := name + "=" + value
	for _, a := range []struct{ name, value string }{{"Path", q.Get("path")}, {"Domain", q.Get("domain")}} {
		if a.value != "" {
			cookie += "; " + a.name + "=" + a.value
		}
	}
	w.Header().Add("Set-Cookie", cookie)
	answer(w, map[string]string{"node": n.name, "cookie": cookie})
}
