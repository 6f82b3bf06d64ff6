# fw_room(NAME SOURCES a.cc ... LINKS fw_base ...)
#
# A room is a static library whose links are exactly its arrows in
# docs/architecture.md. A room without sources yet is an interface library, so
# that the rooms above it can name it already.
function(fw_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINKS;PRIVATE" ${ARGN})
  if(ROOM_SOURCES)
    add_library(fw_${name} STATIC ${ROOM_SOURCES})
    target_include_directories(fw_${name} PUBLIC ${PROJECT_SOURCE_DIR})
    target_link_libraries(fw_${name} PUBLIC ${ROOM_LINKS} PRIVATE ${ROOM_PRIVATE})
  else()
    add_library(fw_${name} INTERFACE)
    target_include_directories(fw_${name} INTERFACE ${PROJECT_SOURCE_DIR})
    target_link_libraries(fw_${name} INTERFACE ${ROOM_LINKS} ${ROOM_PRIVATE})
  endif()
endfunction()

# fw_unit_test(NAME SOURCES a_test.cc ... LINKS fw_room ...)
# One executable of GoogleTest cases per room, run with the label `unit`.
function(fw_unit_test name)
  cmake_parse_arguments(TEST "" "" "SOURCES;LINKS" ${ARGN})
  if(NOT TEST_SOURCES)
    return()
  endif()
  add_executable(${name}_test ${TEST_SOURCES})
  target_link_libraries(${name}_test PRIVATE ${TEST_LINKS} GTest::gtest GTest::gtest_main)
  fw_test_headers(${name}_test)
  add_test(NAME unit.${name} COMMAND ${name}_test)
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 120)
endfunction()
