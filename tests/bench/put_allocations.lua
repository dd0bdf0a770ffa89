-- For wrk: PUT /allocations of a new consumer each time, as Nova makes them: some of a
-- random compute node, and one unit of one of its GPUs. $BENCH_PROVIDERS is a file with
-- a line for each node: its uuid and those of its GPUs. $BENCH_SEED makes the uuids new.
local nodes = {}
for line in io.lines(os.getenv("BENCH_PROVIDERS")) do
   local node = {}
   for uuid in line:gmatch("%S+") do
      node[#node + 1] = uuid
   end
   nodes[#nodes + 1] = node
end

local seed = tonumber(os.getenv("BENCH_SEED"))
local count = 0
math.randomseed(seed)

function request()
   count = count + 1
   local node = nodes[math.random(#nodes)]
   local consumer = string.format("%08x-0000-4000-8000-%012x", seed, count)
   local body = '{"allocations":{"' .. node[1] ..
      '":{"resources":{"VCPU":1,"MEMORY_MB":512,"DISK_GB":10}},"' ..
      node[math.random(2, #node)] .. '":{"resources":{"VGPU":1}}},"project_id":"bench",' ..
      '"user_id":"bench","consumer_generation":null,"consumer_type":"INSTANCE"}'
   wrk.headers["Content-Type"] = "application/json"
   return wrk.format("PUT", "/allocations/" .. consumer, nil, body)
end
