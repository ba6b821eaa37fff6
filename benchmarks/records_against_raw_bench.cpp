// What persistence gets done next to the least that can be done, the raw loop
// of raw_committer.hpp: new names, by the number of callers that wait for each
// answer. And names that exist. Prints a table; see --help.
#include "paired_callers.hpp"
#include "raw_committer.hpp"
#include "temp_file.hpp"

#include <steward/runtime/records.hpp>
#include <steward/storage/record_store.hpp>

#include <steward/tests/postgres_server.hpp>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace steward;
using namespace std::chrono_literals;

struct arguments {
  std::chrono::milliseconds turn = 500ms;
  std::size_t rounds = 9;
  std::vector<std::size_t> callers = {1, 64, 512};
  std::vector<std::string> databases = {"sqlite", "postgresql"};
};

constexpr const char* manual
  = "usage: records_against_raw_bench [OPTION]... [sqlite|postgresql]...\n\n"
    "Measures get-or-create of records, from threads and from actors, next to "
    "a\n"
    "raw loop on the same database, turn by turn in one run. Prints a "
    "table.\n\n"
    "  --turn MS    how long each turn takes (default 500)\n"
    "  --rounds N   turns of each way, of which the median counts (default 9)\n"
    "  --callers N  how many ask at once; may be given again (default 1 64 "
    "512)\n"
    "  --help       this text\n";

// -- what is asked ------------------------------------------------------------

// Spread over the index, as names of many keys are; never the same twice.
std::string next_name() {
  static std::atomic<std::uint64_t> n{0};
  return std::to_string(++n * 0x9e3779b97f4a7c15ULL) + "/resource";
}

record_request request_for(std::string name) {
  return {std::move(name), "sessions", "tenant-7", "dsn=postgresql://host/db"};
}

constexpr std::size_t existing_max = 1'000;

const std::vector<std::string>& existing_names() {
  static const auto names = [] {
    std::vector<std::string> result;
    while (result.size() < existing_max)
      result.push_back(next_name());
    return result;
  }();
  return names;
}

std::string next_existing() {
  static std::atomic<std::size_t> n{0};
  return existing_names()[++n % existing_max];
}

struct question {
  std::string (*name)();
  record_verdict expected;
};

constexpr question fresh{&next_name, record_verdict::created};
constexpr question known{&next_existing, record_verdict::existed};

// Answers that were not as expected: then nothing was measured.
std::atomic<std::uint64_t> wrong{0};

// -- who asks -----------------------------------------------------------------

struct opened_records {
  caf::actor_system_config cfg;
  caf::actor_system sys{tuned(cfg)};
  std::unique_ptr<records> all;

  explicit opened_records(const std::string& url) {
    records_options options;
    options.url = url;
    options.owner = "bench-1";
    all = open_records(sys, options);
    for (auto& name : existing_names())
      all->note_opened(request_for(name), time_point{});
    all->flush({30s});
  }

  ~opened_records() {
    all->stop({10s});
  }

  std::uint64_t batches() const {
    return all->counters().batches;
  }

  static caf::actor_system_config& tuned(caf::actor_system_config& cfg) {
    cafx::tune(cfg);
    return cfg;
  }
};

// Asks, waits for the answer, asks again.
struct caller_state {
  records* all = nullptr;
  question what{};
  paired::clock::time_point end;
  paired::clock::time_point asked;
  std::vector<double>* waits = nullptr;
  std::latch* done = nullptr;

  void next(caf::stateful_actor<caller_state>* self) {
    asked = paired::clock::now();
    if (asked >= end) {
      self->quit();
      return done->count_down();
    }
    all->get_or_create(self, request_for(what.name()),
                       [this, self](const record_answer& answer) {
                         wrong += answer.verdict != what.expected;
                         waits->push_back(
                           std::chrono::duration<double, std::micro>(
                             paired::clock::now() - asked)
                             .count());
                         next(self);
                       },
                       {30s});
  }
};

paired::turn run_actors(opened_records& open, std::size_t callers,
                        paired::clock::duration how_long, question what) {
  std::vector<std::vector<double>> waits(callers);
  std::latch done{static_cast<std::ptrdiff_t>(callers)};
  auto cpu = paired::cpu_now_us();
  auto start = paired::clock::now();
  auto caller = [&](caf::stateful_actor<caller_state>* self,
                    std::vector<double>* mine) {
    auto& state = cafx::state(self);
    state.all = open.all.get();
    state.what = what;
    state.end = start + how_long;
    state.waits = mine;
    state.done = &done;
    state.next(self);
  };
  for (auto& mine : waits)
    open.sys.spawn(caller, &mine);
  done.wait();
  return paired::turn_of(waits, paired::clock::now() - start,
                         paired::cpu_now_us() - cpu);
}

paired::turn run_threads(opened_records& open, std::size_t callers,
                         paired::clock::duration how_long, question what) {
  auto ask = [&] {
    auto answer = open.all->get_or_create(request_for(what.name()), {30s});
    wrong += answer.verdict != what.expected;
  };
  return paired::counted(
    [&] { return paired::run_threads(callers, how_long, ask); },
    [&] { return open.batches(); });
}

raw::write raw_write_to(const std::string& database, const std::string& url) {
  return database == "sqlite" ? raw::to_sqlite(url.substr(url.find(':') + 1))
                              : raw::to_postgres(url);
}

