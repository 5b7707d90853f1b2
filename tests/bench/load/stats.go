// Summarises samples in the report's units.
package main

import (
	"math"
	"slices"
	"time"
)

// spread is in milliseconds.
type spread struct {
	Samples int     `json:"samples"`
	P50     float64 `json:"p50"`
	P99     float64 `json:"p99"`
	Max     float64 `json:"max"`
}

func spreadOf(samples []time.Duration) spread {
	if len(samples) == 0 {
		return spread{}
	}
	slices.Sort(samples)
	at := func(share float64) float64 {
		rank := int(math.Ceil(share*float64(len(samples)))) - 1
		return samples[max(0, rank)].Seconds() * 1000
	}
	return spread{Samples: len(samples), P50: at(0.5), P99: at(0.99), Max: at(1)}
}

func megabytesPerSecond(bytes int64, took time.Duration) float64 {
	return float64(bytes) / 1e6 / took.Seconds()
}
