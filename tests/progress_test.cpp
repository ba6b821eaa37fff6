#include <boost/test/unit_test.hpp>

#include <steward/apps/progress.hpp>
#include <steward/apps/text.hpp>

#include <string>

using namespace steward;

BOOST_AUTO_TEST_CASE(progress_line_has_bar_count_rate_and_time_left) {
  BOOST_TEST(
    progress_line({"replaying", 5000, 0.25, 2}, 72)
    == "replaying   25 %  [======>                  ]  5,000  2,500/s  "
       "0:06 left");
  BOOST_TEST(
    progress_line({"replaying", 20000, 1, 2}, 72)
    == "replaying  100 %  [=======================]  20,000  10,000/s  "
       "0:00 left");
}

BOOST_AUTO_TEST_CASE(progress_line_drops_what_does_not_fit) {
  progress_state state{"replaying", 1234567, 0.5, 4000};
  for (std::size_t width = 0; width < 120; ++width)
    BOOST_TEST(progress_line(state, width).size() <= width);
  BOOST_TEST(progress_line(state, 40)
             == "replaying   50 %  308/s  1:06:40 left");
  BOOST_TEST(progress_line(state, 32) == "replaying   50 %  1:06:40 left");
  BOOST_TEST(progress_line(state, 20) == " 50 %  1:06:40 left");
  BOOST_TEST(progress_line(state, 10) == " 50 %");
  BOOST_TEST(progress_line(state, 3) == "");
}

BOOST_AUTO_TEST_CASE(progress_of_unknown_length_counts) {
  BOOST_TEST(progress_line({"reading", 5000, -1, 2}, 72)
             == "reading  5,000  2,500/s");
  BOOST_TEST(progress_line({"reading", 5000, -1, 2}, 6) == "5,000");
  BOOST_TEST(progress_line({"reading", 5000, -1, 2}, 4) == "");
}

BOOST_AUTO_TEST_CASE(progress_makes_no_guess_from_the_first_moment) {
  BOOST_TEST(progress_line({"reading", 0, 0, 0}, 32)
             == "reading    0 %  [>          ]  0");
}

BOOST_AUTO_TEST_CASE(numbers_are_grouped_by_thousands) {
  BOOST_TEST(with_commas(0) == "0");
  BOOST_TEST(with_commas(999) == "999");
  BOOST_TEST(with_commas(1000) == "1,000");
  BOOST_TEST(with_commas(18446744073709551615u)
             == "18,446,744,073,709,551,615");
}

BOOST_AUTO_TEST_CASE(a_share_is_never_rounded_to_nothing_or_to_all) {
  BOOST_TEST(percent(0, 0) == "0.0 %");
  BOOST_TEST(percent(0, 7) == "0.0 %");
  BOOST_TEST(percent(7, 7) == "100.0 %");
  BOOST_TEST(percent(1, 3) == "33.3 %");
  BOOST_TEST(percent(1, 100000) == "<0.1 %");
  BOOST_TEST(percent(99999, 100000) == ">99.9 %");
}

BOOST_AUTO_TEST_CASE(text_is_wrapped_between_words) {
  BOOST_TEST(wrapped("one two three", 2, 9) == "  one two\n  three\n");
  BOOST_TEST(wrapped("unbreakable", 2, 5) == "  unbreakable\n");
  BOOST_TEST(wrapped("a\nb", 0) == "a\nb\n");
  BOOST_TEST(wrapped("", 2) == "");
}

BOOST_AUTO_TEST_CASE(printable_text_is_one_short_line) {
  BOOST_TEST(printable("a\nb\x1b[0m") == "a?b?[0m");
  auto cut = printable(std::string(200, 'x'));
  BOOST_TEST(cut.size() == 83u);
  BOOST_TEST(cut.ends_with("xx..."));
}
