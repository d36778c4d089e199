-- Bodies under gravitation: tables with named fields, floating point.
local steps = tonumber(arg and arg[1]) or 30000

-- Keeps two bodies that meet from throwing each other out.
local softening = 0.05

local function body(x, y, z, vx, vy, vz, mass)
  return { x = x, y = y, z = z, vx = vx, vy = vy, vz = vz, mass = mass }
end

local bodies = {
  body(0, 0, 0, 0, 0, 0, 40),
  body(4, 0, 0.1, 0, 3, 0.2, 0.5),
  body(-6, 1, 0, 0.3, -2.5, 0, 0.8),
  body(0, 9, -0.5, -2, 0, 0.1, 0.3),
  body(1, -12, 0.3, 1.8, 0.2, -0.1, 0.6),
}

local function energy()
  local sum = 0
  for i, a in ipairs(bodies) do
    sum = sum + 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz)
    for j = i + 1, #bodies do
      local b = bodies[j]
      local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
      sum = sum - a.mass * b.mass / math.sqrt(dx * dx + dy * dy + dz * dz + softening)
    end
  end
  return sum
end

local function advance(step)
  local count = #bodies
  for i = 1, count do
    local a = bodies[i]
    for j = i + 1, count do
      local b = bodies[j]
      local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
      local square = dx * dx + dy * dy + dz * dz + softening
      local pull = step / (square * math.sqrt(square))
      local to_b, to_a = b.mass * pull, a.mass * pull
      a.vx, a.vy, a.vz = a.vx - dx * to_b, a.vy - dy * to_b, a.vz - dz * to_b
      b.vx, b.vy, b.vz = b.vx + dx * to_a, b.vy + dy * to_a, b.vz + dz * to_a
    end
  end
  for i = 1, count do
    local a = bodies[i]
    a.x, a.y, a.z = a.x + step * a.vx, a.y + step * a.vy, a.z + step * a.vz
  end
end

print(string.format("energy %.9f", energy()))
for _ = 1, steps do advance(0.001) end
print(string.format("energy %.9f after %d steps", energy(), steps))
