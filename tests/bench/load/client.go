// Connections of the load generator, all on one poller, each with at most one request under way.
package main

import (
	"errors"
	"runtime"
	"syscall"
	"time"
)

var errTooLate = errors.New("the scenario did not end in time")

// client is one connection. Its owner sets the callbacks.
type client struct {
	fd        int
	request   []byte
	unsent    []byte
	connected bool
	answer    response
	stamps    stampReader
	sentAt    time.Time
	chunks    int           // of this answer, so far
	first     time.Duration // until its first chunk
	ended     bool
	whole     bool
}

// crowd is a scenario's connections and what happens on them.
type crowd struct {
	*poller
	to      target
	request []byte
	clients map[int]*client
	buffer  []byte
	failed  int

	onChunk func(c *client, sentAt int64, receivedAt time.Time)
	// onComplete returns whether the client sends its request again.
	onComplete func(c *client) (again bool)
}

func newCrowd(to target, request []byte) (*crowd, error) {
	polling, err := newPoller()
	// The thread is only this goroutine's: no switch between a socket's readiness and reading it.
	runtime.LockOSThread()
	return &crowd{poller: polling, to: to, request: request, clients: map[int]*client{}, buffer: make([]byte, 64<<10),
		onChunk: func(*client, int64, time.Time) {}, onComplete: func(*client) bool { return false }}, err
}

// connect opens a connection without sending anything.
func (w *crowd) connect() *client {
	fd, err := openSocket(&w.to.address)
	if err != nil {
		w.failed++
		return nil
	}
	c := &client{fd: fd}
	w.clients[fd] = c
	if w.add(fd, whenReadable|whenWritable) != nil {
		w.drop(c)
	}
	return c
}

// ask sends the request as soon as the connection is established.
func (w *crowd) ask(c *client) {
	c.answer, c.stamps, c.chunks, c.first, c.whole = response{}, stampReader{}, 0, 0, false
	c.request = w.request
	if c.connected {
		w.write(c)
	}
}

func (w *crowd) write(c *client) {
	if c.request != nil {
		c.unsent, c.request, c.sentAt = c.request, nil, time.Now()
	}
	n, err := syscall.Write(c.fd, c.unsent)
	if err != nil && err != syscall.EAGAIN {
		w.drop(c)
		return
	}
	if c.unsent = c.unsent[max(0, n):]; len(c.unsent) > 0 {
		w.change(c.fd, whenReadable|whenWritable)
	}
}

func (w *crowd) drop(c *client) {
	if c.ended {
		return
	}
	c.ended = true
	delete(w.clients, c.fd)
	syscall.Close(c.fd)
	if !c.whole {
		w.failed++
	}
}

// turn handles events until then.
func (w *crowd) turn(until time.Time) error {
	ready, err := w.wait(until)
	if err != nil {
		return err
	}
	for _, event := range ready {
		if c := w.clients[int(event.Fd)]; c != nil {
			w.handle(c, event.Events)
		}
	}
	return nil
}

func (w *crowd) handle(c *client, events uint32) {
	if events&syscall.EPOLLOUT != 0 {
		c.connected = true
		w.change(c.fd, whenReadable)
		if c.request != nil || len(c.unsent) > 0 {
			w.write(c)
		}
	}
	if events&^syscall.EPOLLOUT != 0 && !c.ended {
		w.receive(c)
	}
}

func (w *crowd) receive(c *client) {
	n, err := syscall.Read(c.fd, w.buffer)
	if err == syscall.EAGAIN {
		return
	}
	if err != nil || n == 0 {
		w.drop(c)
		return
	}
	now := time.Now()
	err = c.answer.read(w.buffer[:n], func(body []byte) {
		c.stamps.read(body, func(sentAt int64) {
			if c.chunks++; c.chunks == 1 {
				c.first = now.Sub(c.sentAt)
			}
			w.onChunk(c, sentAt, now)
		})
	})
	if err != nil || c.answer.status >= 300 {
		w.drop(c)
		return
	}
	if c.answer.part == complete {
		c.whole = true
		if w.onComplete(c) {
			w.ask(c)
		} else {
			w.drop(c)
		}
	}
}
