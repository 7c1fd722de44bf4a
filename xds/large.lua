-- Finds the node that a request of a large pool names, and asks Envoy for it by
-- its address. What it reads: of the route, the plan and the version of the names;
-- of the virtual host, what every name stands for (see large.go).

local plans = {} -- by their text, so that each is read once
local known = {} -- by pool: the names of one version

-- names are what the names of a pool stand for. Envoy copies all metadata whenever
-- it is asked for, so that is done once for a version.
local function names(handle, pool, version)
  local last = known[pool]
  if last and last.version == version then return last.names end
  local all = {}
  for key, value in pairs(handle:virtualHost():metadata()) do
    if string.sub(key, 1, #pool) == pool then all[string.sub(key, #pool + 1)] = value end
  end
  known[pool] = { version = version, names = all }
  return all
end

local function read(text)
  local plan = { ways = {}, tiers = {} }
  for line in string.gmatch(text, "[^\n]+") do
    local words = {}
    for word in string.gmatch(line, "%S+") do words[#words + 1] = word end
    if words[1] == "pool" then
      plan.prefix = words[2] .. "/"
    elseif words[1] == "strict" then
      plan.strict = true
    elseif words[1] == "tiers" then
      for i = 2, #words do plan.tiers[i - 1] = words[i] end
    else
      plan.ways[#plan.ways + 1] = { kind = words[1], name = words[2] .. "=", separator = words[3] }
    end
  end
  plans[text] = plan
  return plan
end

-- behind is the name in a value: what follows the first separator.
local function behind(value, separator)
  if separator == nil then return value end
  local at = string.find(value, separator, 1, true)
  if at == nil then return "" end
  return string.sub(value, at + 1)
end

local function unquoted(value)
  if #value > 1 and string.sub(value, 1, 1) == '"' and string.sub(value, -1) == '"' then
    return string.sub(value, 2, -2)
  end
  return value
end

-- cookies are the names in all cookies of a way. A value ends at a semicolon, or
-- at the comma that joins several header fields.
local function cookies(header, way)
  local found, from = {}, 1
  local value = way.separator == "," and "^[^;]*" or "^[^;,]*"
  while header do
    local a, b = string.find(header, way.name, from, true)
    if a == nil then break end
    if string.find(string.sub(header, 1, a - 1), "^ *$") or string.find(string.sub(header, 1, a - 1), "[;,] *$") then
      local text = string.gsub(string.match(header, value, b + 1), " +$", "")
      found[#found + 1] = behind(unquoted(text), way.separator)
    end
    from = b + 1
  end
  return found
end

-- parameters are the names in all parameters of a way.
local function parameters(path, way)
  local found, from = {}, 1
  path = string.match(path, "^[^?]*")
  local value = way.separator == "/" and "^[^;]*" or "^[^;/]*"
  while true do
    local _, b = string.find(path, ";" .. way.name, from, true)
    if b == nil then break end
    found[#found + 1] = string.match(behind(string.match(path, value, b + 1), way.separator), "^[^/]*")
    from = b + 1
  end
  return found
end

-- wanted is the order in which Envoy looks for a node when this one can't serve.
local function wanted(plan, name, standins)
  local list = { { route = name } }
  for word in string.gmatch(standins, "%S+") do list[#list + 1] = { route = word } end
  if not plan.strict then
    for _, tier in ipairs(plan.tiers) do list[#list + 1] = { route = tier } end
  end
  return list
end

function envoy_on_request(handle)
  local route = handle:metadata()
  local text = route:get("plan")
  if text == nil then return end
  local plan = plans[text] or read(text)
  local nodes = names(handle, plan.prefix, route:get("names"))
  local headers, said = handle:headers(), handle:streamInfo():dynamicMetadata()
  local why, asked
  for _, way in ipairs(plan.ways) do
    local found
    if way.kind == "path" then
      found = parameters(headers:get(":path"), way)
    else
      found = cookies(headers:get("cookie"), way)
    end
    for _, name in ipairs(found) do
      local node = name ~= "" and nodes[name]
      if node and node ~= "drained" then
        said:set("envoy.lb", "route", name)
        local address, standins = string.match(node, "^(%S+)(.*)$")
        if plan.strict or standins ~= "" then
          said:set("envoy.lb", "fallback_list", wanted(plan, name, standins))
        end
        if way.kind == "cookie" and #found > 1 then said:set("usher", "verdict", name .. "/conflict") end
        if address ~= "-" then handle:setUpstreamOverrideHost(address) end
        return
      end
      if name ~= "" and why == nil then
        why, asked = node or "unknown-route", name
      end
    end
  end
  said:set("usher", "why", why or "new")
  said:set("usher", "verdict", (why == "drained" and asked or "") .. "/" .. (why or "new"))
  if asked then said:set("usher", "asked", asked) end
end
