// t_debug_plain N: t_debug without optimisation, where parameters are at home on the stack, but not yet when a function begins.
#pragma GCC optimize("O0")
#include "t_debug.c"
