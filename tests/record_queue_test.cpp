#include <boost/test/unit_test.hpp>

#include "record_fixtures.hpp"

#include <steward/core/record_queue.hpp>

using namespace steward;
using namespace record_test;

namespace {

struct fixture {
  record_queue queue;
  record_queue::news news;

  void request(record_queue::ticket from, const std::string& name,
               time_point deadline = never) {
    queue.add_request(from, create(name, static_cast<unsigned>(from)), noon,
                      deadline);
  }

  std::string names_of_batch(std::size_t rows_max = 1000) {
    std::string names;
    for (auto& x : queue.next_batch(rows_max)) {
      auto create = std::get_if<create_record>(&x);
      names += create ? create->draft.name : "-" + name_of(x);
      names += ' ';
    }
    return names;
  }

  // The row that the request with this ticket made, as the store answers.
  static record_answer created(std::string name, unsigned by) {
    record_answer answer;
    answer.verdict = record_verdict::created;
    answer.row = draft(std::move(name), by);
    answer.row.id = by;
    return answer;
  }

  std::string verdicts() const {
    std::string text;
    for (auto& x : news.answers) {
      text += std::to_string(x.to) + '=';
      text += to_string(x.answer.verdict);
      text += ' ';
    }
    return text;
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(record_queue_, fixture)

BOOST_AUTO_TEST_CASE(requests_for_one_name_share_a_row_that_one_created) {
  request(1, "a");
  request(2, "b");
  request(3, "a");
  BOOST_TEST(names_of_batch() == "a b ");
  queue.settle({created("a", 1), created("b", 2)}, news);
  BOOST_TEST(verdicts() == "1=created 2=created 3=existed ");
  BOOST_TEST(news.answers[2].answer.row.id == 1);
  BOOST_TEST(news.answers[2].shared);
  BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(who_shares_a_row_is_its_creator_if_it_carries_its_token) {
  // 3 was written before, but its answer was lost; 1 came first this time.
  request(1, "a");
  request(3, "a");
  names_of_batch();
  auto row = created("a", 3);
  row.verdict = record_verdict::existed;
  row.lost_race = true;
  queue.settle({row}, news);
  BOOST_TEST(verdicts() == "1=existed 3=created ");
  BOOST_TEST(!news.answers[1].answer.lost_race);
}

BOOST_AUTO_TEST_CASE(a_request_after_a_close_does_not_share_the_row_before_it) {
  request(1, "a");
  queue.add_note(close("a"), noon);
  request(2, "a");
  request(3, "a");
  BOOST_TEST(names_of_batch() == "a -a a ");
}

BOOST_AUTO_TEST_CASE(a_batch_has_at_most_so_many_rows_and_keeps_the_order) {
  for (auto name : {"a", "b", "c", "d", "e"})
    queue.add_note(create(name), noon);
  BOOST_TEST(names_of_batch(2) == "a b ");
  queue.settle({record_answer{}, record_answer{}}, news);
  BOOST_TEST(names_of_batch(2) == "c d ");
  queue.settle({std::nullopt, std::nullopt}, news); // not written
  BOOST_TEST(queue.size() == 3u);
  BOOST_TEST(names_of_batch(9) == "c d e ");
}

BOOST_AUTO_TEST_CASE(what_is_left_open_stays_in_order_with_its_content) {
  request(1, "a");
  request(2, "b");
  request(3, "a");
  request(4, "c");
  names_of_batch();
  queue.settle({std::nullopt, created("b", 2), std::nullopt}, news);
  BOOST_TEST(verdicts() == "2=created ");
  BOOST_TEST(names_of_batch() == "a c ");
  queue.settle({created("a", 1), created("c", 4)}, news);
  BOOST_TEST(verdicts() == "2=created 1=created 3=existed 4=created ");
}

BOOST_AUTO_TEST_CASE(who_shared_a_row_once_is_the_creator_of_its_own) {
  request(1, "a", noon + 1s);
  request(2, "a");
  names_of_batch();
  queue.settle({std::nullopt}, news); // nothing was written
  queue.expire(noon + 1s, "locked", news);
  for (int i = 0; i < 2; ++i) { // and its write is kept each time
    BOOST_TEST(names_of_batch() == "a ");
    queue.settle({std::nullopt}, news);
  }
  names_of_batch();
  news = {};
  queue.settle({created("a", 2)}, news);
  BOOST_TEST(verdicts() == "2=created ");
  BOOST_TEST(!news.answers[0].shared);
}

BOOST_AUTO_TEST_CASE(a_request_that_shared_a_row_can_lead_the_next_batch) {
  request(1, "a", noon + 1s);
  request(2, "a");
  names_of_batch();
  queue.settle({std::nullopt}, news);
  queue.expire(noon + 1s, "", news);
  BOOST_TEST(names_of_batch() == "a ");
  queue.settle({created("a", 2)}, news);
  BOOST_TEST(verdicts() == "1=unavailable 2=created ");
}

BOOST_AUTO_TEST_CASE(a_mark_is_reached_when_all_before_it_is_done) {
  queue.add_mark(7, never);
  queue.add_note(create("a"), noon);
  queue.add_mark(8, never);
  queue.add_note(create("b"), noon);
  queue.add_mark(9, never);
  BOOST_TEST(queue.size() == 2u);
  names_of_batch();
  queue.settle({std::nullopt, record_answer{}}, news);
  BOOST_REQUIRE_EQUAL(news.marks.size(), 1u);
  BOOST_TEST(news.marks[0].to == 7u);
  names_of_batch();
  queue.settle({record_answer{}}, news);
  BOOST_REQUIRE_EQUAL(news.marks.size(), 3u);
  BOOST_TEST(news.marks[1].to == 8u);
  BOOST_TEST(news.marks[2].to == 9u);
  BOOST_TEST(news.marks[2].pending == 0u);
  BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(a_mark_at_its_deadline_says_how_much_is_pending) {
  queue.add_note(create("a"), noon);
  queue.add_note(create("b"), noon);
  queue.add_mark(9, noon + 1s);
  queue.add_note(create("c"), noon);
  queue.expire(noon + 1s, "locked", news);
  BOOST_REQUIRE_EQUAL(news.marks.size(), 1u);
  BOOST_TEST(news.marks[0].pending == 2u);
  BOOST_TEST(queue.size() == 3u); // notes have no deadline
}

BOOST_AUTO_TEST_CASE(a_request_is_unavailable_at_its_deadline_and_not_before) {
  request(1, "a", noon + 2s);
  request(2, "b", noon + 3s);
  BOOST_TEST((queue.next_deadline() == noon + 2s));
  queue.expire(noon + 2s - 1ns, "", news);
  BOOST_TEST(news.answers.empty());
  queue.expire(noon + 2s, "database is locked", news);
  BOOST_TEST(verdicts() == "1=unavailable ");
  BOOST_TEST(news.answers[0].answer.cause
             == "database is locked, gave up after 2s");
  BOOST_TEST((queue.next_deadline() == noon + 3s));
  queue.expire(noon + 4s, "", news);
  BOOST_TEST(news.answers[1].answer.cause
             == "the queue of records is slow, gave up after 4s");
  BOOST_TEST((queue.next_deadline() == never));
  BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(requests_can_be_refused_while_notes_stay) {
  request(1, "a");
  queue.add_note(create("b"), noon);
  queue.refuse_requests("the file is damaged", news);
  BOOST_TEST(verdicts() == "1=unavailable ");
  BOOST_TEST(news.answers[0].answer.cause == "the file is damaged");
  BOOST_TEST(names_of_batch() == "b ");
}

BOOST_AUTO_TEST_CASE(giving_up_answers_all_and_counts_the_notes) {
  request(1, "a");
  queue.add_note(create("b"), noon);
  queue.add_mark(2, never);
  queue.add_note(close("b"), noon);
  BOOST_TEST(queue.give_up("stopped", news) == 2u);
  BOOST_TEST(verdicts() == "1=unavailable ");
  BOOST_REQUIRE_EQUAL(news.marks.size(), 1u);
  BOOST_TEST(news.marks[0].pending == 1u);
  BOOST_TEST(queue.empty());
  BOOST_TEST(queue.size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_batch_is_sorted_by_name_and_keeps_each_names_order) {
  request(1, "b");
  queue.add_note(create("c"), noon);
  request(2, "a");
  queue.add_note(close("c"), noon);
  request(3, "b");
  BOOST_TEST(names_of_batch() == "a b c -c ");
  queue.settle({created("a", 2), created("b", 1), record_answer{}, {}}, news);
  BOOST_TEST(verdicts() == "1=created 2=created 3=existed ");
  BOOST_TEST(queue.size() == 1u); // the close has no outcome yet
}

BOOST_AUTO_TEST_CASE(a_batch_has_at_most_so_many_bytes_but_one_row_always) {
  for (auto name : {"a", "b", "c"}) {
    auto row = draft(name);
    row.attributes = std::string(1000, 'x');
    queue.add_note(create_record{row}, noon);
  }
  BOOST_TEST(names_of_batch(9) == "a b c ");
  queue.settle({}, news);
  auto one = size_of(create("a")) + 1000 - std::string{"dsn=db1"}.size();
  for (auto [bytes, names] : {std::pair{one * 2, "a b "},
                              {one * 2 - 1, "a "},
                              {std::size_t{1}, "a "}}) {
    std::string taken;
    for (auto& x : queue.next_batch(9, bytes))
      taken += name_of(x) + ' ';
    BOOST_TEST(taken == names);
    queue.settle({}, news);
  }
}

BOOST_AUTO_TEST_CASE(after_an_unknown_outcome_a_refusal_says_it_may_exist) {
  request(1, "a", noon + 1s);
  names_of_batch();
  queue.settle({std::nullopt}, news, true);
  names_of_batch();
  queue.settle({std::nullopt}, news); // this time nothing was written
  request(2, "b", noon + 1s);
  queue.expire(noon + 1s, "", news);
  BOOST_TEST(verdicts() == "1=unavailable 2=unavailable ");
  BOOST_TEST(news.answers[0].answer.may_exist);
  BOOST_TEST(!news.answers[1].answer.may_exist);
  BOOST_TEST((news.answers[1].answer.trouble == record_trouble::timed_out));
}

BOOST_AUTO_TEST_CASE(who_cannot_wait_for_the_round_is_answered_during_it) {
  request(1, "a", noon + 1s);
  request(2, "a");
  request(3, "b");
  queue.add_mark(4, noon + 1s);
  names_of_batch();
  queue.expire(noon + 1s, "slow", news);
  BOOST_TEST(verdicts() == "1=unavailable ");
  BOOST_TEST(news.answers[0].answer.may_exist); // it is under way
  BOOST_REQUIRE_EQUAL(news.marks.size(), 1u);
  BOOST_TEST(news.marks[0].pending == 2u);
  queue.settle({created("a", 1), std::nullopt}, news);
  BOOST_TEST(verdicts() == "1=unavailable 2=existed "); // nobody twice
  BOOST_TEST(names_of_batch() == "b ");
  queue.settle({created("b", 3)}, news);
  BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(who_left_during_the_round_is_not_answered_again) {
  request(1, "a", noon + 1s);
  request(2, "b", noon + 2s);
  names_of_batch();
  queue.expire(noon + 1s, "slow", news);
  queue.expire(noon + 2s, "slow", news);
  BOOST_TEST(verdicts() == "1=unavailable 2=unavailable ");
}

BOOST_AUTO_TEST_CASE(
  who_left_during_the_round_leaves_the_row_to_who_shares_it) {
  request(1, "a", noon + 1s);
  request(2, "a");
  names_of_batch();
  queue.expire(noon + 1s, "slow", news);
  queue.settle({std::nullopt}, news);
  BOOST_TEST(names_of_batch() == "a ");
  queue.settle({created("a", 2)}, news);
  BOOST_TEST(verdicts() == "1=unavailable 2=created ");
}

BOOST_AUTO_TEST_CASE(updates_of_one_name_share_nothing) {
  request(1, "a");
  queue.add_request(2, update_record{"a", 1, "x", {}, token(2)}, noon, never);
  request(3, "a");
  queue.add_request(4, update_record{"a", 2, "y", {}, token(4)}, noon, never);
  BOOST_TEST(names_of_batch() == "a -a a -a ");
}

BOOST_AUTO_TEST_CASE(an_update_that_may_have_met_itself_says_so) {
  queue.add_request(1, update_record{"a", 1, "x", {}, token(2)}, noon, never);
  names_of_batch();
  queue.settle({}, news, true);
  names_of_batch();
  record_answer theirs;
  theirs.verdict = record_verdict::conflict;
  queue.settle({theirs}, news);
  BOOST_TEST(verdicts() == "1=conflict ");
  BOOST_TEST(news.answers[0].answer.may_exist);
}

BOOST_AUTO_TEST_CASE(the_oldest_one_tells_how_long_it_waits) {
  BOOST_TEST((queue.oldest() == never));
  queue.add_note(create("a"), noon);
  queue.add_note(create("b"), noon + 1s);
  BOOST_TEST((queue.oldest() == noon));
  names_of_batch(1);
  queue.settle({record_answer{}}, news);
  BOOST_TEST((queue.oldest() == noon + 1s));
}

BOOST_AUTO_TEST_SUITE_END()
