package httpd

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"usher/model"
)

// nicknames finds the formats that logs are written in.
func (t *translation) nicknames() {
	for _, s := range append([]*server{t.main}, t.hosts...) {
		for _, d := range s.those("logformat") {
			if name := d.arg(1); name != "" {
				t.formats[name] = d
			}
		}
	}
}

// logged takes CustomLog and TransferLog: a listener has one access log.
func (t *translation) logged(l *listener, s *server) {
	for _, d := range s.nearest("customlog", "transferlog") {
		switch {
		case l.AccessLog != nil:
			d.say(NotCarried, "a listener has one access log, which says more than several of httpd's: another was taken")
		case strings.HasPrefix(d.arg(0), "|"):
			l.AccessLog = &model.AccessLog{Format: model.LogCombined}
			d.say(Approximated, "to the standard output in the place of a program; a file is opened anew on SIGUSR1")
		case strings.HasPrefix(d.arg(0), "syslog"):
			l.AccessLog = &model.AccessLog{Format: model.LogCombined}
			d.say(Approximated, "to the standard output, which systemd or a container engine collects")
		case d.arg(0) == "":
		case strings.Contains(d.arg(0), "${"):
			l.AccessLog = &model.AccessLog{Format: model.LogCombined}
			d.say(Approximated, "to the standard output, for nothing says where the folder is: name it as file")
		default:
			l.AccessLog = &model.AccessLog{File: t.logFile(d.arg(0))}
			t.format(l.AccessLog, d)
			t.homeless(l.AccessLog, d)
		}
	}
}

// homeless turns to the standard output where the log's folder is not on this
// machine, for Envoy makes none.
func (t *translation) homeless(a *model.AccessLog, d *directive) {
	if a.File == model.Stdout {
		return
	}
	folder := path.Dir(t.absolute(a.File))
	if info, err := fs.Stat(t.fsys, onDisk(folder)); err == nil && info.IsDir() {
		return
	}
	a.File = ""
	d.amend(d.brief(), Approximated, fmt.Sprintf("to the standard output, for %s is not on this machine: make the folder, and name the file", folder))
}

// logFile is where the log is written. Names count from the ServerRoot in httpd.
func (t *translation) logFile(name string) string {
	switch {
	case name == "/dev/stdout", strings.HasPrefix(name, "/proc/self/fd/"), strings.HasPrefix(name, "/dev/fd/"):
		return model.Stdout
	case path.IsAbs(name):
		return path.Clean(name)
	case t.serverRoot != "":
		return path.Join(t.serverRoot, name)
	}
	return name
}

// format takes the nearest that usher has, and says what it is.
func (t *translation) format(a *model.AccessLog, d *directive) {
	text := d.arg(1)
	if f := t.formats[text]; f != nil {
		text = f.arg(0)
		if !f.said() {
			f.say(Carried, "")
		}
	}
	a.Format = model.LogCombined
	condition := slices.ContainsFunc(d.args[min(2, len(d.args)):], func(w string) bool { return strings.Contains(w, "=") })
	switch {
	case strings.HasPrefix(strings.TrimSpace(text), "{"):
		a.Format = model.LogJSON
		d.say(Approximated, "as JSON, with usher's keys")
	case condition:
		d.say(Approximated, "every request, whatever its environment")
	case text == "combined", strings.HasPrefix(text, "%h %l %u %t") && strings.Contains(text, "%{Referer}i"):
		d.say(Carried, "combined, with what became of the session behind it")
	default:
		d.say(Approximated, "combined, with what became of the session behind it")
	}
}
