# Run as a script: writes OUT, C++ that defines FUNCTION of HEADER, the texts of FILES in their order.
#   cmake -D OUT=x.cc -D HEADER=backend/api/openapi_texts.h -D NAMESPACE=framewall::backend::api
#         -D FUNCTION=OpenApiTexts -D FILES=a.json|b.json -P embed_texts.cmake
string(REPLACE "|" ";" files "${FILES}")
set(text "// Made by cmake/embed_texts.cmake.\n#include \"${HEADER}\"\n\n#include <array>\n\n")
string(APPEND text "namespace ${NAMESPACE} {\n\nstd::span<const std::string_view> ${FUNCTION}() {\n")
string(APPEND text "  static constexpr auto kTexts = std::to_array<std::string_view>({\n")
foreach(file IN LISTS files)
  file(READ "${file}" content)
  string(APPEND text "R\"embedded(${content})embedded\",\n")
endforeach()
string(APPEND text "  });\n  return kTexts;\n}\n\n}  // namespace ${NAMESPACE}\n")
file(WRITE "${OUT}" "${text}")
