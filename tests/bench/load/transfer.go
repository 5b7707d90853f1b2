// Large files, one at a time: download and upload speed.
package main

import (
	"crypto/rand"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

const transferTimeout = 60 * time.Second

func dial(to target) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp4", fmt.Sprintf("%s:%d", net.IP(to.address.Addr[:]), to.address.Port), 5*time.Second)
	if err == nil {
		err = conn.SetDeadline(time.Now().Add(transferTimeout))
	}
	return conn, err
}

type downloadResult struct {
	Bytes              int64   `json:"bytes"`
	Seconds            float64 `json:"seconds"`
	MegabytesPerSecond float64 `json:"megabytes_per_second"`
}

func download(arguments []string) (any, error) {
	flags := flag.NewFlagSet("download", flag.ExitOnError)
	common := commonFlags(flags)
	_ = flags.Parse(arguments)
	to, err := parseTarget(common.url)
	if err != nil {
		return nil, err
	}
	conn, err := dial(to)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	started := time.Now()
	if _, err := conn.Write(to.head("GET", common.authorization, "", 0)); err != nil {
		return nil, err
	}
	status, received, err := readAnswer(conn, func([]byte) {})
	if err != nil {
		return nil, err
	}
	if status != 200 {
		return nil, fmt.Errorf("status %d", status)
	}
	took := time.Since(started)
	return downloadResult{received, took.Seconds(), megabytesPerSecond(received, took)}, nil
}

func readAnswer(conn net.Conn, body func([]byte)) (status int, bodyBytes int64, err error) {
	var answer response
	buffer := make([]byte, 1<<20)
	for answer.part != complete {
		n, err := conn.Read(buffer)
		if err != nil {
			return answer.status, bodyBytes, err
		}
		err = answer.read(buffer[:n], func(piece []byte) {
			bodyBytes += int64(len(piece))
			body(piece)
		})
		if err != nil {
			return answer.status, bodyBytes, err
		}
	}
	return answer.status, bodyBytes, nil
}

type uploadPlan struct {
	url           string
	authorization string
	form          bool
	image         bool
	megabytes     int
	repeat        int
	fsync         string
}

func uploadFlags(flags *flag.FlagSet, prefix string) *uploadPlan {
	plan := &uploadPlan{}
	flags.StringVar(&plan.url, prefix+"url", "", "URL; %d becomes the number of the upload")
	flags.BoolVar(&plan.form, prefix+"form", false, "as a form's field `file`; else by PUT")
	flags.BoolVar(&plan.image, prefix+"image", false, "as a PNG, whose content is not read as text")
	flags.IntVar(&plan.megabytes, prefix+"megabytes", 200, "size in MB of 1,000,000 bytes")
	flags.IntVar(&plan.repeat, prefix+"repeat", 1, "uploads, one after another")
	flags.StringVar(&plan.fsync, prefix+"fsync", "", "local folder that receives the file, which is flushed to disk within the measured time")
	return plan
}

// upSent is one upload. `Error` is any answer other than success.
type upSent struct {
	Seconds            float64 `json:"seconds"`
	MegabytesPerSecond float64 `json:"megabytes_per_second"`
	Answer             string  `json:"answer,omitempty"`
	Error              string  `json:"error,omitempty"`
}

func upload(arguments []string) (any, error) {
	flags := flag.NewFlagSet("upload", flag.ExitOnError)
	plan := uploadFlags(flags, "")
	flags.StringVar(&plan.authorization, "authorization", "", "header, if any")
	_ = flags.Parse(arguments)
	var sent []upSent
	for range plan.repeat {
		sent = append(sent, plan.send())
	}
	return map[string]any{"uploads": sent}, nil
}

var uploadsSent int

func (plan *uploadPlan) send() upSent {
	uploadsSent++
	address := strings.ReplaceAll(plan.url, "%d", fmt.Sprint(uploadsSent))
	started := time.Now()
	answer, err := plan.sendTo(address)
	took := time.Since(started)
	if err != nil {
		return upSent{Seconds: took.Seconds(), Error: err.Error()}
	}
	return upSent{Seconds: took.Seconds(), MegabytesPerSecond: megabytesPerSecond(int64(plan.megabytes)*1e6, took), Answer: answer}
}

func (plan *uploadPlan) sendTo(address string) (string, error) {
	to, err := parseTarget(address)
	if err != nil {
		return "", err
	}
	conn, err := dial(to)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := plan.writeRequest(conn, to); err != nil {
		return "", err
	}
	var answer strings.Builder
	status, _, err := readAnswer(conn, func(piece []byte) { answer.Write(piece) })
	if err != nil {
		return "", err
	}
	if status >= 300 {
		return "", fmt.Errorf("status %d: %s", status, answer.String())
	}
	return strings.TrimSpace(answer.String()), plan.flush(to)
}

func (plan *uploadPlan) writeRequest(conn net.Conn, to target) error {
	const boundary = "----------localchat-bench"
	before, after := "", ""
	method, contentType := "PUT", "text/plain"
	if plan.form {
		method, contentType = "POST", "multipart/form-data; boundary="+boundary
		name := "bench.txt"
		if plan.image {
			name = "bench.png"
		}
		before = "--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + name + "\"\r\n\r\n"
		after = "\r\n--" + boundary + "--\r\n"
	}
	if plan.image {
		before += pngHead
	}
	size := plan.megabytes*1e6 - len(before)
	if _, err := conn.Write(append(to.head(method, plan.authorization, contentType, len(before)+size+len(after)), before...)); err != nil {
		return err
	}
	for left := size; left > 0; {
		n, err := conn.Write(text[:min(left, len(text))])
		if err != nil {
			return err
		}
		left -= n
	}
	_, err := io.WriteString(conn, after)
	return err
}

func (plan *uploadPlan) flush(to target) error {
	if plan.fsync == "" {
		return nil
	}
	file, err := os.Open(plan.fsync + to.path[strings.LastIndexByte(to.path, '/'):])
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Sync()
}

// pngHead is a signature and the start of the first chunk.
const pngHead = "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x04\x00\x00\x00\x04\x00\x08\x02\x00\x00\x00"

// text is ASCII without a compressible pattern.
var text = func() []byte {
	raw := make([]byte, 768<<10)
	_, _ = rand.Read(raw)
	return []byte(base64.StdEncoding.EncodeToString(raw))
}()