// One caller who commits each row himself: no queue, no other thread, and no
// deadline that anybody could keep.
paired::turn run_alone(const raw::write& write,
                       paired::clock::duration length) {
  auto ask = [&] { write({raw::row_of(next_name())}); };
  auto result = paired::run_threads(1, length, ask);
  result.batch = 1;
  return result;
}

// By name, as persistence does it: PostgreSQL gets two.
class raw_loop {
public:
  raw_loop(const std::string& database, const std::string& url) {
    for (int i = 0; i < (database == "sqlite" ? 1 : 2); ++i)
      all_.push_back(
        std::make_unique<raw::committer>(raw_write_to(database, url)));
  }

  paired::turn run(std::size_t callers, paired::clock::duration how_long) {
    auto ask = [this] {
      auto name = next_name();
      auto& by = all_[std::hash<std::string>{}(name) % all_.size()];
      by->add(raw::row_of(std::move(name))).get();
    };
    return paired::counted(
      [&] { return paired::run_threads(callers, how_long, ask); },
      [&] { return batches(); });
  }

private:
  std::uint64_t batches() const {
    std::uint64_t sum = 0;
    for (auto& x : all_)
      sum += x->batches();
    return sum;
  }

  std::vector<std::unique_ptr<raw::committer>> all_;
};

// -- the table ----------------------------------------------------------------

void tell(const std::string& database, std::size_t callers, const char* way,
          const paired::summary& x, const paired::summary& base) {
  std::printf("| %s | %zu | %s | %.0f | %.2f | %.0f | %.0f | %.1f | %.0f |\n",
              database.c_str(), callers, way, x.calls_per_s(),
              paired::share(x, base), x.wait_us(0.5), x.wait_us(0.99),
              x.cpu_us(), x.batch());
  std::fflush(stdout);
}

void measure(const std::string& database, const arguments& how) {
  // A file for each way: none shall write to one that is larger by what others
  // wrote.
  std::array<temp_file, 4> files;
  auto url_of = [&](std::size_t way) {
    return database == "sqlite" ? "sqlite:" + files[way].path()
                                : record_test::postgres_url();
  };
  for (auto way : {std::size_t{0}, std::size_t{3}}) // makes the schema
    open_record_store(url_of(way), 5s);
  raw_loop loop{database, url_of(0)};
  auto write_alone = raw_write_to(database, url_of(3));
  opened_records of_threads{url_of(1)};
  opened_records of_actors{url_of(2)};
  for (auto callers : how.callers) {
    paired::summary raw;
    paired::summary alone;
    paired::summary threads;
    paired::summary actors;
    paired::summary there;
    paired::summary there_actors;
    auto by_actors = [&](question what) {
      return paired::counted(
        [&] { return run_actors(of_actors, callers, how.turn, what); },
        [&] { return of_actors.batches(); });
    };
    for (std::size_t i = 0; i < how.rounds; ++i) {
      raw.turns.push_back(loop.run(callers, how.turn));
      if (callers == 1)
        alone.turns.push_back(run_alone(write_alone, how.turn));
      threads.turns.push_back(
        run_threads(of_threads, callers, how.turn, fresh));
      actors.turns.push_back(by_actors(fresh));
      there.turns.push_back(run_threads(of_threads, callers, how.turn, known));
      there_actors.turns.push_back(by_actors(known));
    }
    tell(database, callers, "raw loop", raw, raw);
    if (callers == 1)
      tell(database, callers, "raw, no other thread", alone, raw);
    tell(database, callers, "threads", threads, raw);
    tell(database, callers, "actors", actors, raw);
    tell(database, callers, "existing, threads", there, raw);
    tell(database, callers, "existing, actors", there_actors, raw);
  }
}

// -- the command line ---------------------------------------------------------

std::size_t number_of(std::string_view text) {
  std::size_t result = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(),
                                      result);
  if (error != std::errc{} || end != text.data() + text.size() || result == 0)
    throw std::runtime_error{std::string{text} + " is not a number above 0"};
  return result;
}

arguments parse(const std::vector<std::string>& words) {
  arguments result;
  std::vector<std::size_t> callers;
  std::vector<std::string> databases;
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto& word = words[i];
    if (word == "sqlite" || word == "postgresql") {
      databases.push_back(word);
      continue;
    }
    if (i + 1 == words.size())
      throw std::runtime_error{manual};
    auto value = number_of(words[++i]);
    if (word == "--turn")
      result.turn = std::chrono::milliseconds{value};
    else if (word == "--rounds")
      result.rounds = value;
    else if (word == "--callers")
      callers.push_back(value);
    else
      throw std::runtime_error{manual};
  }
  if (!callers.empty())
    result.callers = callers;
  if (!databases.empty())
    result.databases = databases;
  return result;
}

} // namespace

int main(int argc, char** argv) {
  try {
    if (argc > 1 && std::string_view{argv[1]} == "--help") {
      std::fputs(manual, stdout);
      return 0;
    }
    auto how = parse({argv + 1, argv + argc});
    std::puts("| database | callers | way | calls/s | of raw | p50 us | p99 us"
              " | CPU us | batch |\n|---|---|---|---|---|---|---|---|---|");
    for (auto& database : how.databases)
      measure(database, how);
    if (wrong > 0)
      throw std::runtime_error{std::to_string(wrong) + " answers are wrong"};
  } catch (const std::exception& x) {
    std::fprintf(stderr, "%s\n", x.what());
    return 1;
  }
}
