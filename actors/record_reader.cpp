#include <steward/actors/record_reader.hpp>

#include <chrono>
#include <iterator>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace steward {

namespace {

using namespace std::chrono_literals;

// Longest wait for another's lock; readers meet locks only while a database is
// made or recovered.
constexpr duration lock_wait = 1s;

// So many names are looked up at once.
constexpr std::size_t names_max = 1'000;

// An actor or a thread that waits.
template <class Answer>
using asker = std::variant<caf::typed_response_promise<Answer>,
                           std::shared_ptr<std::promise<Answer>>>;

class reader_state {
public:
  static constexpr const char* name = "steward.record_reader";

  using self_ptr = caf::stateful_actor<reader_state>*;

  reader_state() = default;

  void start(self_ptr self, store_factory open) {
    self_ = self;
    open_ = std::move(open);
  }

  void find(asker<records_found> from, std::vector<std::string> names) {
    if (!names_.empty() && names_.size() + names.size() > names_max)
      read_names();
    asked_.push_back({std::move(from), names.size(), {}});
    std::move(names.begin(), names.end(), std::back_inserter(names_));
    if (asked_.size() == 1)
      cafx::send(self_, self_, flush_now{});
  }

  void read_names() {
    auto names = std::exchange(names_, {});
    auto asked = std::exchange(asked_, {});
    if (!asked.empty())
      answer(asked, names);
  }

  void page(asker<page_found> from, const record_query& what) {
    page_found found;
    attempt(found, [&](record_store& x) {
      found.page = x.read_page(what, lock_wait);
    });
    deliver(from, found);
  }

  void end() {
    read_names();
    store_.reset();
    open_ = nullptr;
    self_->quit();
  }

private:
  struct ask {
    asker<records_found> from;
    std::size_t names; // of which we know nothing yet
    records_found found;
  };

  // A store finds no more at once than a page may have. A name that cannot be
  // read fails those alone who asked for it: they are found by halving.
  void answer(std::span<ask> asked, std::span<const std::string> names) {
    while (!asked.empty()) {
      records_found some;
      auto by_row = attempt(some, [&](record_store& x) {
        some.rows = x.find(names, lock_wait);
      });
      if (by_row && asked.size() > 1)
        return halve(asked, names);
      if (!some.cause.empty())
        return refuse(asked, some.cause);
      names = names.subspan(some.rows.size());
      asked = share_out(asked, some.rows);
    }
  }

  void halve(std::span<ask> asked, std::span<const std::string> names) {
    auto first = asked.first(asked.size() / 2);
    std::size_t count = 0;
    for (auto& x : first)
      count += x.names;
    answer(first, names.first(count));
    answer(asked.subspan(first.size()), names.subspan(count));
  }

  static void refuse(std::span<ask> asked, const std::string& cause) {
    for (auto& x : asked)
      deliver(x.from, records_found{{}, cause});
  }

  // Returns who has not got all yet.
  static std::span<ask> share_out(std::span<ask> asked,
                                  std::vector<std::optional<record>>& rows) {
    auto next = rows.begin();
    for (; !asked.empty(); asked = asked.subspan(1)) {
      auto& x = asked.front();
      for (; x.names > 0 && next != rows.end(); --x.names)
        x.found.rows.push_back(std::move(*next++));
      if (x.names > 0)
        break;
      deliver(x.from, x.found);
    }
    return asked;
  }

  // Whether it failed by a row, and others may be read all the same. Twice:
  // after a server was away, the first try finds a dead connection.
  template <class Found, class Fun>
  bool attempt(Found& found, Fun fun) {
    auto by_row = false;
    for (int tries = 0; tries < 2 && !by_row; ++tries) {
      try {
        if (!store_)
          store_ = open_();
        fun(*store_);
        found.cause.clear();
        return false;
      } catch (const store_failure& x) {
        found.cause = x.what();
        by_row = store_ && may_be_of_a_row(x.code());
      } catch (const std::exception& x) {
        found.cause = x.what();
      }
    }
    return by_row;
  }

  static bool may_be_of_a_row(store_errc code) {
    return code == store_errc::bad_row || code == store_errc::damaged
           || code == store_errc::misuse;
  }

  template <class Answer>
  static void deliver(asker<Answer>& to, const Answer& what) {
    using promise = std::shared_ptr<std::promise<Answer>>;
    if (auto blocking = std::get_if<promise>(&to))
      (*blocking)->set_value(what);
    else
      std::get<caf::typed_response_promise<Answer>>(to).deliver(what);
  }

  self_ptr self_ = nullptr;
  store_factory open_;
  std::unique_ptr<record_store> store_;
  std::vector<ask> asked_;
  std::vector<std::string> names_;
};

caf::behavior reader(reader_state::self_ptr self, const store_factory& open) {
  cafx::drop_unknown(self);
  auto* state = &cafx::state(self);
  state->start(self, open);
  self->set_exit_handler([state](caf::exit_msg&) { state->end(); });
  return {
    [state](find_records_blocking& msg) {
      state->find(std::move(msg.reply), std::move(msg.names));
    },
    [=](find_records& msg) {
      auto promise = self->make_response_promise<records_found>();
      state->find(promise, std::move(msg.names));
      return promise;
    },
    [state](page_records_blocking& msg) {
      state->page(std::move(msg.reply), msg.what);
    },
    [=](const page_records& msg) {
      auto promise = self->make_response_promise<page_found>();
      state->page(promise, msg.what);
      return promise;
    },
    [state](flush_now) { state->read_names(); },
    [state](stop_reader) { state->end(); },
  };
}

} // namespace

caf::actor spawn_record_reader(caf::actor_system& sys, store_factory open,
                               run_on thread) {
  if (thread == run_on::own_thread)
    return sys.spawn<caf::detached>(reader, std::move(open));
  return sys.spawn(reader, std::move(open));
}

} // namespace steward
