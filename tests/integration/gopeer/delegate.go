package main

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
)

// Every hook of the library: what it calls becomes an event, what it asks is answered
// from what the command line or a command said.
type delegate struct {
	events *eventLog
	queue  memberlist.TransmitLimitedQueue
	alive  int32 // members, for the queue's number of transmissions

	mutex sync.Mutex
	meta  []byte
	state []byte
	ack   []byte
}

func newDelegate(
	settings *settings, config *memberlist.Config, events *eventLog,
) *delegate {
	d := &delegate{
		events: events, meta: settings.meta, state: settings.state, ack: settings.ack,
	}
	d.queue.RetransmitMult = config.RetransmitMult
	d.queue.NumNodes = func() int { return int(atomic.LoadInt32(&d.alive)) }
	return d
}

// Changes one of the byte strings that the library asks for.
func (d *delegate) set(place *[]byte, value []byte) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	*place = value
}

func (d *delegate) get(place *[]byte) []byte {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return *place
}

// -- memberlist.Delegate

func (d *delegate) NodeMeta(limit int) []byte { return d.get(&d.meta) }

func (d *delegate) NotifyMsg(message []byte) {
	d.events.emit("user", fields{"data": hexBytes(message)})
}

func (d *delegate) GetBroadcasts(overhead, limit int) [][]byte {
	return d.queue.GetBroadcasts(overhead, limit)
}

func (d *delegate) LocalState(join bool) []byte { return d.get(&d.state) }

func (d *delegate) MergeRemoteState(state []byte, join bool) {
	d.events.emit("merged", fields{"data": hexBytes(state), "join": join})
}

// -- memberlist.EventDelegate, called with the library's lock held

func (d *delegate) NotifyJoin(node *memberlist.Node) {
	atomic.AddInt32(&d.alive, 1)
	d.events.emit("join", fields{"node": describeRecord(node)})
}

func (d *delegate) NotifyLeave(node *memberlist.Node) {
	atomic.AddInt32(&d.alive, -1)
	d.events.emit("leave", fields{"node": describeRecord(node)})
}

func (d *delegate) NotifyUpdate(node *memberlist.Node) {
	d.events.emit("update", fields{"node": describeRecord(node)})
}

// -- memberlist.ConflictDelegate

func (d *delegate) NotifyConflict(existing, other *memberlist.Node) {
	d.events.emit("conflict", fields{
		"existing": describeRecord(existing), "other": describeNode(other),
	})
}

// -- memberlist.PingDelegate

func (d *delegate) AckPayload() []byte { return d.get(&d.ack) }

func (d *delegate) NotifyPingComplete(
	other *memberlist.Node, rtt time.Duration, payload []byte,
) {
	d.events.emit("ping", fields{
		"name": other.Name, "rtt": rtt.Seconds(), "data": hexBytes(payload),
	})
}

// A user message that is gossiped. One with the same key takes its place; without a key
// it stays until it was transmitted often enough.
type broadcast struct {
	key     string
	message []byte
	events  *eventLog
}

func (b *broadcast) Invalidates(other memberlist.Broadcast) bool {
	old, ours := other.(*broadcast)
	return ours && b.key != "" && old.key == b.key
}

func (b *broadcast) Message() []byte { return b.message }

func (b *broadcast) Finished() {
	b.events.emit("finished", fields{"key": b.key, "data": hexBytes(b.message)})
}
