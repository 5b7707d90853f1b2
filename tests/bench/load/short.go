// Short requests: one at a time, many at once, as many as possible.
package main

import (
	"flag"
	"time"
)

type commonOptions struct {
	url, authorization, method, body string
}

func commonFlags(flags *flag.FlagSet) *commonOptions {
	options := &commonOptions{}
	flags.StringVar(&options.url, "url", "", "URL")
	flags.StringVar(&options.authorization, "authorization", "", "header, if any")
	flags.StringVar(&options.method, "method", "POST", "")
	flags.StringVar(&options.body, "body", "", "JSON, if any")
	return options
}

func (o *commonOptions) crowd() (*crowd, error) {
	to, err := parseTarget(o.url)
	if err != nil {
		return nil, err
	}
	contentType := ""
	if o.body != "" {
		contentType = "application/json"
	}
	return newCrowd(to, append(to.head(o.method, o.authorization, contentType, len(o.body)), o.body...))
}

type firstChunkResult struct {
	Requests   int    `json:"requests"`
	Failed     int    `json:"failed"`
	FirstChunk spread `json:"first_chunk_ms"`
}

// sequential sends one request at a time on one connection. The first tenth is a warm-up.
func sequential(arguments []string) (any, error) {
	flags := flag.NewFlagSet("sequential", flag.ExitOnError)
	common := commonFlags(flags)
	count := flags.Int("count", 200, "requests")
	_ = flags.Parse(arguments)
	w, err := common.crowd()
	if err != nil {
		return nil, err
	}
	var firsts []time.Duration
	done := 0
	w.onComplete = func(c *client) bool {
		if done++; done > *count/10 {
			firsts = append(firsts, c.first)
		}
		return done < *count+*count/10
	}
	if c := w.connect(); c != nil {
		w.ask(c)
	}
	err = w.untilAllEnded(60 * time.Second)
	return firstChunkResult{Requests: *count, Failed: *count - len(firsts), FirstChunk: spreadOf(firsts)}, err
}

// burst sends on open connections at once, several times. All clocks start at the same instant.
func burst(arguments []string) (any, error) {
	flags := flag.NewFlagSet("burst", flag.ExitOnError)
	common := commonFlags(flags)
	count := flags.Int("count", 256, "simultaneous requests")
	repeat := flags.Int("repeat", 5, "number of bursts")
	_ = flags.Parse(arguments)
	w, err := common.crowd()
	if err != nil {
		return nil, err
	}
	var firsts []time.Duration
	var instant time.Time
	w.onComplete = func(c *client) bool {
		firsts = append(firsts, c.sentAt.Add(c.first).Sub(instant))
		return false
	}
	for range *repeat {
		if err := w.connectAll(*count); err != nil {
			return nil, err
		}
		instant = time.Now()
		for _, c := range w.clients {
			w.ask(c)
		}
		if err := w.untilAllEnded(60 * time.Second); err != nil {
			return nil, err
		}
	}
	return firstChunkResult{Requests: *count * *repeat, Failed: w.failed, FirstChunk: spreadOf(firsts)}, nil
}

type rateResult struct {
	Answers   int     `json:"answers"`
	Failed    int     `json:"failed"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"per_second"`
}

// rate sends without pauses on a fixed number of connections.
func rate(arguments []string) (any, error) {
	flags := flag.NewFlagSet("rate", flag.ExitOnError)
	common := commonFlags(flags)
	connections := flags.Int("connections", 32, "")
	seconds := flags.Duration("time", 3*time.Second, "")
	_ = flags.Parse(arguments)
	w, err := common.crowd()
	if err != nil {
		return nil, err
	}
	if err := w.connectAll(*connections); err != nil {
		return nil, err
	}
	started := time.Now()
	deadline := started.Add(*seconds)
	answers := 0
	w.onComplete = func(*client) bool {
		answers++
		return true
	}
	for _, c := range w.clients {
		w.ask(c)
	}
	for time.Now().Before(deadline) && len(w.clients) > 0 {
		if err := w.turn(deadline); err != nil {
			return nil, err
		}
	}
	took := time.Since(started).Seconds()
	return rateResult{Answers: answers, Failed: w.failed, Seconds: took, PerSecond: float64(answers) / took}, nil
}

// connectAll opens connections a millisecond apart, so that they spread over a gateway's workers as in practice.
func (w *crowd) connectAll(count int) error {
	for range count {
		w.connect()
		if err := w.turn(time.Now().Add(time.Millisecond)); err != nil {
			return err
		}
	}
	rest := time.Now().Add(100 * time.Millisecond)
	for time.Now().Before(rest) {
		if err := w.turn(rest); err != nil {
			return err
		}
	}
	return nil
}

func (w *crowd) untilAllEnded(within time.Duration) error {
	deadline := time.Now().Add(within)
	for len(w.clients) > 0 {
		if time.Now().After(deadline) {
			return errTooLate
		}
		if err := w.turn(deadline); err != nil {
			return err
		}
	}
	return nil
}
