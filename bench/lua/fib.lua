-- Recursive Fibonacci numbers, and the same through closures: calls, in an interpreter in an interpreter.
local n = tonumber(arg and arg[1]) or 30

local function fib(k)
  if k < 2 then return k end
  return fib(k - 1) + fib(k - 2)
end

-- A function made of closures: continuation-passing style keeps the collector busy, too.
local function fib_to(k, continue)
  if k < 2 then return continue(k) end
  return fib_to(k - 1, function(a)
    return fib_to(k - 2, function(b) return continue(a + b) end)
  end)
end

print("fib", n, fib(n))
print("continuations", n - 6, fib_to(n - 6, function(value) return value end))
