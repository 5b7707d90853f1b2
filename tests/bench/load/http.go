// Just enough HTTP/1.1: requests as bytes, responses parsed as they arrive.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"syscall"
	"time"
)

// target is what a request goes to.
type target struct {
	address syscall.SockaddrInet4
	host    string
	path    string
}

func parseTarget(address string) (target, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return target{}, err
	}
	port, err := strconv.Atoi(parsed.Port())
	if err != nil {
		return target{}, fmt.Errorf("%s has no port", address)
	}
	within, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	found, err := net.DefaultResolver.LookupIP(within, "ip4", parsed.Hostname())
	if err != nil {
		return target{}, err
	}
	result := target{host: parsed.Host, path: parsed.RequestURI()}
	result.address.Port = port
	copy(result.address.Addr[:], found[0].To4())
	return result, nil
}

// head returns the request line and headers, without empty ones.
func (t target) head(method, authorization, contentType string, bodyBytes int) []byte {
	var head bytes.Buffer
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, t.path, t.host)
	if authorization != "" {
		fmt.Fprintf(&head, "Authorization: %s\r\n", authorization)
	}
	if contentType != "" {
		fmt.Fprintf(&head, "Content-Type: %s\r\nContent-Length: %d\r\n", contentType, bodyBytes)
	}
	head.WriteString("\r\n")
	return head.Bytes()
}

var errNotHTTP = errors.New("the answer is not HTTP/1.1")

type part int

const (
	inHead part = iota
	inLength
	inChunk
	afterChunk
	inTrailer
	inCounted
	complete
	inRest // until the connection ends
)

// response parses one response as its bytes arrive. Its zero value is ready for the next one.
type response struct {
	status int
	part   part
	line   []byte // of a head or a chunk length that arrived in pieces
	left   int64
}

// read passes the body's bytes to `body`, and returns when the response is complete.
func (r *response) read(data []byte, body func([]byte)) error {
	for len(data) > 0 && r.part != complete {
		var err error
		if data, err = r.step(data, body); err != nil {
			return err
		}
	}
	return nil
}

func (r *response) step(data []byte, body func([]byte)) ([]byte, error) {
	switch r.part {
	case inHead:
		return r.readHead(data)
	case inLength:
		line, rest := r.takeLine(data)
		if line == nil {
			return rest, nil
		}
		size, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 63)
		if err != nil {
			return nil, errNotHTTP
		}
		r.left, r.part = size, inChunk
		if size == 0 {
			r.part = inTrailer
		}
		return rest, nil
	case inChunk, inCounted:
		n := min(r.left, int64(len(data)))
		body(data[:n])
		if r.left -= n; r.left == 0 {
			r.part++ // afterChunk, complete
		}
		return data[n:], nil
	case afterChunk, inTrailer:
		line, rest := r.takeLine(data)
		if line != nil && r.part == afterChunk {
			r.part = inLength
		} else if line != nil && len(bytes.TrimSpace(line)) == 0 {
			r.part = complete
		}
		return rest, nil
	default:
		body(data)
		return nil, nil
	}
}

// takeLine returns a complete line, or nil if there is none yet.
func (r *response) takeLine(data []byte) (line, rest []byte) {
	end := bytes.IndexByte(data, '\n')
	if end < 0 {
		r.line = append(r.line, data...)
		return nil, nil
	}
	line = data[:end+1]
	if len(r.line) > 0 {
		line = append(r.line, line...)
		r.line = nil
	}
	return line, data[end+1:]
}

func (r *response) readHead(data []byte) ([]byte, error) {
	before := len(r.line)
	r.line = append(r.line, data...)
	end := bytes.Index(r.line, []byte("\r\n\r\n"))
	if end < 0 {
		return nil, nil
	}
	head := bytes.ToLower(r.line[:end+2])
	r.line = nil
	if len(head) < 12 || !bytes.HasPrefix(head, []byte("http/1.1 ")) {
		return nil, errNotHTTP
	}
	r.status, _ = strconv.Atoi(string(head[9:12]))
	r.part = inRest
	if bytes.Contains(head, []byte("\r\ntransfer-encoding: chunked\r\n")) {
		r.part = inLength
	} else if length, found := headerNumber(head, "content-length"); found {
		r.left, r.part = length, inCounted
		if length == 0 {
			r.part = complete
		}
	}
	return data[end+4-before:], nil
}

// headerNumber finds a header's number in a lower-case head.
func headerNumber(head []byte, name string) (int64, bool) {
	_, after, found := bytes.Cut(head, []byte("\r\n"+name+":"))
	if !found {
		return 0, false
	}
	value, _, _ := bytes.Cut(after, []byte("\r\n"))
	number, err := strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 63)
	return number, err == nil
}
