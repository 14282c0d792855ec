# The roster of agreements becomes a table in a header that terms.c includes.
file(GLOB terms_files CONFIGURE_DEPENDS terms/*.roster terms/*.txt)
set(terms_table ${generated}/terms_table.h)
add_custom_command(
  OUTPUT ${terms_table}
  COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/terms/make_terms.py ${CMAKE_CURRENT_SOURCE_DIR}/terms
          ${terms_table}
  DEPENDS terms/make_terms.py ${terms_files} VERBATIM)
list(APPEND generated_sources ${terms_table})
