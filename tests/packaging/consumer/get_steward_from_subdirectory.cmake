add_subdirectory("${CMAKE_CURRENT_BINARY_DIR}/../steward" steward)
include(nothing_leaks.cmake)
