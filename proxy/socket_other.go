// socket_other.go is for systems on which the files of sockets have no owner to speak of.

//go:build !unix

package proxy

import (
	"errors"
	"net"
)

func listenSocket(string) (net.Listener, error) { return nil, errors.ErrUnsupported }
