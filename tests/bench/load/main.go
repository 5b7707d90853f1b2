// The benchmark's two ends in one program: a fake Ollama, and clients that measure the gateway in between.
//
//	load fake          answers like Ollama on :11434, paced as each request says
//	load sequential    first chunk, one request at a time
//	load streams       first chunk and delay of each chunk of many paced streams, with or without a concurrent upload
//	load burst         first chunk of many simultaneous requests
//	load rate          answers per second
//	load download      MB/s of a download
//	load upload        MB/s of an upload, as a form or by PUT
//
// Each scenario prints one JSON object. tests/bench runs them; `load SCENARIO -h` lists the flags.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
)

var scenarios = map[string]func([]string) (any, error){
	"sequential": sequential,
	"streams":    streams,
	"burst":      burst,
	"rate":       rate,
	"download":   download,
	"upload":     upload,
}

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("usage: load fake | sequential | streams | burst | rate | download | upload"))
	}
	if os.Args[1] == "fake" {
		fail(serveFake(11434))
	}
	scenario, known := scenarios[os.Args[1]]
	if !known {
		fail(fmt.Errorf("unknown scenario %q", os.Args[1]))
	}
	// A scenario takes seconds; a garbage collection during it would be measured too.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(1 << 30)
	result, err := scenario(os.Args[2:])
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "load:", err)
	os.Exit(1)
}
