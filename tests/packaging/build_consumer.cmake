# Builds and runs consumer/ against this project, which it gets FROM: install,
# subdirectory or fetch_content. Run by cmake -P; the first failure ends it.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
set(options
  "-DSTEWARD_FROM=${FROM}"
  "-DCMAKE_CXX_COMPILER=${COMPILER}")

if(FROM STREQUAL "install")
  run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/staged")
  # A package that was moved must still be found whole.
  file(RENAME "${WORK}/staged" "${WORK}/prefix")
  # What the library was instrumented with, its user must link.
  list(APPEND options
    "-DCMAKE_PREFIX_PATH=${WORK}/prefix" "-DCMAKE_CXX_FLAGS=${FLAGS}")
else()
  # Only what is part of the project, so that nothing else can be needed.
  file(GLOB parts RELATIVE "${SOURCE}" "${SOURCE}/*")
  list(REMOVE_ITEM parts build)
  run("${CMAKE_COMMAND}" -E chdir "${SOURCE}"
    "${CMAKE_COMMAND}" -E tar cf "${WORK}/steward.tar" ${parts})
  list(APPEND options
    "-DSTEWARD_ARCHIVE=${WORK}/steward.tar"
    "-DCMAKE_PROJECT_TOP_LEVEL_INCLUDES=${SOURCE}/cmake/use_ccache.cmake")
  if(FROM STREQUAL "subdirectory")
    file(ARCHIVE_EXTRACT INPUT "${WORK}/steward.tar"
      DESTINATION "${WORK}/steward")
  endif()
endif()

run("${CMAKE_COMMAND}" -S "${SOURCE}/tests/packaging/consumer"
  -B "${WORK}/build" -G "${GENERATOR}" ${options})
run("${CMAKE_COMMAND}" --build "${WORK}/build" --target consumer)
run("${WORK}/build/consumer")
if(FROM STREQUAL "install") # elsewhere the kit would have to be compiled
  run("${CMAKE_COMMAND}" --build "${WORK}/build" --target consumer_test)
  run("${WORK}/build/consumer_test")
endif()

if(FROM STREQUAL "install" AND EXISTS "${WORK}/prefix/bin/steward")
  run("${WORK}/prefix/bin/steward" --version)
endif()
file(REMOVE_RECURSE "${WORK}")
