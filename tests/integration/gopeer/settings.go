package main

import (
	"encoding/hex"
	"flag"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/memberlist"
)

// Flags that set one field of the library's configuration, and which. The values of
// type time.Duration are given in seconds. Older versions lack some: to give the flag
// is an error then, and not to give it is none.
var fieldOfFlag = map[string]string{
	"name":           "Name",
	"bind":           "BindAddr",
	"port":           "BindPort",
	"advertise":      "AdvertiseAddr",
	"advertise-port": "AdvertisePort",

	"protocol":                 "ProtocolVersion",
	"label":                    "Label",
	"skip-inbound-label-check": "SkipInboundLabelCheck",
	"compression":              "EnableCompression",
	"verify-incoming":          "GossipVerifyIncoming",
	"verify-outgoing":          "GossipVerifyOutgoing",
	"disable-tcp-pings":        "DisableTcpPings",
	"require-node-names":       "RequireNodeNames",
	"udp-buffer-size":          "UDPBufferSize",
	"handoff-queue-depth":      "HandoffQueueDepth",

	"tcp-timeout":                "TCPTimeout",
	"probe-interval":             "ProbeInterval",
	"probe-timeout":              "ProbeTimeout",
	"gossip-interval":            "GossipInterval",
	"gossip-nodes":               "GossipNodes",
	"gossip-to-the-dead-time":    "GossipToTheDeadTime",
	"push-pull-interval":         "PushPullInterval",
	"dead-node-reclaim-time":     "DeadNodeReclaimTime",
	"indirect-checks":            "IndirectChecks",
	"retransmit-mult":            "RetransmitMult",
	"suspicion-mult":             "SuspicionMult",
	"suspicion-max-timeout-mult": "SuspicionMaxTimeoutMult",
	"awareness-max-multiplier":   "AwarenessMaxMultiplier",
}

// What the command line says. What it does not say is as the profile has it.
type settings struct {
	profile string
	keys    [][]byte
	meta    []byte
	state   []byte
	ack     []byte
	changes []func(*memberlist.Config) error
}

func parse(arguments []string) (*settings, error) {
	s := &settings{}
	set := flag.NewFlagSet("gopeer", flag.ContinueOnError)
	set.StringVar(&s.profile, "profile", "local", "lan, wan or local")
	set.Func("key", "hexadecimal, repeatable; the first is primary", s.addKey)
	set.Func("meta", "hexadecimal", into(&s.meta))
	set.Func("state", "hexadecimal: what a push/pull carries", into(&s.state))
	set.Func("ack-payload", "hexadecimal", into(&s.ack))
	s.change(set, "delegate-versions", "MIN,MAX,CURRENT", setDelegateVersions)
	s.change(set, "cidrs", "networks, separated by commas", setCIDRs)
	for name, field := range fieldOfFlag {
		field := field
		s.change(set, name, field, func(c *memberlist.Config, text string) error {
			return setField(c, field, text)
		})
	}
	if err := set.Parse(arguments); err != nil {
		return nil, err
	}
	if set.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", set.Arg(0))
	}
	return s, nil
}

// A flag that changes the configuration, later, when the profile is known.
func (s *settings) change(
	set *flag.FlagSet, name, usage string,
	apply func(*memberlist.Config, string) error,
) {
	set.Func(name, usage, func(text string) error {
		s.changes = append(s.changes, func(c *memberlist.Config) error {
			if err := apply(c, text); err != nil {
				return fmt.Errorf("-%s=%s: %w", name, text, err)
			}
			return nil
		})
		return nil
	})
}

func (s *settings) addKey(text string) error {
	key, err := hex.DecodeString(text)
	s.keys = append(s.keys, key)
	return err
}

// The configuration of the library: the profile, then what was said.
func (s *settings) config() (*memberlist.Config, error) {
	profiles := map[string]func() *memberlist.Config{
		"lan":   memberlist.DefaultLANConfig,
		"wan":   memberlist.DefaultWANConfig,
		"local": memberlist.DefaultLocalConfig,
	}
	profile, known := profiles[s.profile]
	if !known {
		return nil, fmt.Errorf("no profile is called %q", s.profile)
	}
	config := profile()
	for _, change := range s.changes {
		if err := change(config); err != nil {
			return nil, err
		}
	}
	// Always a ring, if an empty one, which is no encryption: a key may come later.
	var primary []byte
	if len(s.keys) > 0 {
		primary = s.keys[0]
	}
	ring, err := memberlist.NewKeyring(s.keys, primary)
	config.Keyring = ring
	return config, err
}

func into(place *[]byte) func(string) error {
	return func(text string) (err error) {
		*place, err = hex.DecodeString(text)
		return err
	}
}

func setDelegateVersions(c *memberlist.Config, text string) error {
	_, err := fmt.Sscanf(text, "%d,%d,%d", &c.DelegateProtocolMin,
		&c.DelegateProtocolMax, &c.DelegateProtocolVersion)
	return err
}

func setCIDRs(c *memberlist.Config, text string) (err error) {
	c.CIDRsAllowed, err = memberlist.ParseCIDRs(strings.Split(text, ","))
	return err
}

func setField(config *memberlist.Config, name, text string) error {
	field := reflect.ValueOf(config).Elem().FieldByName(name)
	if !field.IsValid() {
		return fmt.Errorf("memberlist %s has no %s", version, name)
	}
	var value any
	var err error
	switch field.Interface().(type) {
	case time.Duration:
		var seconds float64
		seconds, err = strconv.ParseFloat(text, 64)
		value = duration(seconds)
	case int:
		value, err = strconv.Atoi(text)
	case uint8:
		value, err = strconv.ParseUint(text, 10, 8)
	case bool:
		value, err = strconv.ParseBool(text)
	default:
		value = text
	}
	if err != nil {
		return err
	}
	field.Set(reflect.ValueOf(value).Convert(field.Type()))
	return nil
}

func duration(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second))
}
