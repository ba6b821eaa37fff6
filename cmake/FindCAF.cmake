#[=======================================================================[.rst:
FindCAF
-------

Finds the core library of the C++ Actor Framework and provides ``CAF::core``.

CAF 0.18 and later bring their own package configuration, which is preferred.
Debian and Ubuntu package CAF 0.17.6 without one: then the library and the
headers are looked for. ``CAF_ROOT`` names a place to look first.

Sets ``CAF_FOUND`` and ``CAF_VERSION``.
#]=======================================================================]

include(FindPackageHandleStandardArgs)

foreach(component IN LISTS CAF_FIND_COMPONENTS)
  if(NOT component STREQUAL "core")
    set(CAF_NOT_FOUND_MESSAGE
      "this module provides the component core only, not ${component}")
    set(CAF_${component}_FOUND FALSE)
  endif()
endforeach()

# No version here: CAF's own version file takes only its own major version.
find_package(CAF CONFIG QUIET COMPONENTS core)
if(TARGET CAF::core AND CAF_CONFIG)
  set(CAF_core_FOUND TRUE)
  find_package_handle_standard_args(CAF CONFIG_MODE HANDLE_COMPONENTS)
  if(CAF_FIND_VERSION AND CAF_VERSION VERSION_LESS CAF_FIND_VERSION)
    set(CAF_FOUND FALSE)
    if(CAF_FIND_REQUIRED)
      message(FATAL_ERROR "CAF ${CAF_VERSION} in ${CAF_DIR} is too old: "
        "${CAF_FIND_VERSION} or later is needed")
    endif()
  endif()
  return()
endif()

find_library(CAF_CORE_LIBRARY NAMES caf_core caf_core_static)
find_path(CAF_INCLUDE_DIR NAMES caf/config.hpp)
mark_as_advanced(CAF_CORE_LIBRARY CAF_INCLUDE_DIR)

# 0.17.6 says only `#define CAF_VERSION 1706`: two digits each, zeros left out.
# Later versions may write it with leading zeros, hence as text.
set(CAF_VERSION)
if(CAF_INCLUDE_DIR)
  file(STRINGS "${CAF_INCLUDE_DIR}/caf/config.hpp" caf_version_line
    REGEX "^#define CAF_VERSION +[0-9]+")
  if(caf_version_line MATCHES "CAF_VERSION +([0-9]+)")
    string(REGEX REPLACE "^(.*)(..)(..)$" "\\1;\\2;\\3"
      CAF_VERSION "00${CMAKE_MATCH_1}")
    list(TRANSFORM CAF_VERSION REPLACE "^0+(.)" "\\1")
    list(JOIN CAF_VERSION "." CAF_VERSION)
  endif()
endif()

set(CAF_core_FOUND FALSE)
if(CAF_CORE_LIBRARY AND CAF_INCLUDE_DIR)
  set(CAF_core_FOUND TRUE)
endif()
find_package_handle_standard_args(CAF
  REQUIRED_VARS CAF_CORE_LIBRARY CAF_INCLUDE_DIR
  VERSION_VAR CAF_VERSION
  HANDLE_COMPONENTS
  REASON_FAILURE_MESSAGE
    "On Debian and Ubuntu: apt install libcaf-dev. Elsewhere: set CAF_ROOT.")

if(CAF_FOUND AND NOT TARGET CAF::core)
  find_package(Threads QUIET)
  add_library(CAF::core UNKNOWN IMPORTED)
  set_target_properties(CAF::core PROPERTIES
    IMPORTED_LOCATION "${CAF_CORE_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${CAF_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES Threads::Threads)
endif()
