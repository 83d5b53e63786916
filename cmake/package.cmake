# `cmake --install` and the .deb (`cpack -G DEB`, or ./dev deb).
install(FILES README.md LICENSE DESTINATION share/doc/kawk)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME kawk)
set(CPACK_PACKAGE_CONTACT "The kawk developers <kawk@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DESCRIPTION
    "A compiler and runtime for the bpftrace language: one-liners and scripts that\n\
 attach to kernel and user-space events, aggregate in the kernel and print what it saw.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
# The binary's shared libraries decide what the package depends on: the C library, nothing else.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libpcap0.8")  # opened by skboutput()
include(CPack)
