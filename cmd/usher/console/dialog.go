package console

import (
	"fmt"
	"net/http"

	"usher/cmd/usher/status"
)

// nodeForm asks for the state and weight of a node.
func (c *Console) nodeForm(w http.ResponseWriter, r *http.Request) {
	f := form{Act: actSet, Pool: r.FormValue("pool"), Node: r.FormValue("node")}
	n := c.node(f.Pool, f.Node)
	if n == nil {
		http.Error(w, "pool "+f.Pool+" has no node "+f.Node+" any more", http.StatusNotFound)
		return
	}
	f.State, f.Weight, f.Address = string(n.State), fmt.Sprintf("%g", n.Weight), n.Address
	f.WasState, f.WasWeight = f.State, f.Weight
	show(w, http.StatusOK, "node", sheet{form: f, Title: f.title(), States: states})
}

// addForm asks for a new node.
func (c *Console) addForm(w http.ResponseWriter, r *http.Request) {
	f := form{Act: actAdd, Pool: r.FormValue("pool"), State: "active", Weight: "1"}
	show(w, http.StatusOK, "add", sheet{form: f, Title: f.title(), States: states})
}

// node is a node as it is published; nil where there is none.
func (c *Console) node(pool, name string) *status.Node {
	for _, p := range c.Status().Pools {
		for i := range p.Nodes {
			if p.Name == pool && p.Nodes[i].Name == name {
				return &p.Nodes[i]
			}
		}
	}
	return nil
}

func (c *Console) has(f form) bool { return c.node(f.Pool, f.Node) != nil }
