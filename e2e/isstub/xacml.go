package main

import (
	"fmt"
	"strings"
)

// maxQuestions bounds those of one request.
const maxQuestions = 1000

// request is what XACML asks, whatever it is written in.
type request struct {
	parts      []part
	references [][]string // the ids of each question's parts; none where all are combined
}

// part is one category of attributes. Only the actions of one matter here.
type part struct {
	category string
	id       string
	actions  []string
}

// addAction takes the values of an attribute that names an action, by its short
// or its long name.
func (p *part) addAction(attribute string, values ...string) {
	if attribute == "action-id" || strings.HasSuffix(attribute, ":action-id") {
		p.actions = append(p.actions, values...)
	}
}

// decisions answers each question, those with references in their order.
func (q request) decisions() ([]string, error) {
	questions, err := q.referenced()
	if err != nil {
		return nil, err
	}
	if len(q.references) == 0 {
		questions = q.combined()
	}
	if len(questions) > maxQuestions {
		return nil, fmt.Errorf("more than %d questions", maxQuestions)
	}
	var all []string
	for _, parts := range questions {
		all = append(all, decide(parts))
	}
	return all, nil
}

// decide permits to read, and nothing else.
func decide(parts []part) string {
	for _, p := range parts {
		for _, a := range p.actions {
			if a == "read" {
				return "Permit"
			}
		}
	}
	return "Deny"
}

func (q request) referenced() (questions [][]part, err error) {
	byID := map[string]part{}
	for _, p := range q.parts {
		byID[p.id] = p
	}
	for _, ids := range q.references {
		var parts []part
		for _, id := range ids {
			p, ok := byID[id]
			if !ok || id == "" {
				return nil, fmt.Errorf("no category has the id %q", id)
			}
			parts = append(parts, p)
		}
		questions = append(questions, parts)
	}
	return questions, nil
}

// combined takes one part of each category in every way that there is, the last
// category changing first.
func (q request) combined() [][]part {
	var order []string
	by := map[string][]part{}
	for _, p := range q.parts {
		if by[p.category] == nil {
			order = append(order, p.category)
		}
		by[p.category] = append(by[p.category], p)
	}
	questions := [][]part{nil}
	for _, category := range order {
		var longer [][]part
		for _, q := range questions {
			for _, p := range by[category] {
				longer = append(longer, append(q[:len(q):len(q)], p))
			}
		}
		if questions = longer; len(questions) > maxQuestions {
			break
		}
	}
	return questions
}
