// The time at which a chunk was sent, written into it, and read from whatever a gateway made of the answer.
package main

import "bytes"

const (
	stampMark   = '@'
	stampDigits = 19 // Unix nanoseconds
)

// putStamp writes `nanoseconds` over the digits at the start of `target`.
func putStamp(target []byte, nanoseconds int64) {
	for i := stampDigits - 1; i >= 0; i-- {
		target[i] = byte('0' + nanoseconds%10)
		nanoseconds /= 10
	}
}

// stampReader finds timestamps in a body that arrives in pieces, in any protocol's framing.
type stampReader struct {
	inside bool
	digits int
	value  int64
}

func (r *stampReader) read(body []byte, found func(sentAt int64)) {
	for len(body) > 0 {
		if !r.inside {
			at := bytes.IndexByte(body, stampMark)
			if at < 0 {
				return
			}
			body = body[at+1:]
			*r = stampReader{inside: true}
			continue
		}
		if digit := body[0] - '0'; digit <= 9 {
			r.value = r.value*10 + int64(digit)
			r.digits++
			body = body[1:]
		} else {
			r.inside = false
		}
		if r.digits == stampDigits {
			found(r.value)
			*r = stampReader{}
		}
	}
}
