// A fake Ollama: answers as long and as fast as each request says, with the time of sending in each chunk.
//
// One thread, prepared bytes and a timer wheel, so that 2,000 streams of 20 chunks a second leave the cores to the gateway.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	wheelSlots    = 4096 // of a millisecond each
	maxBurstBytes = 64 << 10
	jsonHead      = "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s"
	streamHead    = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
	modelJSON     = `{"name":"bench:latest","model":"bench:latest","modified_at":"2026-01-01T00:00:00Z","size":145000000,` +
		`"digest":"9077fe9d2ae1a4a41a868836b56b8163731a8fe16621397028c2c76f838c6907","details":{"parent_model":"",` +
		`"format":"gguf","family":"llama","families":["llama"],"parameter_size":"134.52M","quantization_level":"Q8_0"}}`
	showJSON = `{"modelfile":"","parameters":"","template":"","details":{"format":"gguf","family":"llama"},` +
		`"model_info":{"general.architecture":"llama","llama.context_length":8192},"capabilities":["completion"]}`
)

// A line as Ollama sends it, as one HTTP chunk; the time goes after the mark.
var (
	chunkBytes = asChunk(`{"model":"bench","created_at":"2026-01-01T00:00:00.000000000Z","message":{"role":"assistant","content":" @0000000000000000000"},"done":false}` + "\n")
	doneBytes  = append(asChunk(`{"model":"bench","created_at":"2026-01-01T00:00:00.000000000Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop",`+
		`"total_duration":1000000000,"load_duration":1000000,"prompt_eval_count":10,"prompt_eval_duration":1000000,"eval_count":10,"eval_duration":1000000000}`+"\n"), "0\r\n\r\n"...)
	stampAt   = bytes.IndexByte(chunkBytes, stampMark) + 1
	blobBytes = bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
)

func asChunk(line string) []byte { return fmt.Appendf(nil, "%x\r\n%s\r\n", len(line), line) }

// answerShape is the answer that a request's `options` ask for.
type answerShape struct {
	Stream  *bool `json:"stream"`
	Options struct {
		Chunks     int     `json:"chunks"`
		IntervalMS float64 `json:"interval_ms"`
	} `json:"options"`
}

type fakeConn struct {
	fd       int
	in       []byte // of an incomplete request
	discard  int64  // bytes of a body to skip
	out      []byte // not yet taken by the socket
	blobLeft int64
	chunks   int // remaining in the current answer
	interval time.Duration
	due      time.Time
	closed   bool
}

func (c *fakeConn) answering() bool { return c.chunks > 0 || c.blobLeft > 0 || len(c.out) > 0 }

type fake struct {
	*poller
	listener int
	conns    map[int]*fakeConn
	wheel    [wheelSlots][]*fakeConn
	turned   int64 // the last millisecond that the wheel has reached
	paced    int   // streams on the wheel
	buffer   []byte
}

func serveFake(port int) error {
	polling, err := newPoller()
	if err != nil {
		return err
	}
	listener, err := listen(port)
	if err != nil {
		return err
	}
	server := &fake{poller: polling, listener: listener, conns: map[int]*fakeConn{}, buffer: make([]byte, 256<<10)}
	if err := server.add(listener, syscall.EPOLLIN); err != nil {
		return err
	}
	for {
		if err := server.turn(); err != nil {
			return err
		}
	}
}

func (s *fake) turn() error {
	var until time.Time
	if s.paced > 0 {
		until = time.UnixMilli(s.turned + 1)
	}
	ready, err := s.wait(until)
	if err != nil {
		return err
	}
	if s.paced == 0 { // it was stopped
		s.turned = time.Now().UnixMilli()
	}
	for _, event := range ready {
		s.handle(event)
	}
	s.turnWheel(time.Now())
	return nil
}

func (s *fake) handle(event syscall.EpollEvent) {
	if int(event.Fd) == s.listener {
		s.accept()
		return
	}
	c := s.conns[int(event.Fd)]
	if c == nil {
		return
	}
	if event.Events&syscall.EPOLLOUT != 0 {
		s.push(c)
	}
	if event.Events&^syscall.EPOLLOUT != 0 {
		s.receive(c)
	}
}

