package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

const jsonPDP, xmlPDP = "application/json", "application/xml"

func jsonQuestion(action string) string {
	return fmt.Sprintf(`{"Request":{"ReturnPolicyIdList":false,
		"AccessSubject":{"Attribute":[{"AttributeId":"subject-id","Value":"bob"}]},
		"Action":{"Attribute":[{"AttributeId":"urn:oasis:names:tc:xacml:1.0:action:action-id","Value":%q}]},
		"Resource":{"Attribute":[{"AttributeId":"resource-id","Value":"read"}]}}}`, action)
}

func xmlQuestion(action string) string {
	return `<?xml version="1.0"?><Request xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17" CombinedDecision="false" ReturnPolicyIdList="false">
		<Attributes Category="urn:oasis:names:tc:xacml:1.0:subject-category:access-subject"><Attribute AttributeId="urn:oasis:names:tc:xacml:1.0:subject:subject-id" IncludeInResult="false"><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">read</AttributeValue></Attribute></Attributes>
		<Attributes Category="urn:oasis:names:tc:xacml:3.0:attribute-category:action"><Attribute AttributeId="urn:oasis:names:tc:xacml:1.0:action:action-id" IncludeInResult="false"><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">` + action + `</AttributeValue></Attribute></Attributes>
		</Request>`
}

// decided are the decisions in an answer of either format.
func decided(body string) string {
	return strings.Join(regexp.MustCompile(`Permit|Deny`).FindAllString(regexp.MustCompile(`</\w+>`).ReplaceAllString(body, ""), -1), " ")
}

func TestReadingIsPermittedAndAllElseDenied(t *testing.T) {
	n := newNode("isNode1")
	for _, path := range []string{decisionPoint, "/t/example.org" + decisionPoint} {
		for action, want := range map[string]string{"read": "Permit", "write": "Deny", "": "Deny"} {
			resp, body := post(t, n, path, jsonPDP, "*/*", jsonQuestion(action))
			if want := fmt.Sprintf(`{"Response":[{"Decision":%q,"Status":{"StatusCode":{"Value":%q}}}]}`, want, xacmlOK); body != want || resp.Header.Get("Content-Type") != jsonPDP {
				t.Errorf("%s of %q: %s as %s, want %s", path, action, body, resp.Header.Get("Content-Type"), want)
			}
			resp, body = post(t, n, path, "text/xml", "", xmlQuestion(action))
			if want := fmt.Sprintf(`<Response xmlns=%q><Result><Decision>%s</Decision><Status><StatusCode Value=%q></StatusCode></Status></Result></Response>`, xacmlNamespace, want, xacmlOK); body != want || resp.Header.Get("Content-Type") != xmlPDP {
				t.Errorf("%s of %q: %s as %s, want %s", path, action, body, resp.Header.Get("Content-Type"), want)
			}
			if len(resp.Cookies()) > 0 {
				t.Errorf("a decision begins a session: %v", resp.Cookies())
			}
		}
	}
}

func TestTheClientChoosesTheFormat(t *testing.T) {
	n := newNode("isNode1")
	if _, body := post(t, n, decisionPoint, jsonPDP, xmlPDP, jsonQuestion("read")); !strings.HasPrefix(body, "<Response") || decided(body) != "Permit" {
		t.Errorf("XML for JSON: %s", body)
	}
	if _, body := post(t, n, decisionPoint, xmlPDP, jsonPDP, xmlQuestion("write")); !strings.HasPrefix(body, "{") || decided(body) != "Deny" {
		t.Errorf("JSON for XML: %s", body)
	}
}

