package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// jsonCategory is one of the JSON profile of XACML 3.0: an object below its name,
// or one with a CategoryId in the list Category.
type jsonCategory struct {
	CategoryID string `json:"CategoryId"`
	ID         string `json:"Id"`
	Attribute  []struct {
		AttributeID string `json:"AttributeId"`
		Value       any
	}
}

// readJSON takes categories by their short names and by their URIs.
func readJSON(body []byte) (q request, err error) {
	var whole struct{ Request map[string]json.RawMessage }
	if err := json.Unmarshal(body, &whole); err != nil {
		return q, err
	}
	if whole.Request == nil {
		return q, fmt.Errorf("there is no Request")
	}
	for _, name := range slices.Sorted(maps.Keys(whole.Request)) {
		if err := q.takeJSON(name, whole.Request[name]); err != nil {
			return q, fmt.Errorf("%s: %w", name, err)
		}
	}
	return q, nil
}

func (q *request) takeJSON(name string, value json.RawMessage) error {
	switch name {
	case "ReturnPolicyIdList", "CombinedDecision", "XPathVersion":
		return nil
	case "MultiRequests":
		var m struct {
			RequestReference []struct {
				ReferenceID []string `json:"ReferenceId"`
			}
		}
		if err := json.Unmarshal(value, &m); err != nil {
			return err
		}
		for _, r := range m.RequestReference {
			q.references = append(q.references, r.ReferenceID)
		}
		return nil
	}
	var all []jsonCategory
	if !bytes.HasPrefix(bytes.TrimSpace(value), []byte("[")) {
		value = slices.Concat([]byte("["), value, []byte("]"))
	}
	if err := json.Unmarshal(value, &all); err != nil {
		return err
	}
	for _, c := range all {
		q.parts = append(q.parts, c.part(name))
	}
	return nil
}

func (c jsonCategory) part(name string) part {
	p := part{category: name, id: c.ID}
	if name == "Category" {
		p.category = c.CategoryID
	}
	for _, a := range c.Attribute {
		switch v := a.Value.(type) {
		case string:
			p.addAction(a.AttributeID, v)
		case []any:
			for _, one := range v {
				p.addAction(a.AttributeID, fmt.Sprint(one))
			}
		}
	}
	return p
}

func writeJSON(decisions []string) []byte {
	type result struct {
		Decision string
		Status   struct{ StatusCode struct{ Value string } }
	}
	var whole struct{ Response []result }
	for _, d := range decisions {
		r := result{Decision: d}
		r.Status.StatusCode.Value = xacmlOK
		whole.Response = append(whole.Response, r)
	}
	body, err := json.Marshal(whole)
	if err != nil {
		panic(err) // texts only
	}
	return body
}
