// Format files as text.
#include "host/format.h"

#include <gtest/gtest.h>

namespace kawk {
namespace {

// "name|type|offset|size" and flags.
std::string Dump(const TracepointField& field) {
  std::string text = field.name + "|" + field.type + "|" + std::to_string(field.offset) + "|" + std::to_string(field.size);
  if (field.is_signed) text += "|signed";
  if (field.data_loc) text += "|data_loc";
  if (field.rel_data_loc) text += "|rel_data_loc";
  return text;
}

TEST(Format, Fields) {
  const struct {
    const char* line;
    const char* dump;
    const char* declaration;
  } table[] = {
      {"field:int a;\toffset:8;\tsize:4;\tsigned:1;", "a|int|8|4|signed", "int a"},
      {"\tfield:unsigned long b;\toffset:16;\tsize:8;\tsigned:0;", "b|unsigned long|16|8", "unsigned long b"},
      {"field:const char * filename;\toffset:24;\tsize:8;\tsigned:0;", "filename|const char *|24|8", "const char * filename"},
      {"field:const void *const attr;\toffset:16;\tsize:8;\tsigned:0;", "attr|const void *const|16|8", "const void *const attr"},
      {"field:const char *const * argv;\toffset:24;\tsize:8;\tsigned:0;", "argv|const char *const *|24|8",
       "const char *const * argv"},
      {"field:char *p;\toffset:8;\tsize:8;\tsigned:0;", "p|char *|8|8", "char * p"},
      {"field:char comm[16];\toffset:8;\tsize:16;\tsigned:0;", "comm|char[16]|8|16", "char comm[16]"},
      {"field:unsigned long args[6];\toffset:16;\tsize:48;\tsigned:0;", "args|unsigned long[6]|16|48", "unsigned long args[6]"},
      {"field:u8 m[2][3];\toffset:8;\tsize:6;\tsigned:0;", "m|u8[2][3]|8|6", "u8 m[2][3]"},
      {"field:__u8 saddr[sizeof(struct sockaddr_in6)];\toffset:8;\tsize:28;\tsigned:0;",
       "saddr|__u8[sizeof(struct sockaddr_in6)]|8|28", "__u8 saddr[sizeof(struct sockaddr_in6)]"},
      {"field:char x[(1 << 4)];\toffset:8;\tsize:16;\tsigned:0;", "x|char[(1 << 4)]|8|16", "char x[(1 << 4)]"},
      {"field:char y[a[1]];\toffset:8;\tsize:16;\tsigned:0;", "y|char[a[1]]|8|16", "char y[a[1]]"},
      {"field:struct foo * ptr;\toffset:8;\tsize:8;\tsigned:0;", "ptr|struct foo *|8|8", "struct foo * ptr"},
      {"field:enum migrate_mode mode;\toffset:8;\tsize:4;\tsigned:0;", "mode|enum migrate_mode|8|4", "enum migrate_mode mode"},
      {"field:__data_loc char[] filename;\toffset:8;\tsize:4;\tsigned:0;", "filename|__data_loc char[]|8|4|data_loc",
       "__data_loc char[] filename"},
      {"field:__data_loc unsigned int[] lengths;\toffset:16;\tsize:4;\tsigned:0;",
       "lengths|__data_loc unsigned int[]|16|4|data_loc", "__data_loc unsigned int[] lengths"},
      {"field:__rel_loc char[] name;\toffset:8;\tsize:4;\tsigned:0;", "name|__rel_loc char[]|8|4|rel_data_loc",
       "__rel_loc char[] name"},
      {"field:__rel_data_loc char[] name;\toffset:8;\tsize:4;\tsigned:0;", "name|__rel_data_loc char[]|8|4|rel_data_loc",
       "__rel_data_loc char[] name"},
      // Kernels before 2.6.30 and some vendors' have no `signed`; order and spaces are nobody's promise.
      {"field:int c;\toffset:8;\tsize:4;", "c|int|8|4", "int c"},
      {"field: int d ; size:4; offset:8; signed:1;", "d|int|8|4|signed", "int d"},
      {"field:char empty[0];\toffset:8;\tsize:0;\tsigned:0;", "empty|char[0]|8|0", "char empty[0]"},
  };
  for (const auto& row : table) {
    Result<TracepointFormat> format = ParseTracepointFormat("name: x\nID: 7\nformat:\n" + std::string(row.line) + "\n");
    ASSERT_TRUE(format) << row.line << ": " << format.error().message;
    ASSERT_EQ(format->fields.size(), 1u) << row.line;
    EXPECT_EQ(Dump(format->fields[0]), row.dump);
    EXPECT_EQ(FieldDeclaration(format->fields[0]), row.declaration);
    EXPECT_EQ(format->id, 7u);
  }
}

TEST(Format, WholeFile) {
  Result<TracepointFormat> format = ParseTracepointFormat(
      "name: sys_enter_openat\nID: 782\nformat:\n"
      "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
      "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
      "\n"
      "\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;\n"
      "\tfield:int dfd;\toffset:16;\tsize:8;\tsigned:0;\n"
      "\nprint fmt: \"field:not a field;\", ID: 5\nfield:int z;\toffset:8;\tsize:4;\tsigned:1;\n");
  ASSERT_TRUE(format) << format.error().message;
  EXPECT_EQ(format->id, 782u);
  ASSERT_EQ(format->fields.size(), 2u);
  EXPECT_EQ(format->fields[0].name, "__syscall_nr");
  EXPECT_EQ(format->fields[1].offset, 16u);
}

TEST(Format, Malformed) {
  const std::string many = [] {
    std::string text = "ID: 1\n";
    for (int i = 0; i < 10000; ++i) text += "field:int a" + std::to_string(i) + ";\toffset:8;\tsize:4;\tsigned:1;\n";
    return text;
  }();
  const std::string table[] = {
      "",
      "\n\n",
      "name: x\n",
      "ID: x\n",
      "ID: -1\n",
      "ID: 99999999999\n",
      "ID: 1\nfield:\n",
      "ID: 1\nfield:int a\n",
      "ID: 1\nfield:;\toffset:8;\tsize:4;\n",
      "ID: 1\nfield:int;\toffset:8;\tsize:4;\n",
      "ID: 1\nfield:int a;\tsize:4;\n",
      "ID: 1\nfield:int a;\toffset:8;\n",
      "ID: 1\nfield:int a;\toffset:x;\tsize:4;\n",
      "ID: 1\nfield:int a;\toffset:-8;\tsize:4;\n",
      "ID: 1\nfield:int a;\toffset:8;\tsize:4294967296;\n",
      "ID: 1\nfield:int a;\toffset:99999999999999999999;\tsize:4;\n",
      "ID: 1\nfield:];\toffset:8;\tsize:4;\n",
      "ID: 1\nfield:]]]];\toffset:8;\tsize:4;\n",
      "ID: 1\nfield:[];\toffset:8;\tsize:4;\n",
      many,
  };
  for (const std::string& text : table) EXPECT_FALSE(ParseTracepointFormat(text)) << text.substr(0, 80);
}

// Whatever a format file is cut or mangled into, the parser ends with a value or an Error.
TEST(Format, EveryPrefixAndMutation) {
  const std::string text =
      "name: x\nID: 7\nformat:\n\tfield:__data_loc char[] n;\toffset:8;\tsize:4;\tsigned:0;\nprint fmt: \"\"\n";
  for (size_t i = 0; i <= text.size(); ++i) {
    const Result<TracepointFormat> prefix = ParseTracepointFormat(std::string_view(text).substr(0, i));
    EXPECT_TRUE(prefix || !prefix.error().message.empty());
    for (char c : {'\0', '\xff', ';', '[', ']', ':', '\n'}) {
      std::string mangled = text;
      if (i < text.size()) mangled[i] = c;
      const Result<TracepointFormat> format = ParseTracepointFormat(mangled);
      EXPECT_TRUE(format || !format.error().message.empty());
    }
  }
}

}  // namespace
}  // namespace kawk
