#include <steward/testkit/internal/thrown.hpp>

#include <steward/testkit/failure.hpp>
#include <steward/testkit/trace.hpp>

namespace steward::testkit {

std::string text_of_exception(const std::exception_ptr& what) {
  try {
    std::rethrow_exception(what);
  } catch (const failure& x) { // which has a name
    return x.what();
  } catch (const std::exception& x) {
    return short_type_name(typeid(x)) + ": " + x.what();
  } catch (...) {
    return "something that is no std::exception; has an assertion of the test "
           "framework failed?";
  }
}

} // namespace steward::testkit
