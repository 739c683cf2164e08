// A peer of HashiCorp's memberlist for tests to drive.
//
// It reads commands as JSON lines on standard input and writes what happens to it as
// JSON lines on standard output; see ../gopeers.py, which speaks with it. It ends when
// standard input does, so that no test leaves one behind.
//
// One source for every version of the library from 0.2 on.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/hashicorp/memberlist"
)

// Set by the linker: what the library does not say of itself.
var version = "unknown"

func main() {
	log.SetFlags(0)
	if len(os.Args) == 2 && os.Args[1] == "-version" {
		fmt.Println(version)
		return
	}
	settings, err := parse(os.Args[1:])
	if err != nil {
		log.Fatalf("gopeer: %v", err)
	}
	if err := run(settings, os.Stdin, startEventLog(os.Stdout)); err != nil {
		log.Fatalf("gopeer: %v", err)
	}
}

// Runs one peer until the input ends.
func run(settings *settings, input io.Reader, events *eventLog) error {
	if err := checkRecordLayout(); err != nil {
		return err
	}
	config, err := settings.config()
	if err != nil {
		return err
	}
	delegate := newDelegate(settings, config, events)
	config.Delegate = delegate
	config.Events = delegate
	config.Conflict = delegate
	config.Ping = delegate
	config.Logger = log.New(libraryLog{events}, "", 0)
	list, err := memberlist.Create(config)
	if err != nil {
		return err
	}
	peer := &peer{list: list, config: config, delegate: delegate, events: events}
	local := list.LocalNode()
	events.emit("ready", fields{
		"node": describe(list, local), "version": version, "pid": os.Getpid(),
	})
	return peer.obey(input)
}

// One peer and what its commands need.
type peer struct {
	list     *memberlist.Memberlist
	config   *memberlist.Config
	delegate *delegate
	events   *eventLog
}

// Carries out the commands of an input, each on its own: a slow one holds none up.
func (p *peer) obey(input io.Reader) error {
	decoder := json.NewDecoder(bufio.NewReader(input))
	for {
		var command command
		if err := decoder.Decode(&command); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		go func() {
			result, err := p.carryOut(&command)
			answer := fields{"id": command.ID, "result": result}
			if err != nil {
				answer = fields{"id": command.ID, "error": err.Error()}
			}
			p.events.emit("answer", answer)
		}()
	}
}
