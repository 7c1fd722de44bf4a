package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"usher/cmd/usher/desk"
	"usher/cmd/usher/figures"
	"usher/cmd/usher/status"
	"usher/model"
	"usher/xds"
)

// balancer says always the same.
type balancer struct {
	asked xds.Request
	desk  *desk.Desk
}

func (b *balancer) Desk() *desk.Desk { return b.desk }

func (b *balancer) Figures() *figures.Now {
	if b.desk == nil {
		return nil
	}
	return &figures.Now{Pools: []figures.Pool{{Name: "app", Nodes: []figures.Node{{Name: "a", Health: figures.Healthy}}}}, Listeners: []figures.Listener{}}
}

func (b *balancer) Hour() []figures.Sample { return nil }

func (b *balancer) Status() *status.Status {
	return &status.Status{Version: "1", Started: time.Now(), Time: time.Now(), Config: "/nowhere/cluster.yaml", Serving: true, Source: status.FromFile,
		Problems: model.Problems{}, Warnings: []string{}, Published: map[string]string{}, Pools: []status.Pool{}, Certificates: []status.Certificate{}}
}

func (b *balancer) Explain(_ context.Context, q xds.Request) (xds.Explanation, error) {
	b.asked = q
	if q.Host == "nothing" {
		return xds.Explanation{}, ErrNothing
	}
	return xds.Explanation{Listener: "https", Outcome: "sticky", Nodes: []string{"isNode1"}, Steps: []string{"it is served by isNode1"}}, nil
}

func described(t *testing.T) (*openapi3.T, routers.Router) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(description)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return doc, router
}

func TestEveryResourceIsDescribed(t *testing.T) {
	doc, _ := described(t)
	var have, want []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			want = append(want, method+" "+Prefix+path)
		}
	}
	for pattern := range (&handler{&balancer{}}).routes() {
		have = append(have, pattern)
	}
	have = append(have, "GET "+Prefix+"/openapi.yaml")
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("served:\n%s\ndescribed:\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
}

// ask puts a request to the API and holds both it and the answer against the
// description.
func ask(t *testing.T, b Balancer, method, path, body string) *http.Response {
	t.Helper()
	_, router := described(t)
	req := httptest.NewRequest(method, "http://localhost"+Prefix+path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	Handler(b).ServeHTTP(w, req)
	resp := w.Result()
	text, _ := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(text))
	req.URL.Path, req.URL.Scheme, req.URL.Host = Prefix+path, "", ""
	route, params, err := router.FindRoute(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route},
		Status:                 resp.StatusCode, Header: resp.Header,
	}
	in.SetBodyBytes(text)
	if err := openapi3filter.ValidateResponse(t.Context(), in); err != nil {
		t.Errorf("%s %s: %v", method, path, err)
	}
	return resp
}

func TestAnswersAreAsDescribed(t *testing.T) {
	b := &balancer{}
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "/status", "", 200},
		{"GET", "/openapi.yaml", "", 200},
		{"GET", "/figures", "", 503},
		{"GET", "/figures/hour", "", 200},
		{"POST", "/explain", `{"url": "https://is.example.org/carbon"}`, 200},
		{"POST", "/explain", `{"url": "https://nothing/"}`, 503},
		{"POST", "/explain", `{"url": "is.example.org"}`, 400},
		{"POST", "/explain", `{"url": "https://:99/"}`, 400},
		{"POST", "/explain", `{"url": "https://x:0/"}`, 400},
		{"POST", "/explain", `{"url": "https://x/", "from": "nowhere"}`, 400},
		{"POST", "/explain", `{"uri": "https://x/"}`, 400},
		{"POST", "/explain", ``, 400},
	} {
		if got := ask(t, b, c.method, c.path, c.body).StatusCode; got != c.want {
			t.Errorf("%s %s %s: %d, want %d", c.method, c.path, c.body, got, c.want)
		}
	}
}

func TestAQuestionIsARequest(t *testing.T) {
	b := &balancer{}
	ask(t, b, "POST", "/explain", `{"url": "http://[::1]:8080?x/../y", "method": "POST", "headers": {"cookie": ["a=b"]}, "from": "10.0.0.1", "certified": true}`)
	q := b.asked
	if q.Host != "::1" || q.Port != 8080 || q.TLS || q.Path != "/?x/../y" || q.Method != "POST" || q.Header.Get("Cookie") != "a=b" || q.From.String() != "10.0.0.1" || !q.Certified {
		t.Errorf("%+v", q)
	}
}

func TestWhatThereIsNotIsAProblem(t *testing.T) {
	w := httptest.NewRecorder()
	Handler(&balancer{}).ServeHTTP(w, httptest.NewRequest("GET", Prefix+"/nonsense", nil))
	if w.Code != 404 || w.Header().Get("Content-Type") != "application/problem+json" || !strings.Contains(w.Body.String(), "/nonsense") {
		t.Errorf("%d %s: %s", w.Code, w.Header(), w.Body)
	}
}
