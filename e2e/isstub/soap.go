package main

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
)

const (
	soap11         = "http://schemas.xmlsoap.org/soap/envelope/"
	soap12         = "http://www.w3.org/2003/05/soap-envelope"
	axisNamespace  = "http://org.apache.axis2/xsd"
	loginNamespace = "http://authentication.services.core.carbon.wso2.org"
)

// envelope is a call of EntitlementService or AuthenticationAdmin.
type envelope struct {
	XMLName xml.Name
	Body    struct {
		GetDecision *struct {
			Request string `xml:"request"`
		} `xml:"getDecision"`
		Login *struct {
			Username string `xml:"username"`
		} `xml:"login"`
	}
}

// soap answers within a session, as the product's admin services do: a client
// that has logged in comes with its cookie.
func (n *node) soap(w http.ResponseWriter, r *http.Request) {
	body, ok := posted(w, r)
	if !ok {
		return
	}
	n.session(w, r)
	var call envelope
	status, answer := http.StatusOK, ""
	err := xml.Unmarshal(body, &call)
	if err == nil {
		answer, err = call.result()
	}
	if err != nil {
		status, answer = http.StatusInternalServerError, call.fault(err)
	}
	w.Header().Set("Content-Type", call.mediaType())
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `<soapenv:Envelope xmlns:soapenv="%s"><soapenv:Body>%s</soapenv:Body></soapenv:Envelope>`, call.namespace(), answer)
}

func (e envelope) result() (string, error) {
	switch {
	case e.Body.Login != nil:
		return wrapped("login", loginNamespace, "true"), nil
	case e.Body.GetDecision == nil:
		return "", fmt.Errorf("there is neither getDecision nor login")
	}
	q, err := readXML([]byte(e.Body.GetDecision.Request))
	if err != nil {
		return "", err
	}
	decisions, err := q.decisions()
	return wrapped("getDecision", axisNamespace, string(writeXML(decisions))), err
}

func wrapped(operation, namespace, text string) string {
	return fmt.Sprintf(`<ns:%sResponse xmlns:ns="%s"><ns:return>%s</ns:return></ns:%[1]sResponse>`, operation, namespace, escaped(text))
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a builder takes everything
	return b.String()
}

// namespace is that of the version of SOAP which the client speaks.
func (e envelope) namespace() string {
	if e.XMLName.Space == soap12 {
		return soap12
	}
	return soap11
}

func (e envelope) mediaType() string {
	if e.XMLName.Space == soap12 {
		return "application/soap+xml; charset=utf-8"
	}
	return "text/xml; charset=utf-8"
}

func (e envelope) fault(err error) string {
	if e.XMLName.Space == soap12 {
		return `<soapenv:Fault><soapenv:Code><soapenv:Value>soapenv:Receiver</soapenv:Value></soapenv:Code>` +
			`<soapenv:Reason><soapenv:Text xml:lang="en">` + escaped(err.Error()) + `</soapenv:Text></soapenv:Reason></soapenv:Fault>`
	}
	return `<soapenv:Fault><faultcode>soapenv:Server</faultcode><faultstring>` + escaped(err.Error()) + `</faultstring></soapenv:Fault>`
}
