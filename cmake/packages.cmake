# What the build takes from Debian: static archives, so that the binary depends on the C library alone.
find_package(nlohmann_json REQUIRED)
find_package(Threads REQUIRED)
find_package(FLEX REQUIRED)
find_package(BISON 3.8 REQUIRED)

# kawk_archive(VARIABLE NAME): the static archive libNAME.a of the system.
function(kawk_archive variable name)
  find_library(${variable} NAMES lib${name}.a REQUIRED)
endfunction()
kawk_archive(LIBBPF bpf)
kawk_archive(LIBBCC bcc_bpf)
kawk_archive(LIBDW dw)
kawk_archive(LIBELF elf)
kawk_archive(LIBZ z)
kawk_archive(LIBZSTD zstd)
kawk_archive(LIBLZMA lzma)
kawk_archive(LIBBZ2 bz2)

# libbpf and the ELF and DWARF readers; what is not called is not linked.
add_library(kawk_elfutils_trees STATIC ${CMAKE_CURRENT_LIST_DIR}/elfutils_trees.c)
add_library(kawk_bpf INTERFACE)
target_link_libraries(kawk_bpf INTERFACE ${LIBBPF} ${LIBDW} ${LIBELF} kawk_elfutils_trees ${LIBLZMA} ${LIBBZ2} ${LIBZ} ${LIBZSTD})

# libbcc's symbol tables and USDT notes, without its clang.
add_library(kawk_bcc INTERFACE)
target_link_libraries(kawk_bcc INTERFACE ${LIBBCC} kawk_bpf)

# Debian has no archive of fmt: its sources are in its headers and are compiled here once. As a header-only library each of
# our files would pay 2.7 s for them; as a shared one each start would pay for loading it.
find_package(fmt REQUIRED)
add_library(kawk_fmt STATIC ${CMAKE_CURRENT_LIST_DIR}/fmt.cpp)
add_library(kawk::fmt ALIAS kawk_fmt)

# LLVM 19, the BPF target only. llvm-config instead of LLVM's CMake package: that one asks for z3, libxml2, curl and more,
# of which nothing here makes use.
find_program(LLVM_CONFIG NAMES llvm-config-19 PATHS /usr/lib/llvm-19/bin REQUIRED)
set(KAWK_LLVM_COMPONENTS core support analysis bpfcodegen bpfasmparser bpfinfo bpfdesc mc object target bitreader linker)

function(kawk_llvm_config variable)
  execute_process(COMMAND ${LLVM_CONFIG} --link-static ${ARGN} OUTPUT_VARIABLE output OUTPUT_STRIP_TRAILING_WHITESPACE
                  COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(output UNIX_COMMAND "${output}")
  set(${variable} ${output} PARENT_SCOPE)
endfunction()
kawk_llvm_config(LLVM_INCLUDE_DIRS --includedir)
kawk_llvm_config(llvm_archives --libfiles ${KAWK_LLVM_COMPONENTS})
add_library(kawk_llvm INTERFACE)
target_link_libraries(kawk_llvm INTERFACE ${llvm_archives} ${LIBZ} ${LIBZSTD} Threads::Threads ${CMAKE_DL_LIBS} m)
