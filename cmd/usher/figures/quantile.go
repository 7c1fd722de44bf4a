package figures

// quantile is the time, in ms, within which that share of the requests was answered:
// as good as the buckets of Envoy's bootstrap are fine. 0 without requests.
func (t *Timing) quantile(share float64) float64 {
	if t == nil {
		return 0
	}
	total := 0.0
	for _, n := range t.Counts {
		total += n
	}
	if total == 0 || len(t.Bounds) == 0 {
		return 0
	}
	rank, below, from := share*total, 0.0, 0.0
	for i, bound := range t.Bounds {
		n := t.Counts[i]
		if n > 0 && below+n >= rank {
			return from + (bound-from)*(rank-below)/n
		}
		below, from = below+n, bound
	}
	return from // longer than the longest bound
}
