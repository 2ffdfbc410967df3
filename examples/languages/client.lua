-- lua client.lua LIBRARY
local codec = require(arg[1])
local encode, decode = codec.pack or codec.encode, codec.unpack or codec.decode

local function call(request)
  local payload = encode(request)
  io.stdout:write(string.pack("<s4", payload))
  io.stdout:flush()
  local length = string.unpack("<I4", io.stdin:read(4))
  return decode(io.stdin:read(length))
end

local function report(label, work)
  local ok, response = pcall(work)
  local result = response
  if ok then
    local name, fields = response[1], response[2]
    result = name == "ErrorResponse" and fields.message or fields.hash:sub(1, 4):gsub(".", function(byte)
      return string.format("%02x", byte:byte())
    end)
  end
  io.stderr:write(label, ": ", tostring(result), "\n")
end

local function tagged(id, command)
  local response = call({ id, command })
  return response[1] == id and response[2] or { "ErrorResponse", { message = "the id is " .. tostring(response[1]) } }
end

local data, word = "abc", string.rep("\1", 32)
report("plain", function() return call({ { "Blake2s", { data = data } } }) end)
report("list", function() return call({ { "Poseidon2Hash", { inputs = { word, word } } } }) end)
report("tagged", function() return tagged(7, { "Blake2s", { data = data } }) end)
report("large id", function() return tagged(1 << 40, { "Blake2s", { data = data } }) end)
report("integer", function() return tagged(8, { "Blake2s", { data = data, deadline_ms = 60000 } }) end)
report("bytes >= 128", function() return call({ { "Blake2s", { data = "\255\255\255" } } }) end)
