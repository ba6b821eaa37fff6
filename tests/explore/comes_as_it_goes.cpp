#include "comes_as_it_goes.hpp"

#include "memory_rule.hpp"
#include "stage.hpp"

#include <steward/core/duration_text.hpp>
#include <steward/messages/errors.hpp>

#include <memory>
#include <string>
#include <utility>

namespace explored {

namespace {

// It is time to ask.
struct come {};

} // namespace

} // namespace explored

STEWARD_MESSAGE(explored::come)

namespace explored {

namespace {

// What those who come now and then have in common.
struct visits {
  world* where;
  pool<fake_resource> things;
  unsigned asked = 0;
  unsigned answered = 0;
};

// How often somebody comes for what, some seconds after the last time; for 0,
// when it is called.
struct habit {
  const char* name;
  const char* key;
  int least;
  int most;
};

// Takes what there is, for a moment.
class visitor {
public:
  visitor(std::shared_ptr<visits> all, habit how)
    : all_(std::move(all)), how_(how), random_(all_->where->stream(how.name)) {
  }

  void come_later(caf::event_based_actor* self) {
    if (how_.most > 0)
      cafx::send_later(self, random_.between(how_.least, how_.most) * 1s,
                       come{});
  }

  void ask(caf::event_based_actor* self) {
    if (rounds_-- <= 0)
      return;
    ++all_->asked;
    auto begun = all_->where->sim().now();
    all_->things.acquire(
      self, how_.key, {.deadline = 1h},
      [this, self, begun](const lease<fake_resource>&) { // goes back at once
        answered(begun);
        come_later(self);
      },
      [this, self](const caf::error& e) {
        ++all_->answered;
        // Where timers do not wait for messages, opening may take too long.
        if (code_of(e) != errc::open_timed_out || all_->where->time_waits())
          wrong("was refused: " + describe(e));
        come_later(self);
      });
  }

private:
  void answered(time_point begun) {
    ++all_->answered;
    auto took = all_->where->sim().now() - begun;
    if (all_->where->time_waits() && took > 0s)
      wrong("waited for " + to_text(took) + " where nothing takes time");
  }

  void wrong(const std::string& what) {
    all_->where->violated("I8", std::string{how_.name} + " " + what);
  }

  std::shared_ptr<visits> all_;
  habit how_;
  random_stream random_;
  int rounds_ = 6;
};

caf::behavior visiting(caf::event_based_actor* self,
                       const std::shared_ptr<visitor>& who) {
  who->come_later(self);
  return {[self, who](come) { who->ask(self); }};
}

// Its close calls somebody: at the very tick at which others may leave.
class bell_opener : public fake_opener {
public:
  bell_opener(fake_opener under, std::shared_ptr<caf::actor> called)
    : fake_opener(std::move(under)), called_(std::move(called)) {
  }

  void close(fake_resource& what, close_reason why) {
    fake_opener::close(what, why);
    if (what.key == "bell" && *called_)
      cafx::send_anon(*called_, come{});
  }

private:
  std::shared_ptr<caf::actor> called_;
};

} // namespace

void comes_as_it_goes(world& w) {
  pool_options o{.name = "things",
                 .idle_timeout = 1s,
                 .linger = 1s,
                 .awake_max = w.swarm<std::size_t>("awake_max",
                                                   {0, 1024, 1024})};
  auto called = std::make_shared<caf::actor>();
  auto& s = w.make<stage>(w, o, [called](fake_opener x) {
    return bell_opener{std::move(x), called};
  });
  auto all = std::make_shared<visits>(visits{&w, *s.things});
  auto spawn = [&](const habit& how) {
    auto who = w.sim().spawn(visiting, std::make_shared<visitor>(all, how));
    w.sim().call(who, how.name);
    return who;
  };
  auto keys = w.swarm<std::size_t>("keys", {1, 2});
  if (keys == 1) {
    for (const auto* name : {"ann", "bob", "cid"})
      spawn({name, "a", 1, 4});
  } else {
    spawn({"ann", "a", 3, 5});
    spawn({"dan", "bell", 1, 4});
    *called = spawn({"cid", "a", 0, 0});
  }
  w.always("I8", [&w, keys] {
    auto n = w.sim().living("steward.supervisor");
    return n <= keys ? std::string{}
                     : std::to_string(n) + " supervisors of "
                         + std::to_string(keys) + " keys";
  });
  w.eventually("I6", [all] { return all->answered == all->asked; });
  expect_memory_back(w, s.book);
  w.sometimes("it left and is made anew",
              [&s, keys] { return s.book->opened() > keys; });
}

} // namespace explored
