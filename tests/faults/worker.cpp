#include <steward/tests/faults/worker.hpp>

#include <steward/tests/faults/pulse.hpp>

#include <steward/actors/log.hpp>
#include <steward/core/hex.hpp>
#include <steward/core/planted.hpp>
#include <steward/runtime/records.hpp>
#include <steward/testkit/history.hpp>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <functional>
#include <future>
#include <iostream>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <vector>

namespace faults {

using namespace steward;
using namespace std::chrono_literals;

/// To an actor that asks in the place of a thread.
struct ask_for {
  record_request wanted;
  duration deadline{};
  std::shared_ptr<std::promise<record_answer>> reply;
};

} // namespace faults

STEWARD_MESSAGE(faults::ask_for)

namespace faults {

namespace {

using testkit::history;
using testkit::stamp;

std::atomic<bool> enough{false};

// `records` promises half a second; the rest is for a machine that has more to
// do than it can.
constexpr auto late_max = 1s;

// After that nothing comes any more.
constexpr auto never_max = 30s;

caf::behavior asking(caf::event_based_actor* self, records* all) {
  return {[=](const ask_for& x) {
    all->get_or_create(self, x.wanted,
                       [reply = x.reply](const record_answer& said) {
                         reply->set_value(said);
                       },
                       {x.deadline});
  }};
}

creator_token token_of(const std::string& text) {
  return fingerprint_of(text);
}

class worker {
public:
  worker(const work& what, caf::actor_system& sys)
    : what_(what), sys_(sys),
      file_(::open(what.history.c_str(),
                   O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)),
      book_(testkit::monotonic_stamp,
            [this](const std::string& line) { write(line + "\n"); }) {
  }

  ~worker() {
    ::close(file_);
  }

  /// Writes down what went wrong, each thing once: of a fault that happened,
  /// somebody hears.
  void heard(const std::string& what) {
    std::lock_guard lock{notes_guard_};
    if (!what.empty() && errors_.insert(what).second)
      std::ofstream{what_.history + ".errors", std::ios::app} << what << '\n';
  }

  void run(records& all) {
    std::vector<std::thread> clients;
    for (std::size_t i = 0; i < what_.clients; ++i)
      clients.emplace_back([this, &all, i] { ask_on(all, i); });
    for (auto& x : clients)
      x.join();
  }

private:
  void write(const std::string& line) const {
    if (::write(file_, line.data(), line.size()) < 0)
      ::_exit(3);
  }

  // New names come up with the time, and then all processes want the same ones
  // at once.
  static std::string next_name(std::mt19937_64& random) {
    auto window = testkit::monotonic_stamp() / 50'000'000;
    return "n"
           + std::to_string(window * 60 + static_cast<stamp>(random() % 60));
  }

  void ask_on(records& all, std::size_t number) {
    auto me = what_.name + "/" + std::to_string(number);
    auto client = book_.as(me);
    std::mt19937_64 random{std::hash<std::string>{}(me)};
    std::vector<std::string> created;
    caf::actor asker;
    if (number % 2 == 1)
      asker = sys_.spawn(asking, &all);
    for (std::uint64_t i = 0; !enough; ++i) {
      auto name = next_name(random);
      auto token = token_of(me + "/" + std::to_string(i));
      auto ticket = client.invoke("get_or_create", name, to_hex(token));
      record_request wanted{name, "faults", me, {}};
      wanted.token = token;
      auto start = pulse::clock::now();
      auto lost = pulse_.lost();
      auto answer = ask(all, asker, std::move(wanted));
      heard(all.counters().last_error());
      judge(name, me, pulse::clock::now() - start, pulse_.lost() - lost);
      tell(client, ticket, answer);
      if (answer.verdict == record_verdict::created)
        created.push_back(std::move(name));
      // Some batches have more than creates.
      if (created.size() > 4) {
        all.note_closed(created.front(), close_reason::requested,
                        time_point{testkit::monotonic_stamp() * 1ns});
        created.clear();
      }
    }
    if (asker)
      caf::anon_send_exit(asker, caf::exit_reason::user_shutdown);
  }

  // As a thread, or as an actor.
  record_answer ask(records& all, const caf::actor& asker,
                    record_request wanted) const {
    if (!asker)
      return all.get_or_create(std::move(wanted), {what_.deadline});
    auto reply = std::make_shared<std::promise<record_answer>>();
    auto coming = reply->get_future();
    cafx::send_anon(asker, ask_for{std::move(wanted), what_.deadline, reply});
    if (coming.wait_for(never_max) == std::future_status::ready)
      return coming.get();
    auto answer = unavailable(record_trouble::timed_out, "never answered");
    answer.may_exist = true;
    return answer;
  }

  // Rule 6. What the history has is the time of its lines, and a disk that is
  // busy keeps those waiting, too.
  void judge(const std::string& name, const std::string& me,
             pulse::clock::duration waited, pulse::clock::duration lost) {
    if (waited - lost <= what_.deadline + late_max)
      return;
    auto ms = std::chrono::floor<std::chrono::milliseconds>(waited).count();
    std::lock_guard lock{notes_guard_};
    std::ofstream{what_.history + ".late", std::ios::app}
      << name << '\t' << me << " was answered after " << ms << " ms\n";
  }

  void tell(history::client& to, history::client::ticket which,
            const record_answer& x) {
    auto result = std::string{to_string(x.verdict)} + " "
                  + std::to_string(x.row.id) + " " + to_hex(x.row.creator);
    heard(x.cause.substr(0, x.cause.find(", gave up")));
    if (x.verdict == record_verdict::unavailable && x.may_exist)
      to.in_doubt(which, x.cause);
    else if (x.verdict == record_verdict::unavailable)
      to.fail(which, x.cause);
    else
      to.complete(which, result);
  }

  work what_;
  caf::actor_system& sys_;
  int file_;
  pulse pulse_;
  std::mutex notes_guard_; // of the files beside the history
  std::set<std::string> errors_;
  history book_;
};

} // namespace

void plant_bug(const std::string& name) {
#ifdef STEWARD_PLANTED_BUGS
  planted::active = planted::bug::none;
  for (const auto& x : planted::of_databases)
    if (x.name == name)
      planted::active = x.which;
  auto is_known = name.empty() || planted::active != planted::bug::none;
#else
  auto is_known = name.empty();
#endif
  if (!is_known)
    throw std::runtime_error{"there is no bug to plant called " + name};
}

int run_worker(const work& what) {
  ::signal(SIGTERM, [](int) { enough = true; });
  plant_bug(what.planted);
  logger_of("persistence").set_level(spdlog::level::off);
  caf::actor_system_config cfg;
  cafx::tune(cfg);
  caf::actor_system sys{cfg};
  worker me{what, sys};
  std::unique_ptr<records> all;
  std::string why;
  while (!enough && !all) { // the database may be away just now
    try {
      records_options how;
      how.url = what.url;
      how.owner = what.name;
      how.open_wait_max = 500ms;
      how.persistence.seed = std::hash<std::string>{}(what.name);
      all = open_records(sys, how);
    } catch (const store_failure& x) {
      why = x.what();
      me.heard(why);
      std::this_thread::sleep_for(20ms);
    }
  }
  if (!all) {
    std::cerr << what.name << ": " << why << '\n';
    return 0;
  }
  me.run(*all);
  all->stop({3s});
  return 0;
}

} // namespace faults
