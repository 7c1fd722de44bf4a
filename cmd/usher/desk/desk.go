// Package desk is the one way in which anything but a person's editor changes
// cluster.yaml: the verbs, the API and the console show here what a change would
// do, save it, look at those before, and take one back.
//
// It never decides what is served: the loop sees a save as it sees any other, and
// tells the journal of those that editors make. It overwrites nobody's change: who
// saves says which file was looked at, and is told when it is another one by then.
package desk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"usher/model"
	"usher/xds"
)

// ErrChanged says that the file is not what it was when the change was made up.
var ErrChanged = errors.New("the cluster file has changed meanwhile: look at it again")

// Check reads a text as the cluster file and says all that is wrong with it, as
// the loop would. The cluster is nil where it can't be read at all.
type Check func(ctx context.Context, text []byte) (*model.Cluster, model.Problems)

// Desk changes one cluster file.
type Desk struct {
	config string
	dir    string // of the journal
	check  Check
	seen   Seen // by Note
}

// Seen is a text that somebody has read as the cluster file already. The cluster is
// nil where it can't be read at all.
type Seen struct {
	Text     []byte
	Cluster  *model.Cluster
	Problems model.Problems
}

// read is what a text says, of the one that was seen without reading it again.
func (d *Desk) read(text []byte, seen ...Seen) (*model.Cluster, model.Problems) {
	for _, s := range seen {
		if (s.Cluster != nil || len(s.Problems) > 0) && bytes.Equal(s.Text, text) {
			return s.Cluster, s.Problems
		}
	}
	return model.Parse(d.config, text)
}

// New is a desk for a cluster file, with its journal in the state folder.
func New(config, stateDir string, check Check) *Desk {
	return &Desk{config: config, dir: filepath.Join(stateDir, "history"), check: check}
}

// File is the cluster file at one moment.
type File struct {
	Data []byte `json:"-"`
	Hash string `json:"hash"` // of its content
}

func fileOf(data []byte) File { return File{data, Hash(data)} }

// Hash is what tells one content of the file from another.
func Hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Read is the file as it is now.
func (d *Desk) Read() (File, error) {
	data, err := os.ReadFile(d.config)
	if err != nil {
		return File{}, fmt.Errorf("read the cluster file: %w", err)
	}
	return fileOf(data), nil
}

// Preview is what saving a change would do.
type Preview struct {
	Before    File             `json:"before"`
	After     File             `json:"after"`
	Diff      string           `json:"diff"`      // unified; empty where nothing changes
	Changes   []string         `json:"changes"`   // in words
	Effects   []string         `json:"effects"`   // on connections and sessions
	Resources []xds.Difference `json:"resources"` // that Envoy would be told
	Problems  model.Problems   `json:"problems"`  // why it would not be served
}

// Preview is what the edits would do to the file as it is now. With a base, the
// hash of what somebody has looked at, it is ErrChanged if that is another one.
// Edits that can't be made are an error; faults of the result are in the preview.
func (d *Desk) Preview(ctx context.Context, base string, edits ...model.Edit) (Preview, error) {
	f, err := d.Read()
	if err != nil {
		return Preview{}, err
	}
	if base != "" && base != f.Hash {
		return Preview{}, ErrChanged
	}
	after, err := model.Apply(d.config, f.Data, edits...)
	if err != nil {
		return Preview{}, err
	}
	return d.Compare(ctx, f.Data, after), nil
}

// Compare is what it would do to save one text in the place of another.
func (d *Desk) Compare(ctx context.Context, before, after []byte) Preview {
	p := Preview{Before: fileOf(before), After: fileOf(after), Diff: unified(filepath.Base(d.config), before, after)}
	p.Changes, p.Effects, p.Resources, p.Problems = []string{}, []string{}, []xds.Difference{}, model.Problems{}
	next, problems := d.check(ctx, after)
	p.Problems = append(p.Problems, problems...)
	was, faults := model.Parse(d.config, before)
	switch {
	case next == nil:
		return p
	case was == nil:
		p.Changes = []string{"the file before could not be read at all"}
		was = &model.Cluster{}
	}
	p.Changes = append(p.Changes, Changes(was, next)...)
	if len(p.Problems) > 0 {
		return p // what is not served has no effects
	}
	if len(faults) > 0 {
		p.Effects = append(p.Effects, "the file before has faults, and what runs is another one: its difference is not known here")
		return p
	}
	a, b := translated(was), translated(next)
	p.Resources = append(p.Resources, xds.Differences(a, b)...)
	p.Effects = append(p.Effects, effects(was, next, p.Resources)...)
	return p
}
