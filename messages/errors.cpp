#include <steward/messages/errors.hpp>

#include <steward/core/one_line.hpp>

namespace steward {

namespace {

#if STEWARD_CAF_1
// 1.x keeps error categories as type ids; sec::runtime_error carries the code
// as the first element of its context.
caf::error wrap(errc code, caf::message context) {
  return caf::error{caf::sec::runtime_error,
                    caf::make_message(static_cast<std::uint8_t>(code))
                      + std::move(context)};
}
#else
caf::atom_value category() {
  return caf::atom("steward");
}

caf::error wrap(errc code, caf::message context) {
  return caf::error{static_cast<std::uint8_t>(code), category(),
                    std::move(context)};
}
#endif

#if STEWARD_CAF_1
constexpr std::size_t text_at = 1;
#else
constexpr std::size_t text_at = 0;
#endif

} // namespace

caf::error make_error(errc code, std::string_view text) {
  return wrap(code, caf::make_message(one_line(text)));
}

caf::error make_error(errc code, std::string_view text, rejection figures) {
  return wrap(code, caf::make_message(one_line(text), figures));
}

std::optional<errc> code_of(const caf::error& err) {
#if STEWARD_CAF_1
  if (err != caf::sec::runtime_error
      || !err.context().match_element<std::uint8_t>(0))
    return std::nullopt;
  return static_cast<errc>(err.context().get_as<std::uint8_t>(0));
#else
  if (!err || err.category() != category())
    return std::nullopt;
  return static_cast<errc>(err.code());
#endif
}

std::optional<rejection> rejection_of(const caf::error& err) {
  if (!code_of(err) || err.context().size() != text_at + 2)
    return std::nullopt;
  return err.context().get_as<rejection>(text_at + 1);
}

std::string describe(const caf::error& err) {
  auto code = code_of(err);
  if (!code)
    return caf::to_string(err);
  std::string result{to_string(*code)};
  result += ": ";
  result += err.context().get_as<std::string>(text_at);
  return result;
}

} // namespace steward
