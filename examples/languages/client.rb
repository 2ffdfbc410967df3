# ruby client.rb
require "msgpack"

$stdin.binmode
$stdout.binmode
$stdout.sync = true

def call(request)
  payload = request.to_msgpack
  $stdout.write([payload.bytesize].pack("V") + payload)
  MessagePack.unpack($stdin.read($stdin.read(4).unpack1("V")))
end

def report(label)
  name, fields = yield
  result = name == "ErrorResponse" ? fields["message"] : fields["hash"].unpack1("H8")
  $stderr.puts("#{label}: #{result}")
rescue StandardError => e
  $stderr.puts("#{label}: #{e.message}")
end

def tagged(id, command)
  echo, response = call([id, command])
  echo == id ? response : ["ErrorResponse", { "message" => "the id is #{echo}" }]
end

# Strings of encoding BINARY are packed as bytes; all others as text.
data = "abc".b
word = ("\x01" * 32).b
report("plain") { call([["Blake2s", { "data" => data }]]) }
report("list") { call([["Poseidon2Hash", { "inputs" => [word, word] }]]) }
report("tagged") { tagged(7, ["Blake2s", { "data" => data }]) }
report("large id") { tagged(2**40, ["Blake2s", { "data" => data }]) }
report("integer") { tagged(8, ["Blake2s", { "data" => data, "deadline_ms" => 60_000 }]) }
report("as text") { call([["Blake2s", { "data" => "abc" }]]) }
