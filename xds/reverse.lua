-- Maps what nodes say of themselves in answers to what clients see. The route
-- gives the context: `nodes` has every HOST:PORT of the pool, in lower case, `hosts`
-- every HOST, `own` every cookie of the balancer's, `paths` what the nodes' paths are called outside, `cookie_paths` and
-- `cookie_domains` what stands for what. A header says how the client came here;
-- requests without it are not for this script.

local PUBLIC = "x-usher-public"
local LOCATIONS = { "location", "content-location", "uri", "destination" }
local WATCHED = { "location", "content-location", "uri", "destination", "refresh", "link", "content-security-policy" }
local PORTS = { http = ":80", https = ":443" }

-- node finds the entry of an authority, with the scheme's port if it has none.
local function node(site, scheme, authority)
  local name = authority:lower()
  if not name:find(":%d+$") then
    name = name .. (PORTS[scheme] or "")
  end
  return site.nodes[name]
end

-- begins tells whether a path is a prefix, or below it.
local function begins(path, prefix)
  if path:sub(1, #prefix) ~= prefix then
    return false
  end
  return prefix:sub(-1) == "/" or #path == #prefix or path:sub(#prefix + 1, #prefix + 1):find("[/?#;]") ~= nil
end

-- outside is what a node's path is called outside, nil where it is not reached.
local function outside(site, path)
  if path == "" or path:find("^[?#]") then
    path = "/" .. path
  end
  for _, p in ipairs(site.paths) do
    if begins(path, p.from) then
      return p.to .. path:sub(#p.from + 1)
    end
  end
end

local function mapped(site, public, value)
  local scheme, authority, path = value:match("^(%a+)://([^/?#]*)(.*)$")
  if not scheme or not node(site, scheme:lower(), authority) then
    return value
  end
  local to = outside(site, path)
  return to and public .. to or value
end

-- attribute replaces one of a cookie as a whole, where it begins with a text.
local function attribute(cookie, name, swaps, fold)
  local first, last, before, value = cookie:find("(;%s*" .. name .. "%s*=%s*)([^;]*)")
  if not first then
    return cookie
  end
  local said = fold(value)
  for _, swap in ipairs(swaps) do
    local from = fold(swap.from)
    if said:sub(1, #from) == from then
      return cookie:sub(1, first - 1) .. before .. swap.to .. cookie:sub(last + 1)
    end
  end
  return cookie
end

-- name is what a cookie is called.
local function name(cookie)
  return cookie:match("^%s*([^=;%s]*)")
end

local function same(text)
  return text
end

local function cookies(site, headers)
  local all, changed = {}, false
  for i = 0, headers:getNumValues("set-cookie") - 1 do
    local cookie = headers:getAtIndex("set-cookie", i)
    all[i + 1] = cookie
    if not site.own[name(cookie)] then
      all[i + 1] = attribute(cookie, "[Pp][Aa][Tt][Hh]", site.cookie_paths, same)
      all[i + 1] = attribute(all[i + 1], "[Dd][Oo][Mm][Aa][Ii][Nn]", site.cookie_domains, string.lower)
    end
    changed = changed or all[i + 1] ~= cookie
  end
  if changed then
    headers:remove("set-cookie")
    for _, cookie in ipairs(all) do
      headers:add("set-cookie", cookie)
    end
  end
end

-- leak finds a header that still names a node.
local function leak(site, headers, said)
  for _, name in ipairs(WATCHED) do
    for scheme, authority in (said[name] or ""):gmatch("(%a*):?//([%w%.%-_%[%]:]+)") do
      if node(site, scheme:lower(), authority) then
        return name, authority
      end
    end
  end
  for i = 0, headers:getNumValues("set-cookie") - 1 do
    local domain = headers:getAtIndex("set-cookie", i):match(";%s*[Dd][Oo][Mm][Aa][Ii][Nn]%s*=%s*%.?([^;%s]*)")
    if domain and site.hosts[domain:lower()] then
      return "set-cookie", domain
    end
  end
end

-- context reads what the route gives, on demand: most answers need none of it.
local function context(handle)
  local given = handle:filterContext()
  return setmetatable({}, {
    __index = function(site, key)
      local value = given:get(key)
      rawset(site, key, value)
      return value
    end,
  })
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local public = headers:get(PUBLIC)
  if not public then
    return
  end
  headers:remove(PUBLIC)
  local said, any = {}, headers:get("set-cookie") ~= nil
  for _, name in ipairs(WATCHED) do
    said[name] = headers:get(name)
    any = any or said[name] ~= nil
  end
  if not any then
    return
  end
  local site = context(handle)
  for _, name in ipairs(LOCATIONS) do
    local to = said[name] and mapped(site, public, said[name])
    if to ~= said[name] then
      headers:replace(name, to)
      said[name] = to
    end
  end
  if #site.cookie_paths + #site.cookie_domains > 0 then
    cookies(site, headers)
  end
  local name, authority = leak(site, headers, said)
  if name then
    handle:streamInfo():dynamicMetadata():set("usher", "leak", name)
    handle:logWarn("an answer of pool " .. site.pool .. " names a node: " .. name .. " has " .. authority)
  end
end
