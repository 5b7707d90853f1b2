// Watches thousands of sockets from one thread: fewer context switches than with goroutines, which would distort the figures.
package main

import (
	"fmt"
	"syscall"
	"time"
)

type poller struct {
	epoll  int
	events [512]syscall.EpollEvent
}

func newPoller() (*poller, error) {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	return &poller{epoll: epoll}, err
}

const (
	whenReadable = syscall.EPOLLIN | syscall.EPOLLRDHUP
	whenWritable = syscall.EPOLLOUT
)

func (p *poller) add(fd int, when uint32) error {
	return syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: when, Fd: int32(fd)})
}

func (p *poller) change(fd int, when uint32) error {
	return syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_MOD, fd, &syscall.EpollEvent{Events: when, Fd: int32(fd)})
}

// wait returns what is ready, at the latest at `until`; a zero `until` means no limit.
func (p *poller) wait(until time.Time) ([]syscall.EpollEvent, error) {
	milliseconds := -1
	if !until.IsZero() {
		// Rounded up: a wait that ends early would spin.
		milliseconds = max(0, int((time.Until(until)+time.Millisecond-1)/time.Millisecond))
	}
	n, err := syscall.EpollWait(p.epoll, p.events[:], milliseconds)
	if err == syscall.EINTR {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return p.events[:n], nil
}

// openSocket starts to connect, without waiting for the connection.
func openSocket(to *syscall.SockaddrInet4) (int, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
		return 0, err
	}
	if err := syscall.Connect(fd, to); err != nil && err != syscall.EINPROGRESS {
		syscall.Close(fd)
		return 0, fmt.Errorf("connect: %w", err)
	}
	return fd, nil
}

func listen(port int) (int, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return 0, err
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Port: port}); err != nil {
		return 0, err
	}
	return fd, syscall.Listen(fd, 4096)
}