func (s *fake) accept() {
	for {
		fd, _, err := syscall.Accept4(s.listener, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
		if err != nil {
			return
		}
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
		s.conns[fd] = &fakeConn{fd: fd}
		if s.add(fd, whenReadable) != nil {
			s.close(s.conns[fd])
		}
	}
}

func (s *fake) close(c *fakeConn) {
	if c.closed {
		return
	}
	c.closed = true
	delete(s.conns, c.fd)
	syscall.Close(c.fd)
}

func (s *fake) receive(c *fakeConn) {
	n, err := syscall.Read(c.fd, s.buffer)
	if err == syscall.EAGAIN {
		return
	}
	if err != nil || n == 0 {
		s.close(c)
		return
	}
	data := s.buffer[:n]
	if c.discard > 0 {
		taken := min(c.discard, int64(n))
		c.discard -= taken
		if data = data[taken:]; c.discard > 0 {
			return
		}
		s.send(c, fmt.Appendf(nil, jsonHead, 2, "{}"))
	}
	c.in = append(c.in, data...)
	s.serveWaiting(c)
}

// serveWaiting answers the complete requests in order.
func (s *fake) serveWaiting(c *fakeConn) {
	for len(c.in) > 0 && !c.closed && !c.answering() && c.discard == 0 {
		head, rest, whole := bytes.Cut(c.in, []byte("\r\n\r\n"))
		if !whole {
			return
		}
		line, _, _ := strings.Cut(string(head), "\r\n")
		method, path, _ := strings.Cut(line, " ")
		path, _, _ = strings.Cut(path, " ")
		length, _ := headerNumber(append(bytes.ToLower(head), "\r\n"...), "content-length")
		if strings.HasPrefix(path, "/sink") {
			c.in = nil
			c.discard = length - int64(len(rest))
			if c.discard <= 0 {
				c.discard = 0
				s.send(c, fmt.Appendf(nil, jsonHead, 2, "{}"))
			}
			return
		}
		if int64(len(rest)) < length {
			return
		}
		body := rest[:length]
		s.answer(c, method, path, body)
		c.in = append([]byte(nil), rest[length:]...)
	}
}

func (s *fake) answer(c *fakeConn, method, path string, body []byte) {
	text := `{"version":"0.34.2"}`
	switch {
	case method == "POST" && path != "/api/show":
		s.startStream(c, body)
		return
	case path == "/api/status":
		text = `{"cloud":{"disabled":true}}`
	case path == "/api/tags":
		text = `{"models":[` + modelJSON + `]}`
	case path == "/api/show":
		text = showJSON
	case strings.HasPrefix(path, "/blob/"):
		c.blobLeft, _ = strconv.ParseInt(path[len("/blob/"):], 10, 63)
		s.send(c, fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", c.blobLeft))
		s.push(c)
		return
	}
	s.send(c, fmt.Appendf(nil, jsonHead, len(text), text))
}

func (s *fake) startStream(c *fakeConn, body []byte) {
	var shape answerShape
	shape.Options.Chunks = 1
	_ = json.Unmarshal(body, &shape)
	if shape.Stream != nil && !*shape.Stream {
		text := `{"model":"bench","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"whole"},"done":true,"done_reason":"stop"}`
		s.send(c, fmt.Appendf(nil, jsonHead, len(text), text))
		return
	}
	c.chunks = max(1, shape.Options.Chunks)
	c.interval = time.Duration(shape.Options.IntervalMS * float64(time.Millisecond))
	c.due = time.Now().Add(c.interval)
	s.send(c, s.nextLines(c, []byte(streamHead)))
	if c.interval == 0 {
		s.push(c)
	} else if c.chunks > 0 {
		s.paced++
		s.schedule(c)
	}
}

// nextLines appends a line, or a burst of them without pacing, and the end after the last.
func (s *fake) nextLines(c *fakeConn, out []byte) []byte {
	for first := true; c.chunks > 0 && (first || c.interval == 0 && len(out) < maxBurstBytes); first = false {
		start := len(out)
		out = append(out, chunkBytes...)
		putStamp(out[start+stampAt:], time.Now().UnixNano())
		c.chunks--
	}
	if c.chunks == 0 {
		out = append(out, doneBytes...)
	}
	return out
}

func (s *fake) schedule(c *fakeConn) {
	// Not into the current slot, which is due again only after four seconds.
	slot := max(c.due.UnixMilli(), s.turned+1) % wheelSlots
	s.wheel[slot] = append(s.wheel[slot], c)
}

func (s *fake) turnWheel(now time.Time) {
	for s.paced > 0 && s.turned < now.UnixMilli() {
		s.turned++
		slot := s.turned % wheelSlots
		waiting := s.wheel[slot]
		s.wheel[slot] = nil
		for _, c := range waiting {
			s.tick(c, now)
		}
	}
}

func (s *fake) tick(c *fakeConn, now time.Time) {
	if c.closed {
		s.paced--
		return
	}
	if c.due.After(now.Add(time.Millisecond)) { // due in a later round of the wheel
		s.schedule(c)
		return
	}
	s.send(c, s.nextLines(c, s.buffer[:0]))
	if c.chunks == 0 || c.closed {
		s.paced--
		s.serveWaiting(c)
		return
	}
	c.due = c.due.Add(c.interval)
	s.schedule(c)
}

// send writes what the socket takes and keeps the rest.
func (s *fake) send(c *fakeConn, data []byte) {
	if c.closed {
		return
	}
	if len(c.out) == 0 {
		n, err := syscall.Write(c.fd, data)
		if err != nil && err != syscall.EAGAIN {
			s.close(c)
			return
		}
		if data = data[max(0, n):]; len(data) == 0 {
			return
		}
		s.change(c.fd, whenReadable|whenWritable)
	}
	c.out = append(c.out, data...)
}

// push continues an unpaced answer until the socket is full.
func (s *fake) push(c *fakeConn) {
	if len(c.out) > 0 {
		rest := c.out
		c.out = nil
		s.send(c, rest)
	}
	for len(c.out) == 0 && !c.closed {
		switch {
		case c.blobLeft > 0:
			n := min(c.blobLeft, int64(len(blobBytes)))
			c.blobLeft -= n
			s.send(c, blobBytes[:n])
		case c.chunks > 0 && c.interval == 0:
			s.send(c, s.nextLines(c, s.buffer[:0]))
		default:
			s.change(c.fd, whenReadable)
			s.serveWaiting(c)
			return
		}
	}
}
