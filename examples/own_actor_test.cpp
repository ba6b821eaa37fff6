// Tests an actor that has nothing to do with steward: a queue of work with a
// limit. Jobs wait in it until a worker is free; whoever comes when it is full
// is refused; when a worker dies, its job goes to another one.
//
// docs/testing.md explains what is used here.
#define BOOST_TEST_MODULE own_actor
#include <steward/testkit.hpp>
#include <steward/testkit/boost_test.hpp>

#include <cstddef>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>

using namespace steward::testkit;
using namespace std::chrono_literals;

// -- the actor ----------------------------------------------------------------

struct job {
  int number = 0;
};

struct outcome {
  int number = 0;
};

struct free_worker {}; // "give me work", from a worker

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(outcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(free_worker)

class work_queue_state {
public:
  using self_pointer = caf::stateful_actor<work_queue_state>*;

  explicit work_queue_state(self_pointer self) : self_(self) {
  }

  caf::behavior make_behavior(std::size_t waiting_max) {
    self_->set_down_handler([this](caf::down_msg& x) { lost(x.source); });
    return {
      [this, waiting_max](const job& x) -> caf::result<outcome> {
        if (waiting_.size() >= waiting_max && free_.empty())
          return caf::make_error(caf::sec::runtime_error, "the queue is full");
        auto promise = self_->make_response_promise<outcome>();
        waiting_.push_back({x, promise});
        hand_out();
        return promise;
      },
      [this](free_worker) {
        auto worker = caf::actor_cast<caf::actor>(self_->current_sender());
        self_->monitor(worker);
        free_.push_back(std::move(worker));
        hand_out();
      },
    };
  }

private:
  struct order {
    job what;
    caf::typed_response_promise<outcome> promise;
  };

  void hand_out() {
    while (!waiting_.empty() && !free_.empty()) {
      auto worker = std::move(free_.front());
      free_.pop_front();
      auto number = ++numbers_;
      auto [i, is_new]
        = busy_.emplace(number, std::pair{worker, std::move(waiting_.front())});
      waiting_.pop_front();
      self_->request(worker, caf::infinite, i->second.second.what)
        .then([this, number](const outcome& x) { finished(number, x); },
              [](const caf::error&) {}); // its death is told, too
    }
  }

  void finished(int number, const outcome& x) {
    auto i = busy_.find(number);
    if (i == busy_.end())
      return;
    i->second.second.promise.deliver(x);
    self_->demonitor(i->second.first);
    busy_.erase(i);
  }

  // What it had goes to the front: it has waited longest.
  void lost(const caf::actor_addr& worker) {
    std::erase_if(free_, [&](const auto& x) { return x == worker; });
    for (auto i = busy_.begin(); i != busy_.end();) {
      if (i->second.first != worker) {
        ++i;
        continue;
      }
      waiting_.push_front(std::move(i->second.second));
      i = busy_.erase(i);
    }
    hand_out();
  }

  self_pointer self_;
  std::deque<order> waiting_;
  std::deque<caf::actor> free_;
  std::map<int, std::pair<caf::actor, order>> busy_;
  int numbers_ = 0;
};

caf::behavior work_queue(caf::stateful_actor<work_queue_state>* self,
                         std::size_t waiting_max) {
  return self->state.make_behavior(waiting_max);
}

// -- level 1: one flow, step by step -------------------------------------------

BOOST_AUTO_TEST_CASE(a_job_waits_for_a_worker) {
  sim s;
  auto queue = s.spawn(work_queue, 2u);
  auto client = s.probe("client");
  auto worker = s.probe("worker");

  auto answer = client.request<outcome>(queue, job{7});
  s.settle();
  BOOST_TEST(!answer.answered());

  worker.send(queue, free_worker{});
  BOOST_TEST(worker.expect<job>().number == 7);
  worker.reply(outcome{7});
  BOOST_TEST(answer.get().number == 7);
}

BOOST_AUTO_TEST_CASE(who_comes_when_the_queue_is_full_is_refused) {
  sim s;
  auto queue = s.spawn(work_queue, 2u);
  auto client = s.probe("client");
  client.request<outcome>(queue, job{1});
  client.request<outcome>(queue, job{2});
  BOOST_TEST(!client.request<outcome>(queue, job{3}).result());
}

BOOST_AUTO_TEST_CASE(the_job_of_a_dead_worker_goes_to_another) {
  sim s;
  auto queue = s.spawn(work_queue, 2u);
  auto client = s.probe("client");
  auto answer = client.request<outcome>(queue, job{7});
  auto first = s.probe("first");
  first.send(queue, free_worker{});
  first.expect<job>();
  first.die();

  auto second = s.probe("second");
  second.send(queue, free_worker{});
  BOOST_TEST(second.expect<job>().number == 7);
  second.reply(outcome{7});
  BOOST_TEST(answer.get().number == 7);
}

// -- level 2: any order, workers that die ----------------------------------------

namespace {

// What really happened, as workers and clients know it.
struct truth_of_jobs {
  std::size_t asked = 0;
  std::size_t done = 0;
  std::size_t refused = 0;
  std::multiset<int> at_work;
};

struct go_on {};

} // namespace

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(go_on)

namespace {

// Works for up to three seconds, and asks for more. May die at any time.
class worker_state {
public:
  using self_pointer = caf::stateful_actor<worker_state>*;

  explicit worker_state(self_pointer self) : self_(self) {
  }

  ~worker_state() {
    stop();
  }

  caf::behavior make_behavior(world& w, caf::actor queue, truth_of_jobs* all,
                              int number) {
    world_ = &w;
    all_ = all;
    random_ = w.stream("worker " + std::to_string(number));
    self_->send(queue, free_worker{});
    return {
      [this](const job& x) {
        now_ = x.number;
        if (all_->at_work.count(now_) > 0)
          world_->violated("nobody does another's job",
                           "job " + std::to_string(now_) + " is done twice");
        all_->at_work.insert(now_);
        promise_ = self_->make_response_promise<outcome>();
        self_->delayed_send(self_, random_.between(0, 3) * 1s, go_on{});
        return promise_;
      },
      [this, queue](go_on) {
        promise_.deliver(outcome{now_});
        stop();
        self_->send(queue, free_worker{});
      },
    };
  }

private:
  void stop() {
    if (now_ == 0)
      return;
    all_->at_work.erase(std::exchange(now_, 0));
  }

  self_pointer self_;
  world* world_ = nullptr;
  truth_of_jobs* all_ = nullptr;
  random_stream random_{0};
  caf::typed_response_promise<outcome> promise_;
  int now_ = 0;
};

caf::behavior worker(caf::stateful_actor<worker_state>* self, world* w,
                     caf::actor queue, truth_of_jobs* all, int number) {
  return self->state.make_behavior(*w, std::move(queue), all, number);
}

// Asks for `count` jobs, one after the other.
caf::behavior client(caf::event_based_actor* self, caf::actor queue,
                     truth_of_jobs* all, int first, int count) {
  auto left = std::make_shared<int>(count);
  self->send(self, go_on{});
  return {
    [=](go_on) {
      if (--*left < 0)
        return;
      ++all->asked;
      self->request(queue, caf::infinite, job{first + *left})
        .then(
          [=](const outcome&) {
            ++all->done;
            self->delayed_send(self, 1s, go_on{});
          },
          [=](const caf::error&) {
            ++all->refused;
            self->delayed_send(self, 1s, go_on{});
          });
    },
  };
}

void any_work(world& w) {
  auto& s = w.sim();
  auto& all = w.make<truth_of_jobs>();
  auto queue = s.spawn(work_queue, w.swarm<std::size_t>("waiting", {1, 2, 4}));
  s.call(queue, "queue");
  auto workers = w.swarm("workers", {1, 2, 3});
  for (int i = 0; i <= workers; ++i) {
    auto who = s.spawn(worker, &w, queue, &all, i);
    s.call(who, "worker " + std::to_string(i));
    if (i > 0) // one lives, so that all jobs are done in the end
      w.mortal(who);
  }
  for (int i = 1; i <= w.swarm("clients", {2, 3, 5}); ++i)
    s.call(s.spawn(client, queue, &all, 100 * i, 4),
           "client " + std::to_string(i));
  w.fault("holder.dies", w.swarm("deaths", {0.0, 0.05}));

  w.eventually("everybody is answered", [&all] {
    auto open = all.asked - all.done - all.refused;
    return open == 0 ? std::string{}
                     : std::to_string(open) + " jobs were never answered";
  });
  w.sometimes("the queue is full", [&all] { return all.refused > 0; });
  w.sometimes("two work", [&all] { return all.at_work.size() == 2; });
}

} // namespace

BOOST_AUTO_TEST_CASE(no_job_is_lost_or_done_twice) {
  explore_as_test({.seeds = 2000, .exhaustive = 1}, any_work);
}
