// Many paced streams at once: when the first chunk arrives, and how late each one is.
package main

import (
	"flag"
	"sync/atomic"
	"time"
)

type streamsResult struct {
	Streams    int      `json:"streams"`
	Complete   int      `json:"complete"`
	Failed     int      `json:"failed"`
	FirstChunk spread   `json:"first_chunk_ms"`
	Chunks     int      `json:"chunks"`
	Expected   int      `json:"expected"`
	Window     window   `json:"window"`
	Uploads    []upSent `json:"uploads,omitempty"`
}

// window is the time in which all streams are open.
type window struct {
	Seconds   float64 `json:"seconds"`
	Chunks    int     `json:"chunks"`
	Expected  int     `json:"expected"`
	PerSecond float64 `json:"per_second"`
	Delay     spread  `json:"delay_ms"`
}

type streamsPlan struct {
	count      int
	ramp       time.Duration
	chunks     int
	interval   time.Duration
	concurrent *uploadPlan
}

func streams(arguments []string) (any, error) {
	flags := flag.NewFlagSet("streams", flag.ExitOnError)
	common := commonFlags(flags)
	plan := streamsPlan{}
	flags.IntVar(&plan.count, "count", 32, "streams")
	flags.DurationVar(&plan.ramp, "ramp", time.Second, "time over which they start")
	flags.IntVar(&plan.chunks, "chunks", 100, "per stream, as requested in the body")
	flags.DurationVar(&plan.interval, "interval", 50*time.Millisecond, "between two chunks, as requested in the body")
	concurrent := uploadFlags(flags, "upload-")
	_ = flags.Parse(arguments)
	if concurrent.url != "" {
		concurrent.authorization = common.authorization
		plan.concurrent = concurrent
	}
	crowd, err := common.crowd()
	if err != nil {
		return nil, err
	}
	return plan.run(crowd)
}

func (plan streamsPlan) run(w *crowd) (streamsResult, error) {
	result := streamsResult{Streams: plan.count, Expected: plan.count * plan.chunks}
	var delays, firsts []time.Duration
	started := time.Now()
	from := started.Add(plan.ramp + plan.interval)
	to := started.Add(time.Duration(plan.chunks-1) * plan.interval)
	var uploading atomic.Bool
	w.onChunk = func(c *client, sentAt int64, receivedAt time.Time) {
		result.Chunks++
		// Also of answers that break off later, so that the longest waits are not left out.
		if c.chunks == 1 {
			firsts = append(firsts, c.first)
		}
		if plan.concurrent != nil && !uploading.Load() {
			return
		}
		if receivedAt.After(from) && receivedAt.Before(to) {
			delays = append(delays, time.Duration(receivedAt.UnixNano()-sentAt))
		}
	}
	w.onComplete = func(*client) bool {
		result.Complete++
		return false
	}
	uploads := plan.uploadBetween(from, to, &uploading)
	if err := plan.drive(w, started); err != nil {
		return result, err
	}
	result.Uploads = <-uploads
	result.Failed = w.failed
	result.FirstChunk = spreadOf(firsts)
	seconds := to.Sub(from).Seconds()
	result.Window = window{
		Seconds:   seconds,
		Chunks:    len(delays),
		Expected:  int(float64(plan.count) * seconds / plan.interval.Seconds()),
		PerSecond: float64(len(delays)) / seconds,
		Delay:     spreadOf(delays),
	}
	return result, nil
}

// drive starts the streams one by one, and waits until they have ended.
func (plan streamsPlan) drive(w *crowd, started time.Time) error {
	// Twice the time of a gateway that keeps up, plus the time that a start may wait.
	deadline := started.Add(2*(plan.ramp+time.Duration(plan.chunks)*plan.interval) + 30*time.Second)
	next := 0
	for next < plan.count || len(w.clients) > 0 {
		until := deadline
		for ; next < plan.count; next++ {
			if start := started.Add(plan.ramp * time.Duration(next) / time.Duration(plan.count)); start.After(time.Now()) {
				until = start
				break
			}
			if c := w.connect(); c != nil {
				w.ask(c)
			}
		}
		if time.Now().After(deadline) {
			w.failed += len(w.clients)
			return nil
		}
		if err := w.turn(until); err != nil {
			return err
		}
	}
	return nil
}

// uploadBetween uploads one file after another in the window, in its own thread.
func (plan streamsPlan) uploadBetween(from, to time.Time, uploading *atomic.Bool) <-chan []upSent {
	done := make(chan []upSent, 1)
	go func() {
		var sent []upSent
		defer func() { done <- sent }()
		if plan.concurrent == nil {
			return
		}
		time.Sleep(time.Until(from))
		uploading.Store(true)
		defer uploading.Store(false)
		for range plan.concurrent.repeat {
			if time.Now().After(to) {
				return
			}
			sent = append(sent, plan.concurrent.send())
		}
	}()
	return done
}
