# Used by the presets: compile through ccache if there is one.
find_program(STEWARD_CCACHE ccache)
mark_as_advanced(STEWARD_CCACHE)
if(STEWARD_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER
    AND NOT DEFINED ENV{CMAKE_CXX_COMPILER_LAUNCHER})
  # Without this, ccache refuses whatever uses a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime;${STEWARD_CCACHE}"
    CACHE STRING "Launcher of the compiler")
endif()
