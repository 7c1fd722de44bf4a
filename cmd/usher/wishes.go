package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"usher/model"
	"usher/xds"
)

// heard follows what the nodes say of themselves.
func (l *loop) heard(wishes map[xds.NodeOf]wish) {
	if !l.serving() {
		return
	}
	wishes = those(wishes, l.now.questions) // the news may be of an earlier file
	for of, w := range wishes {
		if was := l.now.wishes[of]; w.drain && !was.drain {
			l.log.Info("a node asks to be drained: its sessions stay, nobody new comes", "pool", of.Pool, "node", of.Node)
		}
	}
	for of, was := range l.now.wishes {
		if was.drain && !wishes[of].drain {
			l.log.Info("a node no longer asks to be drained", "pool", of.Pool, "node", of.Node)
		}
	}
	p := l.now
	p.wishes = wishes
	p.translate()
	l.warn(p)
	l.publish(p)
}

// still are the wishes that count for the next publication: of nodes that it asks.
func (p publication) still(next publication) map[xds.NodeOf]wish {
	return those(p.wishes, next.questions)
}

// those are what is known of nodes that are asked.
func those(known map[xds.NodeOf]wish, asked func() map[xds.NodeOf]inquiry) map[xds.NodeOf]wish {
	all := map[xds.NodeOf]wish{}
	if len(known) == 0 {
		return all // as a rule: nobody is looked for among thousands
	}
	still := asked()
	for of, w := range known {
		if _, ok := still[of]; ok {
			all[of] = w
		}
	}
	return all
}

// draining are the nodes that ask to be drained.
func (p publication) draining() map[xds.NodeOf]bool {
	all := map[xds.NodeOf]bool{}
	for of, w := range p.wishes {
		if w.drain {
			all[of] = true
		}
	}
	return all
}

// notes are what the nodes say that an administrator should know.
func (p publication) notes() (all []string) {
	for _, known := range []map[xds.NodeOf]wish{p.wishes, p.drifts} {
		for _, of := range slices.SortedFunc(maps.Keys(known), func(a, b xds.NodeOf) int {
			return strings.Compare(a.Pool+"/"+a.Node, b.Pool+"/"+b.Node)
		}) {
			if note := known[of].note; note != "" {
				all = append(all, fmt.Sprintf("pool %s, node %s: %s", of.Pool, of.Node, note))
			}
		}
	}
	return all
}

// endings note since when nodes with TCP connections drain, and tell whose
// connections have to end by now, and when the next will have to.
func (l *loop) endings(p publication, now time.Time) (closing map[xds.NodeOf]bool, next time.Time) {
	since, closing := map[xds.NodeOf]time.Time{}, map[xds.NodeOf]bool{}
	for _, pool := range p.cluster.Pools {
		if pool.DrainTimeout == 0 {
			continue
		}
		for _, n := range pool.Nodes {
			of := xds.NodeOf{Pool: pool.Name, Node: n.Name}
			if n.State != model.Drain && (n.State != model.Active || !p.wishes[of].drain) {
				continue
			}
			since[of] = now
			if began, ok := l.drains[of]; ok {
				since[of] = began
			}
			if end := since[of].Add(pool.DrainTimeout.Std()); !now.Before(end) {
				closing[of] = true
			} else {
				next = earlier(next, end)
			}
		}
	}
	l.drains = since
	return closing, next
}

// hangUp ends the connections of those that have drained for long enough.
func (l *loop) hangUp(now time.Time) {
	if l.closeDue.IsZero() || now.Before(l.closeDue) {
		return
	}
	p := l.now
	p.translate()
	l.publish(p)
}
