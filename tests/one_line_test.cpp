#include <steward/core/one_line.hpp>

#include <boost/test/unit_test.hpp>

using steward::one_line;

BOOST_AUTO_TEST_CASE(ordinary_text_stays_as_it_is) {
  BOOST_TEST(one_line("") == "");
  BOOST_TEST(one_line("key \"a b\" ~ \xc3\xa4") == "key \"a b\" ~ \xc3\xa4");
}

BOOST_AUTO_TEST_CASE(control_characters_are_spelled_out) {
  BOOST_TEST(one_line("no\nluck") == "no\\nluck");
  BOOST_TEST(one_line(std::string_view{"a\0b", 3}) == "a\\x00b");
  BOOST_TEST(one_line("\x1b[31m\x7f\t") == "\\x1b[31m\\x7f\\x09");
}
