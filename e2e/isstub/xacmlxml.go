package main

import "encoding/xml"

const (
	xacmlNamespace = "urn:oasis:names:tc:xacml:3.0:core:schema:wd-17"
	xacmlOK        = "urn:oasis:names:tc:xacml:1.0:status:ok"
)

type xmlRequest struct {
	XMLName    xml.Name `xml:"urn:oasis:names:tc:xacml:3.0:core:schema:wd-17 Request"`
	Attributes []struct {
		Category  string `xml:"Category,attr"`
		ID        string `xml:"id,attr"` // xml:id
		Attribute []struct {
			AttributeID string   `xml:"AttributeId,attr"`
			Value       []string `xml:"AttributeValue"`
		}
	}
	References []struct {
		To []struct {
			ID string `xml:"ReferenceId,attr"`
		} `xml:"AttributesReference"`
	} `xml:"MultiRequests>RequestReference"`
}

func readXML(body []byte) (q request, err error) {
	var r xmlRequest
	if err := xml.Unmarshal(body, &r); err != nil {
		return q, err
	}
	for _, category := range r.Attributes {
		p := part{category: category.Category, id: category.ID}
		for _, a := range category.Attribute {
			p.addAction(a.AttributeID, a.Value...)
		}
		q.parts = append(q.parts, p)
	}
	for _, reference := range r.References {
		var ids []string
		for _, to := range reference.To {
			ids = append(ids, to.ID)
		}
		q.references = append(q.references, ids)
	}
	return q, nil
}

func writeXML(decisions []string) []byte {
	type code struct {
		Value string `xml:",attr"`
	}
	type result struct {
		Decision string
		Code     code `xml:"Status>StatusCode"`
	}
	whole := struct {
		XMLName xml.Name
		Result  []result
	}{XMLName: xml.Name{Space: xacmlNamespace, Local: "Response"}}
	for _, d := range decisions {
		whole.Result = append(whole.Result, result{Decision: d, Code: code{xacmlOK}})
	}
	body, err := xml.Marshal(whole)
	if err != nil {
		panic(err) // texts only
	}
	return body
}
