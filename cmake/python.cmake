# The extension module bbipc._core: cffi in API mode, out of line, its C source generated here from csrc/include/bbipc_core.h.
find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module)

set(header "${PROJECT_SOURCE_DIR}/csrc/include/bbipc_core.h")
set(generator "${PROJECT_SOURCE_DIR}/cmake/cffi_module.py")
set(source "${PROJECT_BINARY_DIR}/_core.c")
add_custom_command(
  OUTPUT "${source}"
  COMMAND Python::Interpreter "${generator}" "${header}" "${source}"
  DEPENDS "${header}" "${generator}"
  COMMENT "Generating bbipc._core"
  VERBATIM)

Python_add_library(bbipc_python MODULE "${source}")
# The whole library in its own order (csrc/CMakeLists.txt says why), and not member by member as they are missed.
target_link_options(bbipc_python PRIVATE "LINKER:--whole-archive,$<TARGET_FILE:bbipc_core_static>,--no-whole-archive")
target_link_libraries(bbipc_python PRIVATE bbipc_core_static)
set_target_properties(bbipc_python PROPERTIES OUTPUT_NAME _core LINKER_LANGUAGE CXX)
if(NOT "${SKBUILD_SABI_VERSION}" STREQUAL "")
  set_target_properties(bbipc_python PROPERTIES SUFFIX ".abi3${CMAKE_SHARED_MODULE_SUFFIX}")
elseif(NOT "${SKBUILD_SOABI}" STREQUAL "")
  set_target_properties(bbipc_python PROPERTIES SUFFIX ".${SKBUILD_SOABI}${CMAKE_SHARED_MODULE_SUFFIX}")
endif()
set(exports "${PROJECT_SOURCE_DIR}/cmake/python_exports.map")
target_link_options(bbipc_python PRIVATE LINKER:--gc-sections "LINKER:--version-script=${exports}")
set_target_properties(bbipc_python PROPERTIES LINK_DEPENDS "${exports}")
install(TARGETS bbipc_python LIBRARY DESTINATION bbipc COMPONENT python)

# The manual pages, which docs/man/make.py writes: share/man/man1 of the environment that the wheel is installed in.
if(NOT "${SKBUILD_DATA_DIR}" STREQUAL "")
  file(GLOB manual_pages CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/docs/man/*.1")
  install(FILES ${manual_pages} DESTINATION "${SKBUILD_DATA_DIR}/share/man/man1" COMPONENT python)
endif()
