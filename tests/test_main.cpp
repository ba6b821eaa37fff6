// The entry point that all test programs share. Each gets the name of its file.
#include <boost/test/unit_test.hpp>

#include <filesystem>

namespace {

bool init() {
  return true;
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 0) {
    auto& suite = boost::unit_test::framework::master_test_suite();
    suite.p_name.value = std::filesystem::path{argv[0]}.filename().string();
  }
  return boost::unit_test::unit_test_main(init, argc, argv);
}
