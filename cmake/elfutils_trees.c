// Debian 13's libelf.a and libdw.a (elfutils 0.192) call six functions of elfutils' internal library, which is in no archive
// (sourceware bug 32293, mended in 0.193). All are the C library's binary trees behind a struct that begins with the root;
// Debian builds elfutils without its locks, so nothing else of the struct is in use. Where an archive has them, these are not
// linked.
#define _GNU_SOURCE
#include <search.h>
#include <stddef.h>

struct tree {
  void* root;
};

typedef int (*compare_function)(const void*, const void*);

void* eu_tsearch(const void* key, struct tree* tree, compare_function compare);
void* eu_tfind(const void* key, struct tree* tree, compare_function compare);
void* eu_tdelete(const void* key, struct tree* tree, compare_function compare);
void eu_tdestroy(struct tree* tree, void (*free_node)(void*));
void eu_search_tree_init(struct tree* tree);
void eu_search_tree_fini(struct tree* tree, void (*free_node)(void*));

void* eu_tsearch(const void* key, struct tree* tree, compare_function compare) { return tsearch(key, &tree->root, compare); }

void* eu_tfind(const void* key, struct tree* tree, compare_function compare) { return tfind(key, &tree->root, compare); }

void* eu_tdelete(const void* key, struct tree* tree, compare_function compare) { return tdelete(key, &tree->root, compare); }

void eu_tdestroy(struct tree* tree, void (*free_node)(void*)) {
  tdestroy(tree->root, free_node);
  tree->root = NULL;
}

void eu_search_tree_init(struct tree* tree) { tree->root = NULL; }

void eu_search_tree_fini(struct tree* tree, void (*free_node)(void*)) { eu_tdestroy(tree, free_node); }
