package xds

import (
	"errors"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// lastAnswer is how long a client that has said all it wanted to say may wait
// for the answer.
const lastAnswer = time.Second

// answerBeforeEnd lets a stream end only after its last request was answered.
// A person's `grpcurl -d '{…}'` closes its side at once, and the library ends a
// stream whose client does: half of the calls came back empty.
func answerBeforeEnd(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	return handler(srv, &patientStream{ServerStream: ss, answered: make(chan struct{})})
}

type patientStream struct {
	grpc.ServerStream
	once     sync.Once
	answered chan struct{} // closed by the first answer
}

func (p *patientStream) SendMsg(m any) error {
	err := p.ServerStream.SendMsg(m)
	p.once.Do(func() { close(p.answered) })
	return err
}

func (p *patientStream) RecvMsg(m any) error {
	err := p.ServerStream.RecvMsg(m)
	if errors.Is(err, io.EOF) {
		p.wait()
	}
	return err
}

func (p *patientStream) wait() {
	patience := time.NewTimer(lastAnswer)
	defer patience.Stop()
	select {
	case <-p.answered:
	case <-p.Context().Done():
	case <-patience.C:
	}
}
