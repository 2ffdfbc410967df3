// go run . against github.com/vmihailenco/msgpack/v5
package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"github.com/vmihailenco/msgpack/v5"
)

func call(request interface{}) []interface{} {
	payload, err := msgpack.Marshal(request)
	if err != nil {
		panic(err)
	}
	binary.Write(os.Stdout, binary.LittleEndian, uint32(len(payload)))
	os.Stdout.Write(payload)
	var size uint32
	if err := binary.Read(os.Stdin, binary.LittleEndian, &size); err != nil {
		panic(err)
	}
	response := make([]byte, size)
	if _, err := io.ReadFull(os.Stdin, response); err != nil {
		panic(err)
	}
	var value []interface{}
	if err := msgpack.Unmarshal(response, &value); err != nil {
		panic(err)
	}
	return value
}

func report(label string, response []interface{}) {
	fields := response[1].(map[string]interface{})
	if response[0] == "ErrorResponse" {
		fmt.Fprintf(os.Stderr, "%s: %s\n", label, fields["message"])
	} else {
		fmt.Fprintf(os.Stderr, "%s: %x\n", label, fields["hash"].([]byte)[:4])
	}
}

func tagged(id int64, command interface{}) []interface{} {
	response := call([]interface{}{id, command})
	if fmt.Sprint(response[0]) != fmt.Sprint(id) {
		panic(fmt.Sprintf("the id is %v", response[0]))
	}
	return response[1].([]interface{})
}

type fields = map[string]interface{}
type list = []interface{}

func main() {
	data, word := []byte("abc"), make([]byte, 32)
	for index := range word {
		word[index] = 1
	}
	report("plain", call(list{list{"Blake2s", fields{"data": data}}}))
	report("list", call(list{list{"Poseidon2Hash", fields{"inputs": list{word, word}}}}))
	report("tagged", tagged(7, list{"Blake2s", fields{"data": data}}))
	report("large id", tagged(1<<40, list{"Blake2s", fields{"data": data}}))
	report("integer", tagged(8, list{"Blake2s", fields{"data": data, "deadline_ms": 60000}}))
}
