package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"usher/model"
)

// filePage is the manual of the cluster file.
func filePage(chapters []model.Chapter, version string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%% \"USHER-CLUSTER.YAML\" \"5\" %q \"usher %s\" \"usher\"\n", manualDate().Format("Jan 2006"), version)
	b.WriteString("# NAME\nusher-cluster.yaml \\- the file that usher serves\n\n# DESCRIPTION\n")
	b.WriteString("Paths count in whole segments, and the first match in the file's order wins. Durations are written as Go does (300ms, 1h30m) or in days (90d). " +
		"Relative file names count from the folder of the file. An unknown key is a fault.\n\n")
	for _, c := range chapters {
		fmt.Fprintf(&b, "# %s\n%s\n\n", escaped(c.Title), escaped(c.Doc))
		for _, k := range c.Keys {
			fmt.Fprintf(&b, "**%s**\n: %s\n\n", escaped(k.Name), escaped(k.Doc))
		}
	}
	fmt.Fprintf(&b, "# EXAMPLE\n```\n%s```\n\n# SEE ALSO\n**usher**(1), **usher-check**(1), **usher-schema**(1)\n", starter)
	return b.String()
}

// manualDate is that of the build where it says one, so that equal sources make
// equal pages (reproducible-builds.org).
func manualDate() time.Time {
	var seconds int64
	if _, err := fmt.Sscan(os.Getenv("SOURCE_DATE_EPOCH"), &seconds); err != nil {
		return time.Now()
	}
	return time.Unix(seconds, 0)
}
