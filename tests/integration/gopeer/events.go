package main

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"log"
	"strings"
	"syscall"
	"unsafe"
)

// Lines that wait for a reader. A reader so late as that would stop the library, which
// calls us with its locks held, and the test would see a failure of another's making.
const waitingLines = 1 << 16

const clockMonotonic = 1 // of clock_gettime(2)

type fields map[string]any

// Bytes that are hexadecimal digits in JSON.
type hexBytes []byte

func (b hexBytes) MarshalText() ([]byte, error) {
	return []byte(hex.EncodeToString(b)), nil
}

func (b *hexBytes) UnmarshalText(text []byte) error {
	decoded, err := hex.DecodeString(string(text))
	*b = decoded
	return err
}

// What happened, as JSON lines; safe for use by many goroutines.
type eventLog struct {
	lines chan []byte
}

func startEventLog(output io.Writer) *eventLog {
	events := &eventLog{lines: make(chan []byte, waitingLines)}
	go func() {
		for line := range events.lines {
			if _, err := output.Write(line); err != nil {
				log.Fatalf("gopeer: nobody reads what happens: %v", err)
			}
		}
	}()
	return events
}

// Writes one event, with the time of CLOCK_MONOTONIC in seconds.
func (e *eventLog) emit(kind string, event fields) {
	event["event"] = kind
	event["at"] = monotonicSeconds()
	line, err := json.Marshal(event)
	if err != nil {
		log.Fatalf("gopeer: event %s: %v", kind, err)
	}
	select {
	case e.lines <- append(line, '\n'):
	default:
		log.Fatalf("gopeer: %d events wait to be read: no more", waitingLines)
	}
}

// Go's own clock can be compared with no other process's.
func monotonicSeconds() float64 {
	var now syscall.Timespec
	_, _, errno := syscall.Syscall(
		syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&now)), 0)
	if errno != 0 {
		log.Fatalf("gopeer: clock_gettime: %v", errno)
	}
	return float64(now.Nano()) / 1e9
}

// What the library logs, as events: "[WARN] memberlist: Was able to ...".
type libraryLog struct {
	events *eventLog
}

func (l libraryLog) Write(line []byte) (int, error) {
	text := strings.TrimSuffix(string(line), "\n")
	level, rest, found := strings.Cut(strings.TrimPrefix(text, "["), "] ")
	if !found {
		level, rest = "INFO", text
	}
	l.events.emit("log", fields{"level": strings.ToLower(level), "text": rest})
	return len(line), nil
}
