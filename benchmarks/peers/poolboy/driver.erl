%% Erlang's poolboy, a pool for each key: driver WORKLOAD [OPTION VALUE]...
%% The clients are processes. Started by benchmarks/peers/run.
-module(driver).
-behaviour(gen_server).
-export([main/0, start_link/1, init/1, handle_call/3, handle_cast/2]).

-define(WARM, 0).
-define(RATE, 1).
-define(TIME, 2).
-define(OVER, 3).
-define(BUCKETS, 58 * 128).

%% -- the resource, which poolboy wants to be a process ------------------------

start_link(Opened) ->
    gen_server:start_link(?MODULE, Opened, []).

init(Opened) ->
    counters:add(Opened, 1, 1),
    {ok, {Opened, none}}.

handle_call({with, Params}, _From, {Opened, Params}) ->
    {reply, ok, {Opened, Params}};
handle_call({with, Params}, _From, {Opened, _}) ->
    counters:add(Opened, 1, 1),
    {reply, ok, {Opened, Params}}.

handle_cast(_, State) ->
    {noreply, State}.

%% -- the run ------------------------------------------------------------------

main() ->
    [Workload | Rest] = init:get_plain_arguments(),
    Options = options(Rest, #{}),
    W5 = Workload =:= "W5",
    Number = fun(Name, Otherwise) -> number(maps:get(Name, Options, Otherwise)) end,
    From = maps:get("--from", Options, "threads"),
    Known = lists:member(Workload, ["W1", "W3", "W5"]),
    Asked = maps:is_key("--pace", Options) orelse maps:is_key("--operations", Options),
    if
        not Known; From =/= "threads"; Asked ->
            io:format(standard_error, "poolboy: cannot do that~n", []),
            halt(3);
        true -> ok
    end,
    Clients = Number("--clients", if W5 -> "64"; true -> "2" end),
    Keys = Number("--keys", if W5 -> "1"; true -> "1000" end),
    Seconds = Number("--seconds", "2"),
    Limit = Number("--limit", if Workload =:= "W1" -> "8"; true -> "1" end),
    Opened = counters:new(1, []),
    Before = resident("VmRSS:"),
    Pools = list_to_tuple([start_pool(I, Limit, Opened) || I <- lists:seq(1, Keys)]),
    Bytes = (resident("VmRSS:") - Before) / Keys,
    Phase = atomics:new(2, []), % phase, last holder
    Self = self(),
    Pids = [spawn_link(fun() ->
                rand:seed(exsss, Number("--seed", "1") * 1000003 + I),
                Times = counters:new(?BUCKETS, []),
                Loop = #{workload => Workload, index => I, pools => Pools, keys => Keys,
                         phase => Phase, times => Times, step => step(Keys)},
                Place = Keys * (I - 1) div Clients,
                {Counted, Served, Max} = work(Loop, {Place, Keys, 0}, 0, 0, 0),
                Self ! {self(), Counted, Served, Max, Times}
            end) || I <- lists:seq(1, Clients)],
    timer:sleep(round(250 * Seconds)),
    Opened0 = counters:get(Opened, 1),
    Cpu0 = cpu_seconds(),
    Start = erlang:monotonic_time(nanosecond),
    atomics:put(Phase, 1, ?RATE),
    timer:sleep(round(1000 * Seconds)),
    atomics:put(Phase, 1, ?TIME),
    Took = (erlang:monotonic_time(nanosecond) - Start) / 1.0e9,
    Cpu = cpu_seconds() - Cpu0,
    OpenedNow = counters:get(Opened, 1) - Opened0,
    timer:sleep(round(500 * Seconds)),
    atomics:put(Phase, 1, ?OVER),
    Logs = [receive {Pid, C, S, M, T} -> {C, S, M, T} end || Pid <- Pids],
    report(#{workload => Workload, clients => Clients, from => From, keys => Keys,
             seconds => Seconds, limit => Limit}, Logs, Took, Cpu, OpenedNow, Bytes),
    halt(0).

start_pool(_I, Limit, Opened) ->
    {ok, Pool} = poolboy:start([{worker_module, ?MODULE}, {size, 1},
                                {max_overflow, Limit - 1}], Opened),
    Pool.

