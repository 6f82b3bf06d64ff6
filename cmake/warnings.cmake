# Warnings for all of our code; errors where FW_WERROR is on (CI).
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast
                    -Wnon-virtual-dtor)
# Designated initialisers name what matters; the rest has defaults in the struct.
add_compile_options(-Wno-missing-field-initializers)
# g++ 12 reports these two on correct code of its own standard library.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-dangling-pointer -Wno-restrict)
endif()
if(FW_WERROR)
  add_compile_options(-Werror)
endif()
