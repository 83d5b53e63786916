// A format file has lines like
//   ID: 314
//   field:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;
//   field:__data_loc char[] filename;\toffset:8;\tsize:4;\tsigned:0;
// The declaration is C without function pointers in practice, but the array's length may be any text
// (`saddr[sizeof(struct sockaddr_in6)]`), and stars may stand anywhere. So: the name is the last identifier outside of
// brackets, and the type is what is left when it is taken away.
#include "host/format.h"

#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <optional>

namespace kawk {
namespace {

// A record is at most a page, so more fields than bytes are not a format.
constexpr size_t kMaxFields = 4096;
constexpr uint32_t kMaxOffset = 1u << 20;

bool IsNameCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

std::optional<int64_t> ParseNumber(std::string_view text) {
  text = Trim(text);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The number behind `key:` in `offset:8;\tsize:4;…`.
std::optional<int64_t> Attribute(std::string_view attributes, std::string_view key) {
  while (!attributes.empty()) {
    const size_t semicolon = attributes.find(';');
    const std::string_view item = Trim(attributes.substr(0, semicolon));
    if (item.starts_with(key) && item.size() > key.size() && item[key.size()] == ':') {
      return ParseNumber(item.substr(key.size() + 1));
    }
    if (semicolon == std::string_view::npos) return std::nullopt;
    attributes.remove_prefix(semicolon + 1);
  }
  return std::nullopt;
}

// Where the array suffix of a declaration begins (`[` of `name[16]`), or its size.
size_t ArraySuffix(std::string_view declaration) {
  size_t begin = declaration.size();
  while (begin > 0 && declaration[begin - 1] == ']') {
    size_t depth = 0;
    size_t i = begin;
    while (i > 0) {
      --i;
      if (declaration[i] == ']') ++depth;
      if (declaration[i] == '[' && --depth == 0) break;
    }
    if (declaration[i] != '[') break;
    begin = i;
    while (begin > 0 && declaration[begin - 1] == ' ') --begin;
  }
  return begin;
}

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool ParseDeclaration(std::string_view declaration, TracepointField& field) {
  declaration = Trim(declaration);
  const size_t suffix = ArraySuffix(declaration);
  size_t name_begin = suffix;
  while (name_begin > 0 && IsNameCharacter(declaration[name_begin - 1])) --name_begin;
  const std::string_view type = Trim(declaration.substr(0, name_begin));
  field.name = std::string(declaration.substr(name_begin, suffix - name_begin));
  field.type = std::string(type) + std::string(declaration.substr(suffix));
  std::string_view rest = type;
  field.data_loc = TakePrefix(rest, "__data_loc ");
  field.rel_data_loc = !field.data_loc && (TakePrefix(rest, "__rel_loc ") || TakePrefix(rest, "__rel_data_loc "));
  return !field.name.empty() && !type.empty();
}

Result<TracepointField> ParseField(std::string_view line) {
  const Error malformed{fmt::format("malformed field in a tracepoint's format: `{}`", line), "", 0};
  const size_t semicolon = line.find(';');
  if (semicolon == std::string_view::npos) return malformed;
  TracepointField field;
  if (!ParseDeclaration(line.substr(0, semicolon), field)) return malformed;
  const std::string_view attributes = line.substr(semicolon + 1);
  const auto offset = Attribute(attributes, "offset");
  const auto size = Attribute(attributes, "size");
  if (!offset || !size || *offset < 0 || *size < 0 || *offset > kMaxOffset || *size > kMaxOffset) return malformed;
  field.offset = static_cast<uint32_t>(*offset);
  field.size = static_cast<uint32_t>(*size);
  field.is_signed = Attribute(attributes, "signed").value_or(0) != 0;
  return field;
}

}  // namespace

Result<TracepointFormat> ParseTracepointFormat(std::string_view text) {
  TracepointFormat format;
  bool has_id = false;
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    std::string_view line = Trim(text.substr(0, newline));
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (TakePrefix(line, "print fmt:")) break;  // what follows may hold anything
    if (TakePrefix(line, "ID:")) {
      const auto id = ParseNumber(line);
      if (!id || *id < 0 || *id > UINT32_MAX) return Error{fmt::format("malformed tracepoint id `{}`", Trim(line)), "", 0};
      format.id = static_cast<uint32_t>(*id);
      has_id = true;
    } else if (TakePrefix(line, "field:")) {
      Result<TracepointField> field = ParseField(line);
      if (!field) return field.error();
      if (field->name.starts_with("common_")) continue;
      if (format.fields.size() == kMaxFields) return Error{"a tracepoint's format has too many fields", "", 0};
      format.fields.push_back(*std::move(field));
    }
  }
  if (!has_id) return Error{"a tracepoint's format has no ID", "", 0};
  return format;
}

std::string FieldDeclaration(const TracepointField& field) {
  if (field.data_loc || field.rel_data_loc) return field.type + " " + field.name;
  const size_t suffix = ArraySuffix(field.type);
  return field.type.substr(0, suffix) + " " + field.name + field.type.substr(suffix);
}

}  // namespace kawk