work(#{phase := Phase} = L, State, Counted, Served, Max) ->
    case atomics:get(Phase, 1) of
        ?OVER -> {Counted, Served, Max};
        ?TIME ->
            Start = erlang:monotonic_time(nanosecond),
            {_, Next} = use(L, State),
            Time = erlang:monotonic_time(nanosecond) - Start,
            counters:add(maps:get(times, L), bucket(Time) + 1, 1),
            work(L, Next, Counted, Served + 1, max(Max, Time));
        ?RATE ->
            {Worth, Next} = use(L, State),
            work(L, Next, Counted + Worth, Served + 1, Max);
        ?WARM ->
            {_, Next} = use(L, State),
            work(L, Next, Counted, Served, Max)
    end.

use(#{workload := "W1", pools := Pools, keys := Keys}, State) ->
    Pool = element(rand:uniform(Keys), Pools),
    poolboy:checkin(Pool, poolboy:checkout(Pool, true, infinity)),
    {1, State};
use(#{workload := "W3"} = L, {Place, 0, Odd}) ->
    use(L, {Place, maps:get(keys, L), 1 - Odd});
use(#{workload := "W3", pools := Pools, keys := Keys, index := I, step := Step}, {Place, Left, Odd}) ->
    Next = (Place + Step) rem Keys,
    Pool = element(Next + 1, Pools),
    Worker = poolboy:checkout(Pool, true, infinity),
    %% poolboy has no params: who has one with others opens it anew in place.
    ok = gen_server:call(Worker, {with, 2 * I + Odd}, infinity),
    poolboy:checkin(Pool, Worker),
    {1, {Next, Left - 1, Odd}};
use(#{pools := Pools, phase := Phase, index := I}, State) ->
    Pool = element(1, Pools),
    Worker = poolboy:checkout(Pool, true, infinity),
    Worth = case atomics:exchange(Phase, 2, I) of I -> 0; _ -> 1 end,
    poolboy:checkin(Pool, Worker),
    {Worth, State}.

%% -- figures ------------------------------------------------------------------

%% Buckets are linear within a power of two.
bucket(N) -> bucket(N, 0).

bucket(N, 0) when N < 256 -> N;
bucket(N, Shift) when N < 256 -> Shift * 128 + N;
bucket(N, Shift) -> bucket(N bsr 1, Shift + 1).

last_of(I) when I < 256 -> I;
last_of(I) ->
    Shift = I div 128 - 1,
    ((I - Shift * 128 + 1) bsl Shift) - 1.

at(Counts, Total, Share) ->
    at(Counts, max(1, ceil(Share * Total)), 0, 0).

at([N | Rest], Wanted, Seen, I) when Seen + N < Wanted, Rest =/= [] ->
    at(Rest, Wanted, Seen + N, I + 1);
at(_, _, _, I) -> last_of(I).

report(Run, Logs, Took, Cpu, Opened, Bytes) ->
    Counts = [lists:sum([counters:get(T, I) || {_, _, _, T} <- Logs])
              || I <- lists:seq(1, ?BUCKETS)],
    Total = lists:sum(Counts),
    Max = lists:max([M || {_, _, M, _} <- Logs]),
    Operations = lists:sum([C || {C, _, _, _} <- Logs]),
    Served = [S || {_, S, _, _} <- Logs],
    Jain = math:pow(lists:sum(Served), 2) / (length(Served) * lists:sum([S * S || S <- Served])),
    At = fun(Share) -> integer_to_list(min(Max, at(Counts, Total, Share))) end,
    W5 = maps:get(workload, Run) =:= "W5",
    Hits = max(0.0, 1 - Opened / max(Operations, 1)),
    Float = fun(X) -> io_lib:format("~.6f", [float(X)]) end,
    OrNull = fun(true, X) -> X; (false, _) -> "null" end,
    Fields = [
        {"driver", "\"poolboy\""}, {"workload", ["\"", maps:get(workload, Run), "\""]},
        {"clients", integer_to_list(maps:get(clients, Run))},
        {"from", ["\"", maps:get(from, Run), "\""]},
        {"keys", integer_to_list(maps:get(keys, Run))},
        {"seconds", Float(maps:get(seconds, Run))},
        {"limit", integer_to_list(maps:get(limit, Run))},
        {"operations", integer_to_list(Operations)}, {"rate", Float(Operations / Took)},
        {"p50_ns", At(0.5)}, {"p90_ns", At(0.9)}, {"p99_ns", At(0.99)}, {"p999_ns", At(0.999)},
        {"max_ns", integer_to_list(Max)}, {"cpu_seconds", Float(Cpu)},
        {"peak_rss_bytes", integer_to_list(resident("VmHWM:"))},
        {"bytes_per_key", OrNull(maps:get(keys, Run) >= 10000, Float(Bytes))},
        {"hit_rate", OrNull(not W5, Float(Hits))}, {"jain", Float(Jain)},
        {"longest_wait_ns", OrNull(W5, integer_to_list(Max))},
        {"expire_all_ms", "null"}, {"tick_idle_us", "null"}],
    Text = lists:join(",", [["\"", Name, "\":", Value] || {Name, Value} <- Fields]),
    io:format("{~s}~n", [Text]).

cpu_seconds() ->
    {ok, Text} = file:read_file("/proc/self/stat"),
    [_, Rest] = binary:split(Text, <<") ">>),
    Words = binary:split(Rest, <<" ">>, [global]),
    (binary_to_integer(lists:nth(12, Words)) + binary_to_integer(lists:nth(13, Words))) / 100.

resident(Name) ->
    {ok, Text} = file:read_file("/proc/self/status"),
    {match, [Kilobytes]} = re:run(Text, [Name, "\\s+([0-9]+)"], [{capture, all_but_first, list}]),
    list_to_integer(Kilobytes) * 1024.

step(Keys) -> step(round(Keys * 0.618) bor 1, Keys).

step(Step, Keys) ->
    case gcd(Step, Keys) of
        1 -> Step;
        _ -> step(Step + 1, Keys)
    end.

gcd(A, 0) -> A;
gcd(A, B) -> gcd(B, A rem B).

options([Name, Value | Rest], To) -> options(Rest, To#{Name => Value});
options([], To) -> To.

number(Text) ->
    case string:to_float(Text) of
        {error, _} -> list_to_integer(Text);
        {X, _} -> X
    end.
