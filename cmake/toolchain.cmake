# Compiler cache, fast linker, warnings, dead code removal, and the shape of the executable.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

# LLVM's archives are large: mold links them in 0.5 s, lld in 0.8 s, GNU ld in 1.3 s or more.
find_program(MOLD mold)
find_program(LLD ld.lld)
if(MOLD)
  add_link_options(-fuse-ld=mold)
elseif(LLD)
  add_link_options(-fuse-ld=lld)
endif()

add_compile_options(-ffunction-sections -fdata-sections)
# The build id tells the compile cache which kawk an entry is of.
add_link_options(-Wl,--gc-sections -Wl,--build-id=sha1)

if(KAWK_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
else()
  # A fixed address instead of PIE: LLVM's tables of pointers need no relocation, which is 0.7 ms and 1 MiB of every start.
  # (The whole process frame, `kawk -V`, measured: PIE with shared libstdc++ 3.7 ms, this 1.8 ms, an empty C program 1.0 ms.)
  set(CMAKE_POSITION_INDEPENDENT_CODE OFF)
  add_compile_options(-fno-pie)
  add_link_options(-no-pie -static-libstdc++ -static-libgcc)
  # Stripped: the symbols of LLVM alone are as large as its code.
  add_link_options($<$<CONFIG:Release>:-s>)
  if(MOLD OR LLD)
    # Folding identical functions saves 8 % of LLVM. It may give two functions one address: nothing here may compare them
    # (std::any does; tools/lint.py keeps it out). The 360 static initialisers stay side by side in .text.startup, so that
    # running them touches 0.3 MiB of code instead of pages from all over LLVM (3 MiB less resident).
    add_link_options($<$<CONFIG:Release>:-Wl,--icf=all> -Wl,-z,keep-text-section-prefix)
  endif()
endif()

# Our own code only; generated lexers and parsers get fewer (see kawk_library). Off: maybe-uninitialized, which GCC 14 sees in
# every move of a std::variant that is inlined.
set(KAWK_WARNINGS -Wall -Wextra -Wswitch -Werror -Wno-missing-field-initializers -Wno-maybe-uninitialized)
