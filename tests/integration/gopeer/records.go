package main

import (
	"errors"
	"reflect"
	"sync"
	"time"
	"unsafe"

	"github.com/hashicorp/memberlist"
)

// The library keeps a record for each node that it knows of, dead and left ones too, and
// gives out the address of the public part at its head. State and incarnation, which
// tests of a protocol ask for, are behind that. The layout is the same in all versions
// so far; checkRecordLayout would notice.
type record struct {
	memberlist.Node
	Incarnation uint32
	State       memberlist.NodeStateType
	StateChange time.Time
}

var stateNames = map[memberlist.NodeStateType]string{
	memberlist.StateAlive:   "alive",
	memberlist.StateSuspect: "suspect",
	memberlist.StateDead:    "dead",
	memberlist.StateLeft:    "left",
}

// Fails if this version's records are laid out in another way.
func checkRecordLayout() error {
	list := reflect.TypeOf(memberlist.Memberlist{})
	nodes, found := list.FieldByName("nodes")
	lock, locked := list.FieldByName("nodeLock")
	if !found || !locked || lock.Type != reflect.TypeOf(sync.RWMutex{}) {
		return errors.New("this memberlist keeps its records elsewhere")
	}
	theirs, ours := nodes.Type.Elem().Elem(), reflect.TypeOf(record{})
	if theirs.NumField() != ours.NumField() {
		return errors.New("this memberlist has other records")
	}
	for i := 0; i < ours.NumField(); i++ {
		a, b := theirs.Field(i), ours.Field(i)
		if a.Name != b.Name || a.Type != b.Type || a.Offset != b.Offset {
			return errors.New("this memberlist has other records: " + a.Name)
		}
	}
	return nil
}

// Every record of a list, in the order of its ring.
func records(list *memberlist.Memberlist) []fields {
	lock := lockOf(list)
	lock.RLock()
	defer lock.RUnlock()
	nodes := reflect.ValueOf(list).Elem().FieldByName("nodes")
	found := []fields{}
	for i := 0; i < nodes.Len(); i++ {
		node := (*memberlist.Node)(nodes.Index(i).UnsafePointer())
		found = append(found, describeRecord(node))
	}
	return found
}

func lockOf(list *memberlist.Memberlist) *sync.RWMutex {
	field := reflect.ValueOf(list).Elem().FieldByName("nodeLock")
	return (*sync.RWMutex)(unsafe.Pointer(field.UnsafeAddr()))
}

// A node that the library gave out.
func describe(list *memberlist.Memberlist, node *memberlist.Node) fields {
	lock := lockOf(list)
	lock.RLock()
	defer lock.RUnlock()
	return describeRecord(node)
}

// A node at the head of a record; the caller, or the library for it, holds the lock.
func describeRecord(node *memberlist.Node) fields {
	record := (*record)(unsafe.Pointer(node))
	described := describeNode(node)
	described["state"] = stateNames[record.State]
	described["incarnation"] = record.Incarnation
	described["since"] = time.Since(record.StateChange).Seconds()
	return described
}

// A node of which there is no record.
func describeNode(node *memberlist.Node) fields {
	return fields{
		"name": node.Name,
		"ip":   hexBytes(node.Addr),
		"addr": node.Addr.String(),
		"port": node.Port,
		"meta": hexBytes(node.Meta),
		"vsn": hexBytes{
			node.PMin, node.PMax, node.PCur, node.DMin, node.DMax, node.DCur,
		},
	}
}
