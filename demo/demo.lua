-- A real interpreter, Lua 5.4, runs inside the keep and does some work worth looking at:
--
--   wasmkeep run --dir demo::/ lua.wasm /demo.lua [SEED]
--
-- Everything is computed here, nothing is stored output; the seed (default 7) changes the maze.

local seed = tonumber(arg and arg[1]) or 7
local started = os.clock()

-- A generator of our own, so that a seed gives the same maze on every machine.
local function random(limit)
  seed = (seed * 1103515245 + 12345) & 0x7fffffff
  return (seed >> 12) % limit + 1
end

local function heading(title)
  print(("\n-- %s %s"):format(title, ("-"):rep(70 - #title)))
end

print(_VERSION .. " in a WebAssembly module, " .. (math.maxinteger == (1 << 63) - 1 and "64-bit" or "other") ..
  " integers, " .. ("%.17g"):format(math.pi))

---------------------------------------------------------------------------------------------------------------------
heading("a sieve made of closures: each prime filters what comes after it")

local function naturals_from(n)
  return function()
    n = n + 1
    return n - 1
  end
end

local function without_multiples_of(prime, source)
  return function()
    local n
    repeat n = source() until n % prime ~= 0
    return n
  end
end

local primes, source = {}, naturals_from(2)
for i = 1, 60 do
  local prime = source()
  primes[i] = prime
  source = without_multiples_of(prime, source)
end
for row = 1, 60, 15 do
  local cells = {}
  for i = row, row + 14 do cells[#cells + 1] = ("%4d"):format(primes[i]) end
  print(table.concat(cells))
end

---------------------------------------------------------------------------------------------------------------------
heading("the Mandelbrot set, 70 by 21")

local shades = " .:-=+*#%@"
for row = -10, 10 do
  local line = {}
  for column = 0, 69 do
    local cx, cy = column / 23 - 2.2, row / 9
    local x, y, n = 0.0, 0.0, 0
    while n < 90 and x * x + y * y < 4 do
      x, y, n = x * x - y * y + cx, 2 * x * y + cy, n + 1
    end
    local shade = n == 90 and 10 or math.min(9, 1 + n // 2)
    line[#line + 1] = shades:sub(shade, shade)
  end
  print((table.concat(line):gsub("%s+$", "")))
end

---------------------------------------------------------------------------------------------------------------------
heading("a maze, and the way through it")

local width, height = 34, 9
local grid = {}
for y = 1, 2 * height + 1 do
  grid[y] = {}
  for x = 1, 2 * width + 1 do grid[y][x] = "#" end
end

-- Dig by depth-first search with a stack of our own; rooms lie at even coordinates.
local steps = { { 2, 0 }, { -2, 0 }, { 0, 2 }, { 0, -2 } }
local stack = { { 2, 2 } }
grid[2][2] = " "
while #stack > 0 do
  local x, y = table.unpack(stack[#stack])
  local open = {}
  for _, step in ipairs(steps) do
    local row = grid[y + step[2]]
    if row and row[x + step[1]] == "#" then open[#open + 1] = step end
  end
  if #open == 0 then
    stack[#stack] = nil
  else
    local step = open[random(#open)]
    grid[y + step[2] // 2][x + step[1] // 2] = " "
    grid[y + step[2]][x + step[1]] = " "
    stack[#stack + 1] = { x + step[1], y + step[2] }
  end
end
grid[2][1], grid[2 * height][2 * width + 1] = " ", " "

-- The shortest way, by breadth-first search back from the exit.
local came_from, queue, head = {}, { { 2 * width + 1, 2 * height } }, 1
local function key(x, y) return y * 1000 + x end
came_from[key(2 * width + 1, 2 * height)] = false
while head <= #queue do
  local here = queue[head]
  head = head + 1
  for _, step in ipairs(steps) do
    local x, y = here[1] + step[1] // 2, here[2] + step[2] // 2
    if grid[y] and grid[y][x] == " " and came_from[key(x, y)] == nil then
      came_from[key(x, y)] = here
      queue[#queue + 1] = { x, y }
    end
  end
end
local here, length = { 1, 2 }, 0
while here do
  grid[here[2]][here[1]] = "o"
  length = length + 1
  here = came_from[key(here[1], here[2])]
end
for _, row in ipairs(grid) do print(table.concat(row)) end
print(("%d steps from the left to the right"):format(length))

---------------------------------------------------------------------------------------------------------------------
heading("this program about itself")

-- The script is in the directory that the keep was given; without one (script on standard input) there is no text.
local name = arg and arg[0]
local file = name and name ~= "-" and io.open(name, "r")
if file then
  local text = file:read("a")
  file:close()
  local counts, words = {}, {}
  for word in text:gmatch("%a%a%a%a+") do
    if not counts[word] then
      counts[word] = 0
      words[#words + 1] = word
    end
    counts[word] = counts[word] + 1
  end
  table.sort(words, function(a, b)
    if counts[a] ~= counts[b] then return counts[a] > counts[b] end
    return a < b
  end)
  print(("%d bytes, %d different words of four letters and more; the most frequent:"):format(#text, #words))
  for i = 1, 6 do
    print(("  %-10s %3d  %s"):format(words[i], counts[words[i]], ("="):rep(counts[words[i]])))
  end
else
  print("(no file to read: nobody gave this program a directory)")
end

local before = collectgarbage("count")
collectgarbage()
print(("memory of the Lua program: %.0f KiB, and %.0f KiB after a collection; %.2f s of work"):format(
  before, collectgarbage("count"), os.clock() - started))
