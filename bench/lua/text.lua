-- Strings, patterns, tables and sorting: builds a text, takes it apart into words, counts and sorts them.
local rounds = tonumber(arg and arg[1]) or 6

local state = 42
local function random(limit)
  state = (state * 1103515245 + 12345) & 0x7fffffff
  return (state >> 8) % limit + 1
end

local syllables = { "ba", "de", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va", "zen" }

local function word()
  local parts = {}
  for i = 1, random(3) do parts[i] = syllables[random(#syllables)] end
  return table.concat(parts)
end

local function text(words)
  local parts = {}
  for i = 1, words do
    parts[#parts + 1] = word()
    parts[#parts + 1] = random(9) == 1 and ", " or " "
  end
  return table.concat(parts)
end

local hash = 0
for round = 1, rounds do
  local source = text(8000)
  local counts, order = {}, {}
  for found in source:gmatch("%a+") do
    if not counts[found] then
      counts[found] = 0
      order[#order + 1] = found
    end
    counts[found] = counts[found] + 1
  end
  -- By frequency, then by the alphabet, so that the order is total.
  table.sort(order, function(a, b)
    if counts[a] ~= counts[b] then return counts[a] > counts[b] end
    return a < b
  end)
  local upper = source:gsub("(%a)(%a*)", function(first, rest) return first:upper() .. rest end)
  local report = {}
  for i = 1, 50 do report[i] = string.format("%3d %-10s %5d", i, order[i], counts[order[i]]) end
  local page = table.concat(report, "\n") .. upper:sub(1, 2000):reverse()
  for i = 1, #page do hash = (hash * 31 + page:byte(i)) & 0xffffffff end
end
print(string.format("text %d rounds, hash %08x", rounds, hash))
