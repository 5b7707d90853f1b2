// Tests what the figures rely on: answers are parsed correctly, however they are split.
package main

import (
	"strings"
	"testing"
	"time"
)

// Chunks and timestamps are found wherever the network splits the answer.
func TestReadsAnswersCutAnywhere(t *testing.T) {
	line := string(chunkBytes)
	putStamp(chunkBytes[stampAt:], 1234567890123456789)
	defer func() { copy(chunkBytes, line) }()
	whole := streamHead + string(chunkBytes) + string(chunkBytes) + string(doneBytes)
	for cut := 1; cut < len(whole); cut++ {
		var answer response
		var stamps stampReader
		var found []int64
		for _, piece := range []string{whole[:cut], whole[cut:]} {
			err := answer.read([]byte(piece), func(body []byte) {
				stamps.read(body, func(sentAt int64) { found = append(found, sentAt) })
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if answer.status != 200 || answer.part != complete || len(found) != 2 || found[1] != 1234567890123456789 {
			t.Fatalf("cut at %d: status %d, part %d, stamps %v", cut, answer.status, answer.part, found)
		}
	}
}

// A body of a known length ends with its last byte.
func TestReadsCountedAnswers(t *testing.T) {
	var answer response
	var body strings.Builder
	err := answer.read([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), func(piece []byte) { body.Write(piece) })
	if err != nil || answer.part != complete || body.String() != "hello" {
		t.Fatal(err, answer.part, body.String())
	}
}

// The 99th percentile of a hundred is the 99th of them.
func TestSpread(t *testing.T) {
	var samples []time.Duration
	for i := 100; i > 0; i-- {
		samples = append(samples, time.Duration(i)*time.Millisecond)
	}
	if s := spreadOf(samples); s.P50 != 50 || s.P99 != 99 || s.Max != 100 {
		t.Fatal(s)
	}
}
