// bytes.go turns weights into bytes.

package stats

// InBytes returns s with its weights as bytes: for a part whose entries weigh what they take. The
// samples of s are changed.
func (s Snapshot) InBytes() Snapshot {
	for i, sample := range s.Samples {
		switch sample.Metric {
		case Weight.Name:
			s.Samples[i] = Bytes.Is(sample.Value)
		case WeightLimit.Name:
			s.Samples[i] = BytesLimit.Is(sample.Value)
		}
	}
	return s
}

// Of returns the samples of some metrics, in their order.
func (s Snapshot) Of(metrics ...Metric) (some []Sample) {
	for _, sample := range s.Samples {
		for _, m := range metrics {
			if sample.Metric == m.Name {
				some = append(some, sample)
			}
		}
	}
	return some
}
