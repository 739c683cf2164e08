// Go's own encoding/gob, for tests: a request in JSON a line in, an answer a line out.
//
// Answers show a value of any type as JSON, so that it can be compared: a structure is
// {"s": {field: value}}, bytes are {"b": hex}, a map is {"m": [[key, value], ...]} and a
// complex number {"c": [real, imaginary]}.
package main

import (
	"bufio"
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"reflect"
	"time"
)

// Member has the fields of the original's metadata, in its order.
type Member struct {
	ID             uint64
	Name           string
	ClientAddr     string
	ClientURL      string
	PeerAddr       string
	PeerURL        string
	GossipAddr     string
	BootstrapAddrs []string
	Status         int
}

type statusMsg struct {
	Name   string
	Status int
}

type request struct {
	Do     string          `json:"do"`
	Hex    string          `json:"hex"`
	Seed   int64           `json:"seed"`
	Fields [][2]string     `json:"fields"`
	Value  json.RawMessage `json:"value"`
}

type answer struct {
	Hex   string `json:"hex,omitempty"`
	Value any    `json:"value,omitempty"`
	Error string `json:"error,omitempty"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			out.Encode(answer{Error: err.Error()})
			continue
		}
		given, err := respond(asked)
		if err != nil {
			given = answer{Error: err.Error()}
		}
		out.Encode(given)
	}
}

func respond(asked request) (answer, error) {
	switch asked.Do {
	case "encode member":
		var member Member
		if err := json.Unmarshal(asked.Value, &member); err != nil {
			return answer{}, err
		}
		return encoded(reflect.ValueOf(member))
	case "encode status":
		var message statusMsg
		if err := json.Unmarshal(asked.Value, &message); err != nil {
			return answer{}, err
		}
		return encoded(reflect.ValueOf(message))
	case "decode member":
		return decoded(asked.Hex, reflect.TypeOf(Member{}))
	case "decode status":
		return decoded(asked.Hex, reflect.TypeOf(statusMsg{}))
	case "decode as":
		return decoded(asked.Hex, structure(asked.Fields))
	case "random":
		random := rand.New(rand.NewSource(asked.Seed))
		return encoded(randomValue(random, randomStructure(random, 3)))
	case "time":
		type stamped struct {
			Before string
			At     time.Time
			After  string
		}
		at := time.Unix(asked.Seed, 0).UTC()
		return encoded(reflect.ValueOf(stamped{"before", at, "after"}))
	case "interface":
		type holder struct{ Held any }
		return encoded(reflect.ValueOf(holder{Held: asked.Seed}))
	}
	return answer{}, fmt.Errorf("cannot %q", asked.Do)
}

func encoded(value reflect.Value) (answer, error) {
	var buffer bytes.Buffer
	if err := gob.NewEncoder(&buffer).EncodeValue(value); err != nil {
		return answer{}, err
	}
	return answer{Hex: hex.EncodeToString(buffer.Bytes()), Value: shown(value)}, nil
}

func decoded(text string, kind reflect.Type) (answer, error) {
	data, err := hex.DecodeString(text)
	if err != nil {
		return answer{}, err
	}
	value := reflect.New(kind)
	stream := bytes.NewReader(data)
	if err := gob.NewDecoder(stream).DecodeValue(value); err != nil {
		return answer{}, err
	}
	if stream.Len() > 0 {
		return answer{}, fmt.Errorf("%d bytes are left", stream.Len())
	}
	return answer{Value: shown(value.Elem())}, nil
}

func structure(fields [][2]string) reflect.Type {
	kinds := map[string]reflect.Type{
		"INT":     reflect.TypeOf(int64(0)),
		"UINT":    reflect.TypeOf(uint64(0)),
		"BYTES":   reflect.TypeOf([]byte{}),
		"STRING":  reflect.TypeOf(""),
		"STRINGS": reflect.TypeOf([]string{}),
	}
	var made []reflect.StructField
	for _, field := range fields {
		made = append(made, reflect.StructField{Name: field[0], Type: kinds[field[1]]})
	}
	return reflect.StructOf(made)
}

func shown(value reflect.Value) any {
	switch value.Kind() {
	case reflect.Pointer:
		if value.IsNil() {
			return nil
		}
		return shown(value.Elem())
	case reflect.Complex64, reflect.Complex128:
		number := value.Complex()
		return map[string]any{"c": []float64{real(number), imag(number)}}
	case reflect.Struct:
		if at, ok := value.Interface().(time.Time); ok {
			octets, _ := at.MarshalBinary()
			return map[string]any{"b": hex.EncodeToString(octets)}
		}
		fields := map[string]any{}
		for i := 0; i < value.NumField(); i++ {
			fields[value.Type().Field(i).Name] = shown(value.Field(i))
		}
		return map[string]any{"s": fields}
	case reflect.Slice, reflect.Array:
		if value.Kind() == reflect.Slice && value.Type().Elem().Kind() == reflect.Uint8 {
			return map[string]any{"b": hex.EncodeToString(value.Bytes())}
		}
		items := []any{}
		for i := 0; i < value.Len(); i++ {
			items = append(items, shown(value.Index(i)))
		}
		return items
	case reflect.Map:
		pairs := [][2]any{}
		for _, key := range value.MapKeys() {
			pairs = append(pairs, [2]any{shown(key), shown(value.MapIndex(key))})
		}
		return map[string]any{"m": pairs}
	case reflect.Float32, reflect.Float64:
		return value.Float()
	default:
		return value.Interface()
	}
}

var plain = []reflect.Type{
	reflect.TypeOf(false),
	reflect.TypeOf(int(0)), reflect.TypeOf(int8(0)), reflect.TypeOf(int64(0)),
	reflect.TypeOf(uint(0)), reflect.TypeOf(uint16(0)), reflect.TypeOf(uint64(0)),
	reflect.TypeOf(float32(0)), reflect.TypeOf(float64(0)),
	reflect.TypeOf(complex64(0)), reflect.TypeOf(complex128(0)),
	reflect.TypeOf(""), reflect.TypeOf([]byte{}), reflect.TypeOf([]string{}),
}

func randomType(random *rand.Rand, depth int) reflect.Type {
	if depth > 0 {
		switch random.Intn(8) {
		case 0:
			return reflect.SliceOf(randomType(random, depth-1))
		case 1:
			return reflect.ArrayOf(random.Intn(4), randomType(random, depth-1))
		case 2:
			key := plain[random.Intn(7)] // booleans and whole numbers
			return reflect.MapOf(key, randomType(random, depth-1))
		case 3:
			return randomStructure(random, depth-1)
		}
	}
	return plain[random.Intn(len(plain))]
}

func randomStructure(random *rand.Rand, depth int) reflect.Type {
	var fields []reflect.StructField
	for i := 0; i <= random.Intn(6); i++ {
		kind := randomType(random, depth)
		if random.Intn(6) == 0 {
			kind = reflect.PointerTo(kind)
		}
		fields = append(fields, reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: kind})
	}
	return reflect.StructOf(fields)
}

func randomValue(random *rand.Rand, kind reflect.Type) reflect.Value {
	value := reflect.New(kind).Elem()
	switch kind.Kind() {
	case reflect.Bool:
		value.SetBool(random.Intn(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int64:
		value.SetInt(int64(random.Uint64()) >> random.Intn(64))
	case reflect.Uint, reflect.Uint16, reflect.Uint64:
		value.SetUint(random.Uint64() >> random.Intn(64))
	case reflect.Float32, reflect.Float64:
		value.SetFloat(randomFloat(random))
	case reflect.Complex64, reflect.Complex128:
		value.SetComplex(complex(randomFloat(random), randomFloat(random)))
	case reflect.String:
		value.SetString(randomText(random))
	case reflect.Slice:
		if kind.Elem().Kind() == reflect.Uint8 {
			value.SetBytes([]byte(randomText(random)))
			break
		}
		for i := random.Intn(4); i > 0; i-- {
			value.Set(reflect.Append(value, randomValue(random, kind.Elem())))
		}
	case reflect.Array:
		for i := 0; i < value.Len(); i++ {
			value.Index(i).Set(randomValue(random, kind.Elem()))
		}
	case reflect.Map:
		value.Set(reflect.MakeMap(kind))
		for i := random.Intn(4); i > 0; i-- {
			value.SetMapIndex(randomValue(random, kind.Key()), randomValue(random, kind.Elem()))
		}
	case reflect.Pointer:
		if random.Intn(3) > 0 {
			value.Set(reflect.New(kind.Elem()))
			value.Elem().Set(randomValue(random, kind.Elem()))
		}
	case reflect.Struct:
		for i := 0; i < value.NumField(); i++ {
			value.Field(i).Set(randomValue(random, kind.Field(i).Type))
		}
	}
	return value
}

func randomFloat(random *rand.Rand) float64 {
	return float64(int(random.Intn(2001))-1000) / float64(int(1)<<random.Intn(6))
}

func randomText(random *rand.Rand) string {
	letters := []rune("aZ0 ./:-_äß€\u0001𝄞")
	var text []rune
	for i := random.Intn(30); i > 0; i-- {
		text = append(text, letters[random.Intn(len(letters))])
	}
	return string(text)
}
