package main

import (
	"errors"
	"fmt"
	"net"

	"github.com/hashicorp/memberlist"
)

// A line of input. Which of the others a command reads is told at its name below.
type command struct {
	ID      int      `json:"id"`
	Do      string   `json:"do"`
	Addrs   []string `json:"addrs"`
	Addr    string   `json:"addr"`
	Name    string   `json:"name"`
	Data    hexBytes `json:"data"`
	Key     hexBytes `json:"key"`
	Seconds float64  `json:"seconds"`
}

var commands = map[string]func(*peer, *command) (any, error){
	"join":        (*peer).join,       // addrs
	"leave":       (*peer).leave,      // seconds
	"shutdown":    (*peer).shutdown,   //
	"members":     (*peer).members,    //
	"records":     (*peer).records,    //
	"health":      (*peer).health,     //
	"ping":        (*peer).ping,       // name, addr
	"update-meta": (*peer).updateMeta, // data, seconds
	"set-state":   (*peer).setState,   // data
	"set-ack":     (*peer).setAck,     // data
	"best-effort": (*peer).bestEffort, // name, data
	"reliable":    (*peer).reliable,   // name, data
	"send-to":     (*peer).sendTo,     // addr, data
	"broadcast":   (*peer).broadcast,  // data, name: its key
	"keys":        (*peer).keys,       //
	"add-key":     (*peer).addKey,     // key
	"use-key":     (*peer).useKey,     // key
	"remove-key":  (*peer).removeKey,  // key
}

func (p *peer) carryOut(c *command) (any, error) {
	do, known := commands[c.Do]
	if !known {
		return nil, fmt.Errorf("no command is called %q", c.Do)
	}
	return do(p, c)
}

func (p *peer) join(c *command) (any, error) { return p.list.Join(c.Addrs) }

func (p *peer) leave(c *command) (any, error) {
	return nil, p.list.Leave(duration(c.Seconds))
}

func (p *peer) shutdown(c *command) (any, error) { return nil, p.list.Shutdown() }

func (p *peer) members(c *command) (any, error) {
	found := []fields{}
	for _, member := range p.list.Members() {
		found = append(found, describe(p.list, member))
	}
	return found, nil
}

func (p *peer) records(c *command) (any, error) { return records(p.list), nil }

func (p *peer) health(c *command) (any, error) { return p.list.GetHealthScore(), nil }

func (p *peer) ping(c *command) (any, error) {
	address, err := net.ResolveUDPAddr("udp", c.Addr)
	if err != nil {
		return nil, err
	}
	rtt, err := p.list.Ping(c.Name, address)
	return rtt.Seconds(), err
}

func (p *peer) updateMeta(c *command) (any, error) {
	p.delegate.set(&p.delegate.meta, c.Data)
	return nil, p.list.UpdateNode(duration(c.Seconds))
}

func (p *peer) setState(c *command) (any, error) {
	p.delegate.set(&p.delegate.state, c.Data)
	return nil, nil
}

func (p *peer) setAck(c *command) (any, error) {
	p.delegate.set(&p.delegate.ack, c.Data)
	return nil, nil
}

func (p *peer) bestEffort(c *command) (any, error) {
	return nil, p.send(c, p.list.SendBestEffort)
}

func (p *peer) reliable(c *command) (any, error) {
	return nil, p.send(c, p.list.SendReliable)
}

// Sends to a member that this peer knows by name.
func (p *peer) send(c *command, send func(*memberlist.Node, []byte) error) error {
	for _, member := range p.list.Members() {
		if member.Name == c.Name {
			return send(member, c.Data)
		}
	}
	return fmt.Errorf("no member is called %q", c.Name)
}

func (p *peer) sendTo(c *command) (any, error) {
	address := memberlist.Address{Addr: c.Addr, Name: c.Name}
	return nil, p.list.SendToAddress(address, c.Data)
}

func (p *peer) broadcast(c *command) (any, error) {
	p.delegate.queue.QueueBroadcast(
		&broadcast{key: c.Name, message: c.Data, events: p.events})
	return nil, nil
}

func (p *peer) keys(c *command) (any, error) {
	found := []hexBytes{}
	for _, key := range p.config.Keyring.GetKeys() {
		found = append(found, key)
	}
	return found, nil
}

func (p *peer) addKey(c *command) (any, error) {
	return nil, p.config.Keyring.AddKey(c.Key)
}

func (p *peer) useKey(c *command) (any, error) {
	return nil, p.config.Keyring.UseKey(c.Key)
}

func (p *peer) removeKey(c *command) (any, error) {
	if len(p.config.Keyring.GetKeys()) == 0 {
		return nil, errors.New("there is no key to remove") // the library panics
	}
	return nil, p.config.Keyring.RemoveKey(c.Key)
}