func TestManyQuestionsAreAnsweredInTheirOrder(t *testing.T) {
	n := newNode("isNode1")
	const actions = `"Action":[{"Id":"r","Attribute":[{"AttributeId":"action-id","Value":"read"}]},{"Id":"w","Attribute":[{"AttributeId":"action-id","Value":["write","list"]}]}]`
	const list = `"Category":[{"CategoryId":"x:action","Id":"r","Attribute":[{"AttributeId":"x:action-id","Value":"read"}]},{"CategoryId":"x:resource","Id":"p","Attribute":[]}]`
	const subjects = `"AccessSubject":[{"Id":"a","Attribute":[]},{"Id":"b","Attribute":[]}]`
	for request, want := range map[string]string{
		actions + `,` + subjects + `,"MultiRequests":{"RequestReference":[{"ReferenceId":["a","w"]},{"ReferenceId":["b","r"]},{"ReferenceId":["a"]}]}`: "Deny Permit Deny",
		actions + `,` + subjects: "Permit Deny Permit Deny",
		actions:                  "Permit Deny",
		list:                     "Permit",
		list + `,"MultiRequests":{"RequestReference":[{"ReferenceId":["p"]},{"ReferenceId":["r","p"]}]}`: "Deny Permit",
	} {
		if _, body := post(t, n, decisionPoint, jsonPDP, "", `{"Request":{`+request+`}}`); decided(body) != want {
			t.Errorf("%s: %s, want %s", request, body, want)
		}
	}
	multi := strings.NewReplacer(`<Attributes Category="urn:oasis:names:tc:xacml:3.0`, `<Attributes xml:id="a" Category="urn:oasis:names:tc:xacml:3.0`,
		`</Request>`, `<MultiRequests><RequestReference><AttributesReference ReferenceId="a"/></RequestReference><RequestReference><AttributesReference ReferenceId="a"/></RequestReference></MultiRequests></Request>`).Replace(xmlQuestion("read"))
	if _, body := post(t, n, decisionPoint, xmlPDP, "", multi); decided(body) != "Permit Permit" {
		t.Errorf("XML: %s", body)
	}
}

func TestWhatIsNoQuestionIsRefused(t *testing.T) {
	n := newNode("isNode1")
	many := `{"Request":{"Action":[` + strings.Repeat(`{},`, 99) + `{}],"Resource":[` + strings.Repeat(`{},`, 99) + `{}]}}`
	for _, c := range []struct {
		mediaType, body string
		want            int
	}{
		{jsonPDP, "{", 400}, {jsonPDP, "{}", 400}, {jsonPDP, `{"Request":{"Action":7}}`, 400}, {jsonPDP, many, 400},
		{jsonPDP, `{"Request":{"MultiRequests":{"RequestReference":[{"ReferenceId":["x"]}]}}}`, 400},
		{xmlPDP, "<x/>", 400}, {xmlPDP, "", 400}, {"text/plain", jsonQuestion("read"), 415}, {jsonPDP, strings.Repeat(" ", maxAsked+1), 413},
	} {
		if resp, body := post(t, n, decisionPoint, c.mediaType, "", c.body); resp.StatusCode != c.want {
			t.Errorf("%s %.40s: %d %s, want %d", c.mediaType, c.body, resp.StatusCode, body, c.want)
		}
	}
	if resp, _ := ask(t, n, decisionPoint); resp.StatusCode != 405 {
		t.Errorf("GET: %d", resp.StatusCode)
	}
}

func soapCall(namespace, call string) string {
	return `<s:Envelope xmlns:s="` + namespace + `" xmlns:xsd="http://org.apache.axis2/xsd"><s:Header/><s:Body>` + call + `</s:Body></s:Envelope>`
}

func getDecisionOf(action string) string {
	return `<xsd:getDecision><xsd:request><![CDATA[` + xmlQuestion(action) + `]]></xsd:request></xsd:getDecision>`
}

func TestSOAPDecidesWithinASession(t *testing.T) {
	n := newNode("isNode1")
	for namespace, mediaType := range map[string]string{soap11: "text/xml; charset=utf-8", soap12: "application/soap+xml; charset=utf-8"} {
		for action, want := range map[string]string{"read": "Permit", "write": "Deny"} {
			resp, body := post(t, n, "/services/EntitlementService", "text/xml", "", soapCall(namespace, getDecisionOf(action)))
			if decided(body) != want || !strings.Contains(body, "<ns:return>&lt;Response ") || resp.Header.Get("Content-Type") != mediaType {
				t.Errorf("%s as %s", body, resp.Header.Get("Content-Type"))
			}
			if c := resp.Cookies(); len(c) != 1 || c[0].Path != "/" || !strings.HasSuffix(c[0].Value, ".isNode1") {
				t.Errorf("cookies %v", c)
			}
		}
		for _, call := range []string{"<xsd:x/>", "<xsd:getDecision/>"} {
			resp, body := post(t, n, "/services/EntitlementService", "text/xml", "", soapCall(namespace, call))
			if resp.StatusCode != 500 || !strings.Contains(body, "soapenv:Fault") {
				t.Errorf("%s: %d %s", call, resp.StatusCode, body)
			}
		}
	}
	resp, body := post(t, n, "/services/AuthenticationAdmin", "text/xml", "", soapCall(soap11, "<login><username>admin</username><password>x</password></login>"))
	if !strings.Contains(body, "<ns:return>true</ns:return>") || len(resp.Cookies()) != 1 {
		t.Errorf("%s, %v", body, resp.Cookies())
	}
}
