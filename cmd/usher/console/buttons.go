package console

import "usher/model"

// states are what a node may be set to, in words.
var states = []struct {
	State model.State
	Word  string
}{
	{model.Active, "takes its share of new sessions"},
	{model.Drain, "its sessions stay, nobody new comes"},
	{model.Disabled, "nothing reaches it; its users move at their next request"},
	{model.Standby, "serves when no active node can"},
	{model.Spare, "takes the share of active nodes that can't serve"},
}

// Switch is what the button beside a node does at once: to drain it, or to let it
// serve again.
func (n node) Switch() string {
	to := model.Active
	if n.State == model.Active {
		to = model.Drain
	}
	return form{Act: actSet, Pool: n.Pool, Node: n.Name, State: string(to), WasState: string(n.State)}.query()
}

// SwitchWord is what the button says.
func (n node) SwitchWord() string {
	if n.State == model.Active {
		return "Drain"
	}
	return "Activate"
}

// Remove is what the button for that sends.
func (f form) Remove() string {
	return form{Act: actRemove, Pool: f.Pool, Node: f.Node}.query()
}
