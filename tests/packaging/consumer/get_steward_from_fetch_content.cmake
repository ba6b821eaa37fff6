include(FetchContent)
FetchContent_Declare(steward
  URL "${STEWARD_ARCHIVE}"
  SOURCE_DIR "${CMAKE_CURRENT_BINARY_DIR}/../steward"
  BINARY_DIR "${CMAKE_CURRENT_BINARY_DIR}/steward"
  DOWNLOAD_EXTRACT_TIMESTAMP ON)
FetchContent_MakeAvailable(steward)
include(nothing_leaks.cmake)
