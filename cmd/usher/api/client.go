package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"usher/cmd/usher/status"
	"usher/xds"
)

// Client asks an usher.
type Client struct {
	Operator string // see HeaderOperator
	http     http.Client
}

// ErrNotRunning is said where nobody answers on the socket.
var ErrNotRunning = errors.New("no usher runs")

// NewClient asks by a way to connect, such as to the socket in the state folder.
func NewClient(dial func(ctx context.Context, network, address string) (net.Conn, error)) *Client {
	return &Client{http: http.Client{Timeout: time.Minute, Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// Status is what usher knows about itself.
func (c *Client) Status(ctx context.Context) (*status.Status, error) {
	s := &status.Status{}
	return s, c.Do(ctx, http.MethodGet, "/status", nil, s)
}

// Explain says what becomes of a request.
func (c *Client) Explain(ctx context.Context, q Question) (e xds.Explanation, err error) {
	return e, c.Do(ctx, http.MethodPost, "/explain", q, &e)
}

// Do asks for a resource below Prefix and reads the answer. An error of the API's
// own is a *Problem.
func (c *Client) Do(ctx context.Context, method, path string, body, into any) error {
	var text io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		text = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://localhost"+Prefix+path, text)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.Operator != "" {
		req.Header.Set(HeaderOperator, c.Operator)
	}
	resp, err := c.http.Do(req)
	var dialed *net.OpError
	if errors.As(err, &dialed) && dialed.Op == "dial" {
		return ErrNotRunning
	}
	if err != nil {
		return fmt.Errorf("ask usher: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if resp.StatusCode >= http.StatusBadRequest {
		p := &Problem{}
		if err := json.NewDecoder(resp.Body).Decode(p); err != nil || p.Title == "" {
			p = &Problem{Title: "usher answers " + resp.Status}
		}
		p.Status = resp.StatusCode
		return p
	}
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return fmt.Errorf("read usher's answer: %w", err)
	}
	return nil
}
