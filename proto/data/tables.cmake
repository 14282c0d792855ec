# Regions, currencies, the built-in taxonomy and the scrub's rules as C tables. Included by proto/CMakeLists.txt.
set(ISO_CODES_JSON /usr/share/iso-codes/json CACHE PATH "where iso-codes keeps its JSON files")
set(ISO_CODES_LOCALE /usr/share/locale CACHE PATH "where iso-codes keeps its translations")
set(data ${CMAKE_CURRENT_SOURCE_DIR}/data)

if(NOT EXISTS ${ISO_CODES_JSON}/iso_3166-2.json)
  message(FATAL_ERROR "The ISO code tables are missing (${ISO_CODES_JSON}): install the package iso-codes.")
endif()
if(NOT EXISTS ${ISO_CODES_LOCALE}/fr/LC_MESSAGES/iso_3166-1.mo)
  message(WARNING "iso-codes' French names are missing (${ISO_CODES_LOCALE}): this image drops locale files. "
                  "Regions get their English names in French too. To have them: remove the path-exclude of "
                  "/usr/share/locale in /etc/dpkg/dpkg.cfg.d and reinstall iso-codes.")
endif()

add_custom_command(
  OUTPUT ${generated}/region_tables.c
  COMMAND Python3::Interpreter ${data}/make_tables.py regions --json ${ISO_CODES_JSON} --locale ${ISO_CODES_LOCALE}
          --data ${data} --out ${generated}/region_tables.c
  DEPENDS ${data}/make_tables.py ${data}/countries.txt ${data}/currency_decimals.txt
          ${ISO_CODES_JSON}/iso_3166-1.json ${ISO_CODES_JSON}/iso_3166-2.json ${ISO_CODES_JSON}/iso_4217.json
  VERBATIM)
add_custom_command(
  OUTPUT ${generated}/taxonomy_yaml.c
  COMMAND Python3::Interpreter ${data}/make_tables.py embed taxonomy_yaml ${data}/taxonomy.yaml
          --out ${generated}/taxonomy_yaml.c
  DEPENDS ${data}/make_tables.py ${data}/taxonomy.yaml VERBATIM)
add_custom_command(
  OUTPUT ${generated}/scrub_tables.c
  COMMAND Python3::Interpreter -B ${data}/make_scrub.py ${data}/scrub.json ${generated}/scrub_tables.c
  DEPENDS ${data}/make_scrub.py ${data}/scrub.json VERBATIM)
list(APPEND generated_sources ${generated}/region_tables.c ${generated}/taxonomy_yaml.c ${generated}/scrub_tables.c)
