find_package(steward 0.1 REQUIRED)

# Not some other copy that this machine has.
cmake_path(IS_PREFIX CMAKE_PREFIX_PATH "${steward_DIR}" is_ours)
if(NOT is_ours)
  message(FATAL_ERROR "found ${steward_DIR}, not ${CMAKE_PREFIX_PATH}")
endif()
