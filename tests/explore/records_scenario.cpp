#include "records_scenario.hpp"

#include <steward/storage/sqlite_store.hpp>

#include <algorithm>
#include <utility>

namespace explored {

namespace {

struct next_name {};

} // namespace

} // namespace explored

STEWARD_MESSAGE(explored::next_name)

namespace explored {

/// An actor that wants one name after the other.
struct records_client {
  records_scenario* home;
  records* from;
  history::client book;
  random_stream random;
  std::string name;
  unsigned round = 0;

  void go_on(caf::event_based_actor* self) {
    const auto& how = home->how_;
    if (round++ >= how.rounds)
      return self->quit();
    if (how.notes)
      note();
    auto wanted = std::string(1,
                              static_cast<char>('a' + random.below(how.names)))
                  + "-" + std::to_string(random.below(how.names));
    auto ticket = book.invoke("get_or_create", wanted,
                              name + "/" + std::to_string(round));
    ++*home->asked_;
    from->get_or_create(self, {wanted, "things", wanted, {}},
                        [this, self, ticket, wanted](const record_answer& x) {
                          ++*home->answered_;
                          told(ticket, wanted, x);
                          cafx::send(self, self, next_name{});
                        },
                        {how.deadline});
  }

  void told(history::client::ticket ticket, const std::string& wanted,
            const record_answer& x) {
    auto id = std::to_string(x.row.id);
    switch (x.verdict) {
      case record_verdict::created:
        book.complete(ticket, "created " + id);
        break;
      case record_verdict::existed:
      case record_verdict::conflict: // an answer, too
        book.complete(ticket, "existed " + id);
        break;
      case record_verdict::unavailable:
        book.in_doubt(ticket, x.cause);
        if (home->how_.strict)
          home->world_.violated("I9", name + " wanted \"" + wanted
                                        + "\" and heard: " + x.cause);
        return;
    }
    if (x.row.name != wanted)
      home->world_.violated("I9", name + " wanted \"" + wanted + "\" and got \""
                                    + x.row.name + "\"");
    home->promised_->push_back({wanted, x.row.id});
  }

  void note() {
    auto own = "note of " + name + ", " + std::to_string(round);
    from->note_opened({own, "things", name, {}}, home->world_.sim().now());
    from->note_closed(own, close_reason::requested, home->world_.sim().now());
    ++*home->noted_;
  }
};

records_scenario::options records_scenario::draw(world& w) {
  options o;
  o.programs = w.swarm("programs", {1u, 2u, 2u, 3u});
  o.clients = w.swarm("clients", {1u, 2u, 4u});
  o.rounds = w.swarm("rounds", {1u, 3u, 5u});
  o.names = w.swarm("names", {1u, 2u, 3u});
  o.notes = w.swarm("notes", {false, true});
  if (w.swarm("impatient", {false, false, true})) {
    o.deadline = 20ms;
    o.strict = false;
  }
  return o;
}

records_scenario::records_scenario(world& w, options how)
  : world_(w), how_(how), database_(sqlite_store::in_memory()),
    history_(std::make_shared<history>(
      [&w] { return static_cast<stamp>(w.sim().steps()); })),
    promised_(std::make_shared<std::vector<promise>>()),
    asked_(std::make_shared<std::uint64_t>(0)),
    answered_(std::make_shared<std::uint64_t>(0)),
    noted_(std::make_shared<std::uint64_t>(0)) {
  auto around = w.surroundings();
  around.open_store = [this](const std::string&, duration) {
    return world_.faulty(std::make_unique<shared_store>(database_));
  };
  for (unsigned p = 1; p <= how_.programs; ++p) {
    auto owner = "program " + std::to_string(p);
    programs_.push_back(
      open_records(w.sim().system(), {"sqlite:simulated", owner}, around));
    for (unsigned c = 1; c <= how_.clients; ++c) {
      auto name = "client " + std::to_string(p) + "." + std::to_string(c);
      auto state = std::make_shared<records_client>(
        records_client{this, programs_.back().get(), history_->as(name),
                       w.stream(name), name});
      auto client = w.sim().spawn(
        [](caf::event_based_actor* self,
           const std::shared_ptr<records_client>& mine) {
          return caf::behavior{[=](next_name) { mine->go_on(self); }};
        },
        state);
      w.sim().call(client, name);
      cafx::send_anon(client, next_name{});
    }
  }
  w.eventually("I6", [this] {
    return *asked_ == *answered_
             ? std::string{}
             : std::to_string(*asked_ - *answered_) + " were never answered";
  });
  w.finally([this] { shut_down(); });
}

void records_scenario::shut_down() {
  for (auto& p : programs_)
    if (auto last = p->stop({10s}); last.pending > 0)
      throw failure("I10", std::to_string(last.pending)
                             + " writes are lost: " + last.cause);
  auto judged = check_get_or_create(history_->operations());
  if (!judged.right())
    throw failure("I9", judged.text());
  judge_rows();
}

void records_scenario::judge_rows() {
  auto rows = database_->list("", 0s);
  std::map<std::string, std::int64_t> by_name;
  std::uint64_t notes = 0;
  for (const auto& row : rows) {
    if (!by_name.emplace(row.name, row.id).second)
      throw failure("I9", "two rows of " + row.name);
    if (row.name.starts_with("note") && !row.open)
      ++notes;
  }
  for (const auto& x : *promised_)
    if (auto i = by_name.find(x.name); i == by_name.end() || i->second != x.id)
      throw failure("I10", "row " + std::to_string(x.id) + " of \"" + x.name
                             + "\" was promised and is not there");
  if (notes != *noted_)
    throw failure("I10", std::to_string(notes) + " of "
                           + std::to_string(*noted_)
                           + " notes are there and closed");
}

void any_records(world& w) {
  auto o = records_scenario::draw(w);
  w.fault("db.commit.before", w.swarm("db.commit.before", {0.0, 0.3}));
  w.fault("db.commit.after", w.swarm("db.commit.after", {0.0, 0.3}));
  w.make<records_scenario>(w, o);
}

} // namespace explored
