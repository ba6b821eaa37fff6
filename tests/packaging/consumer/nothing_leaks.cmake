# Who adds steward to a project gets its libraries and nothing else.
function(expect_equal what is expected)
  if(NOT "${is}" STREQUAL "${expected}")
    message(FATAL_ERROR "${what} is '${is}', not '${expected}'")
  endif()
endfunction()

expect_equal("CMAKE_CXX_FLAGS" "${CMAKE_CXX_FLAGS}" "")
expect_equal("CMAKE_CXX_STANDARD" "${CMAKE_CXX_STANDARD}" "")
expect_equal("CMAKE_MODULE_PATH" "${CMAKE_MODULE_PATH}" "")
expect_equal("CMAKE_COMPILE_WARNING_AS_ERROR"
  "${CMAKE_COMPILE_WARNING_AS_ERROR}" "")
foreach(target IN ITEMS
    steward steward_core steward_storage steward_testkit)
  foreach(property IN ITEMS COMPILE_OPTIONS LINK_OPTIONS PRECOMPILE_HEADERS)
    get_target_property(value ${target} INTERFACE_${property})
    expect_equal("${property} of ${target}" "${value}" "value-NOTFOUND")
  endforeach()
endforeach()
foreach(target IN ITEMS steward_command steward_apps steward_test_main)
  if(TARGET ${target})
    message(FATAL_ERROR "${target} is built although nobody asked for it")
  endif()
endforeach()
