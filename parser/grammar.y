// The grammar: pure syntax, no conflicts, no meaning. Each action is one call to the Builder. Where a character has two
// meanings the lexer has decided (see lexer/tokens.def), and TokenSource skips to a fresh start after an error, so that
// the `error` productions here stay this few.
%require "3.8"
%skeleton "lalr1.cc"
%expect 0
%define api.namespace {kawk}
%define api.parser.class {Grammar}
%define api.value.type variant
%define api.value.automove
%define api.token.constructor
%define api.location.type {kawk::Location}
%define parse.error custom
%define parse.lac full
%lex-param {TokenSource& tokens}
%parse-param {TokenSource& tokens} {Builder& build}

%code requires {
#include "lexer/token.h"
#include "parser/builder.h"
#include "parser/token_source.h"
}
%code {
// The span of a rule; of an empty one, the place between its neighbours.
#define YYLLOC_DEFAULT(Current, Rhs, N)                                              \
  (Current) = (N) ? Location{YYRHSLOC(Rhs, 1).file, YYRHSLOC(Rhs, 1).begin, YYRHSLOC(Rhs, N).end} \
                  : Location{YYRHSLOC(Rhs, 0).file, YYRHSLOC(Rhs, 0).end, YYRHSLOC(Rhs, 0).end}

static kawk::Grammar::symbol_type yylex(kawk::TokenSource& tokens) {
  kawk::Token token = tokens.Next();
  const kawk::Location location = token.location;
  switch (token.kind) {
#define TOKEN(id, description) \
  case kawk::TokenKind::id:    \
    return kawk::Grammar::symbol_type(kawk::Grammar::token::id, std::move(token), location);
#include "lexer/tokens.def"
  }
  UNREACHABLE("token kind");
}
}

%token <Token>
  END_OF_FILE 0 INVALID IDENT INTEGER STRING SCRATCH MAP POSITIONAL ATTACH_POINT PROBE_NAME C_DEFINITION
  CONFIG IMPORT LET_MAP MACRO PREDICATE_OPEN PREDICATE_CLOSE
  BREAK COMPTIME CONTAINER_OF CONTINUE ELSE ENUM FALSE_ FOR IF IF_VALUE LET OFFSETOF RETURN SIZEOF STRUCT TRUE_ TYPEOF UNION UNROLL WHILE
  LPAREN CAST_OPEN TYPE_OPEN RPAREN LBRACKET RBRACKET LBRACE BLOCK_OPEN RBRACE COMMA SEMICOLON COLON QUESTION DOT DOT_DOT ARROW
  ASSIGN ADD_ASSIGN SUB_ASSIGN MUL_ASSIGN DIV_ASSIGN MOD_ASSIGN AND_ASSIGN OR_ASSIGN XOR_ASSIGN SHL_ASSIGN SHR_ASSIGN
  INCREMENT DECREMENT PLUS MINUS STAR SLASH PERCENT AMP PIPE CARET TILDE NOT AND_AND OR_OR EQ NE LT LE GT GE SHL SHR

%right QUESTION COLON
%left OR_OR
%left AND_AND
%left PIPE
%left CARET
%left AMP
%left EQ NE
%left LT LE GT GE
%left SHL SHR
%left PLUS MINUS
%left STAR SLASH PERCENT
%precedence UNARY

%type <Token> config_value
%type <AttachPointText> attach_point
%type <std::vector<AttachPointText>> attach_points attach_list
%type <std::vector<MacroParam>> params param_list
%type <MacroParam> param
%type <Body> list body
%type <Block*> block
%type <BlockExpr*> branch
%type <Stmt*> simple compound else_part
%type <Expr*> predicate expr postfix primary index if_value else_value
%type <std::vector<Expr*>> arguments expr_list
%type <Fields> fields
%type <BinaryOp> compound_assign
%type <TypeSpec*> type
%type <std::string> type_words
%type <std::vector<std::string>> path
%%

// --- the root -------------------------------------------------------------------------------------------------------

items:
    %empty
  | items item
  | items SEMICOLON
  | items error                               { yyerrok; if (!tokens.KeepsGuilty()) yyclearin; }
  ;

item:
    C_DEFINITION                              { build.CDefinition($1); }
  | CONFIG ASSIGN LBRACE entries RBRACE
  | CONFIG ASSIGN LBRACE entries entry RBRACE
  | CONFIG ASSIGN LBRACE entries error RBRACE { yyerrok; }
  | IMPORT STRING                             { build.Import(@$, $2); }
  | LET_MAP MAP ASSIGN IDENT LPAREN expr RPAREN         { build.MapDecl(@$, $2, $4, $6); }
  | MACRO IDENT LPAREN params RPAREN branch   { build.Macro(@$, $2, $4, $6); }
  | attach_list predicate block               { build.Probe(@$, $1, $2, $3); }
  | attach_points error block                 { build.Probe(@$, $1, nullptr, $3); }
  ;

entries:
    %empty
  | entries SEMICOLON
  | entries entry SEMICOLON
  | entries error SEMICOLON                   { yyerrok; }
  ;
entry: IDENT ASSIGN config_value              { build.ConfigEntry(@$, $1, $3); } ;
config_value: INTEGER | STRING | IDENT | TRUE_ | FALSE_ ;

params: %empty { $$ = {}; } | param_list ;
param_list:
    param                                     { $$ = {}; $$.push_back($1); }
  | param_list COMMA param                    { $$ = $1; $$.push_back($3); }
  ;
param:
    SCRATCH                                   { $$ = build.Param(MacroParam::Variable, $1); }
  | MAP                                       { $$ = build.Param(MacroParam::Map, $1); }
  | IDENT                                     { $$ = build.Param(MacroParam::Expression, $1); }
  ;

attach_list: attach_points | attach_points COMMA ;
attach_points:
    attach_point                              { $$ = {}; $$.push_back($1); }
  | attach_points COMMA attach_point          { $$ = $1; $$.push_back($3); }
  ;
attach_point:
    ATTACH_POINT                              { $$ = build.AttachPoint(@$, Token{}, $1); }
  | PROBE_NAME ATTACH_POINT                   { $$ = build.AttachPoint(@$, $1, $2); }
  ;
predicate:
    %empty                                    { $$ = nullptr; }
  | PREDICATE_OPEN expr PREDICATE_CLOSE       { $$ = $2; }
  | PREDICATE_OPEN error PREDICATE_CLOSE      { $$ = nullptr; yyerrok; }
  | PREDICATE_OPEN error                      { $$ = nullptr; yyerrok; }
  ;

// --- statements -----------------------------------------------------------------------------------------------------

block: LBRACE body RBRACE                     { $$ = build.Block(@$, $2); yyerrok; } ;
branch: LBRACE body RBRACE                    { $$ = build.BlockExpr(@$, $2); yyerrok; } ;

body:
    list
  | list simple                               { $$ = build.Append($1, $2, true); }
  | list error                                { $$ = $1; }
  ;
list:
    %empty                                    { $$ = {}; }
  | list SEMICOLON                            { $$ = build.Append($1, nullptr, false); }
  | list simple SEMICOLON                     { $$ = build.Append($1, $2, false); }
  | list compound                             { $$ = build.Append($1, $2, true); }
  | list error SEMICOLON                      { $$ = $1; yyerrok; }
  ;

simple:
    expr                                      { $$ = build.ExprStmt(@$, $1); }
  | expr ASSIGN expr                          { $$ = build.Assign(@$, $1, $3); }
  | expr compound_assign expr                 { $$ = build.CompoundAssign(@$, $1, $2, $3); }
  | LET SCRATCH                               { $$ = build.Let(@$, $2, nullptr, nullptr); }
  | LET SCRATCH ASSIGN expr                   { $$ = build.Let(@$, $2, nullptr, $4); }
  | LET SCRATCH COLON type                    { $$ = build.Let(@$, $2, $4, nullptr); }
  | LET SCRATCH COLON type ASSIGN expr        { $$ = build.Let(@$, $2, $4, $6); }
  | BREAK                                     { $$ = build.Leaf<Break>(@$); }
  | CONTINUE                                  { $$ = build.Leaf<Continue>(@$); }
  | RETURN                                    { $$ = build.Return(@$, nullptr); }
  | RETURN expr                               { $$ = build.Return(@$, $2); }
  ;
compound_assign:
    ADD_ASSIGN { $$ = BinaryOp::Add; } | SUB_ASSIGN { $$ = BinaryOp::Sub; } | MUL_ASSIGN { $$ = BinaryOp::Mul; }
  | DIV_ASSIGN { $$ = BinaryOp::Div; } | MOD_ASSIGN { $$ = BinaryOp::Mod; } | AND_ASSIGN { $$ = BinaryOp::BitAnd; }
  | OR_ASSIGN { $$ = BinaryOp::BitOr; } | XOR_ASSIGN { $$ = BinaryOp::BitXor; } | SHL_ASSIGN { $$ = BinaryOp::Shl; }
  | SHR_ASSIGN { $$ = BinaryOp::Shr; }
  ;

compound:
    block                                     { $$ = $1; }
  | IF expr block else_part                   { $$ = build.If(@$, $2, $3, $4); }
  | WHILE expr block                          { $$ = build.While(@$, $2, $3); }
  | UNROLL expr block                         { $$ = build.Unroll(@$, $2, $3); }
  | FOR LPAREN SCRATCH COLON expr RPAREN block          { $$ = build.ForIn(@$, $3, $5, $7); }
  | FOR LPAREN SCRATCH COLON expr DOT_DOT expr RPAREN block       { $$ = build.ForRange(@$, $3, $5, $7, $9); }
  | FOR SCRATCH COLON expr block              { $$ = build.ForIn(@$, $2, $4, $5); }
  | FOR SCRATCH COLON expr DOT_DOT expr block { $$ = build.ForRange(@$, $2, $4, $6, $7); }
  ;
else_part:
    %empty                                    { $$ = nullptr; }
  | ELSE block                                { $$ = $2; }
  | ELSE IF expr block else_part              { $$ = build.If(Span(@2, @$), $3, $4, $5); }
  ;

// --- expressions ----------------------------------------------------------------------------------------------------

expr:
    postfix
  | expr QUESTION expr COLON expr             { $$ = build.Ternary(@$, $1, $3, $5); }
  | expr QUESTION COLON expr                  { $$ = build.Ternary(@$, $1, nullptr, $4); }
  | expr OR_OR expr                           { $$ = build.Binary(@$, @2, BinaryOp::Or, $1, $3); }
  | expr AND_AND expr                         { $$ = build.Binary(@$, @2, BinaryOp::And, $1, $3); }
  | expr PIPE expr                            { $$ = build.Binary(@$, @2, BinaryOp::BitOr, $1, $3); }
  | expr CARET expr                           { $$ = build.Binary(@$, @2, BinaryOp::BitXor, $1, $3); }
  | expr AMP expr                             { $$ = build.Binary(@$, @2, BinaryOp::BitAnd, $1, $3); }
  | expr EQ expr                              { $$ = build.Binary(@$, @2, BinaryOp::Eq, $1, $3); }
  | expr NE expr                              { $$ = build.Binary(@$, @2, BinaryOp::Ne, $1, $3); }
  | expr LT expr                              { $$ = build.Binary(@$, @2, BinaryOp::Lt, $1, $3); }
  | expr LE expr                              { $$ = build.Binary(@$, @2, BinaryOp::Le, $1, $3); }
  | expr GT expr                              { $$ = build.Binary(@$, @2, BinaryOp::Gt, $1, $3); }
  | expr GE expr                              { $$ = build.Binary(@$, @2, BinaryOp::Ge, $1, $3); }
  | expr SHL expr                             { $$ = build.Binary(@$, @2, BinaryOp::Shl, $1, $3); }
  | expr SHR expr                             { $$ = build.Binary(@$, @2, BinaryOp::Shr, $1, $3); }
  | expr PLUS expr                            { $$ = build.Binary(@$, @2, BinaryOp::Add, $1, $3); }
  | expr MINUS expr                           { $$ = build.Binary(@$, @2, BinaryOp::Sub, $1, $3); }
  | expr STAR expr                            { $$ = build.Binary(@$, @2, BinaryOp::Mul, $1, $3); }
  | expr SLASH expr                           { $$ = build.Binary(@$, @2, BinaryOp::Div, $1, $3); }
  | expr PERCENT expr                         { $$ = build.Binary(@$, @2, BinaryOp::Mod, $1, $3); }
  | NOT expr %prec UNARY                      { $$ = build.Unary(@$, UnaryOp::Not, $2); }
  | TILDE expr %prec UNARY                    { $$ = build.Unary(@$, UnaryOp::BitNot, $2); }
  | MINUS expr %prec UNARY                    { $$ = build.Unary(@$, UnaryOp::Minus, $2); }
  | PLUS expr %prec UNARY                     { $$ = build.Unary(@$, UnaryOp::Plus, $2); }
  | STAR expr %prec UNARY                     { $$ = build.Unary(@$, UnaryOp::Deref, $2); }
  | AMP expr %prec UNARY                      { $$ = build.Unary(@$, UnaryOp::AddressOf, $2); }
  | INCREMENT expr %prec UNARY                { $$ = build.Unary(@$, UnaryOp::PreInc, $2); }
  | DECREMENT expr %prec UNARY                { $$ = build.Unary(@$, UnaryOp::PreDec, $2); }
  | COMPTIME expr %prec UNARY                 { $$ = $2; }
  | CAST_OPEN type RPAREN expr %prec UNARY    { $$ = build.Cast(@$, $2, $4); }
  ;

postfix:
    primary
  | postfix DOT IDENT                         { $$ = build.Member(@$, $1, $3, false); }
  | postfix DOT INTEGER                       { $$ = build.Member(@$, $1, $3, false); }
  | postfix ARROW IDENT                       { $$ = build.Member(@$, $1, $3, true); }
  | postfix LBRACKET index RBRACKET           { $$ = build.Index(@$, $1, $3); }
  | postfix INCREMENT                         { $$ = build.Unary(@$, UnaryOp::PostInc, $1); }
  | postfix DECREMENT                         { $$ = build.Unary(@$, UnaryOp::PostDec, $1); }
  ;
index:
    expr
  | expr COMMA expr_list                      { $$ = build.Tuple(@$, $1, $3); }
  ;

primary:
    INTEGER                                   { $$ = build.IntLit($1); }
  | STRING                                    { $$ = build.StrLit($1); }
  | TRUE_                                     { $$ = build.BoolLit(@$, true); }
  | FALSE_                                    { $$ = build.BoolLit(@$, false); }
  | SCRATCH                                   { $$ = build.Named<ScratchVar>($1); }
  | MAP                                       { $$ = build.Named<MapRef>($1); }
  | IDENT                                     { $$ = build.Named<Ident>($1); }
  | POSITIONAL                                { $$ = build.Positional($1); }
  | IDENT LPAREN arguments RPAREN             { $$ = build.Call(@$, $1, $3); }
  | SIZEOF LPAREN expr RPAREN                 { $$ = build.SizeOf(@$, nullptr, $3); }
  | SIZEOF TYPE_OPEN type RPAREN              { $$ = build.SizeOf(@$, $3, nullptr); }
  | TYPEOF LPAREN expr RPAREN                 { $$ = build.TypeOf(@$, nullptr, $3); }
  | TYPEOF TYPE_OPEN type RPAREN              { $$ = build.TypeOf(@$, $3, nullptr); }
  | OFFSETOF LPAREN expr COMMA path RPAREN    { $$ = build.OffsetOf(@$, nullptr, $3, $5); }
  | OFFSETOF TYPE_OPEN type COMMA path RPAREN { $$ = build.OffsetOf(@$, $3, nullptr, $5); }
  | CONTAINER_OF LPAREN expr COMMA type COMMA path RPAREN { $$ = build.ContainerOf(@$, $3, $5, $7); }
  | LPAREN expr RPAREN                        { $$ = $2; }
  | LPAREN RPAREN                             { $$ = build.Tuple(@$, nullptr, {}); }
  | LPAREN expr COMMA RPAREN                  { $$ = build.Tuple(@$, $2, {}); }
  | LPAREN expr COMMA expr_list RPAREN        { $$ = build.Tuple(@$, $2, $4); }
  | LPAREN expr COMMA expr_list COMMA RPAREN  { $$ = build.Tuple(@$, $2, $4); }
  | LPAREN fields RPAREN                      { $$ = build.Record(@$, $2); }
  | LPAREN fields COMMA RPAREN                { $$ = build.Record(@$, $2); }
  | BLOCK_OPEN body RBRACE                    { $$ = build.BlockExpr(@$, $2); yyerrok; }
  | if_value
  ;
if_value: IF_VALUE expr branch ELSE else_value          { $$ = build.Ternary(@$, $2, $3, $5); } ;
else_value:
    branch                                    { $$ = $1; }
  | IF expr branch ELSE else_value            { $$ = build.Ternary(@$, $2, $3, $5); }
  ;

arguments: %empty { $$ = {}; } | expr_list ;
expr_list:
    expr                                      { $$ = {}; $$.push_back($1); }
  | expr_list COMMA expr                      { $$ = $1; $$.push_back($3); }
  ;
fields:
    IDENT ASSIGN expr                         { $$ = build.Field({}, $1, $3); }
  | fields COMMA IDENT ASSIGN expr            { $$ = build.Field($1, $3, $5); }
  ;

type:
    type_words                                { $$ = build.Type(@$, $1); }
  | STRUCT IDENT                              { $$ = build.Type(@$, "struct " + $2.text); }
  | UNION IDENT                               { $$ = build.Type(@$, "union " + $2.text); }
  | ENUM IDENT                                { $$ = build.Type(@$, "enum " + $2.text); }
  | TYPEOF LPAREN expr RPAREN                 { $$ = build.TypeOfExpr(@$, $3); }
  | TYPEOF TYPE_OPEN type RPAREN              { $$ = build.TypeOfType(@$, $3); }
  | type STAR                                 { $$ = build.Pointer(@$, $1); }
  | type LBRACKET INTEGER RBRACKET            { $$ = build.Array(@$, $1, $3); }
  | type LBRACKET RBRACKET                    { $$ = build.InferredArray(@$, $1); }
  ;
type_words:
    IDENT                                     { $$ = $1.text; }
  | type_words IDENT                          { $$ = $1 + " " + $2.text; }
  ;
path:
    IDENT                                     { $$ = {}; $$.push_back($1.text); }
  | path DOT IDENT                            { $$ = $1; $$.push_back($3.text); }
  ;

%%

// parse.error custom: bison asks for the report here; the wording is in parser/syntax_error.cpp.
void kawk::Grammar::report_syntax_error(const context& context) const {
  symbol_kind_type kinds[static_cast<size_t>(symbol_kind::YYNTOKENS)];
  const int count = context.expected_tokens(kinds, symbol_kind::YYNTOKENS);
  TokenSet expected;
  for (int i = 0; i < count; ++i) {
    switch (kinds[i]) {
#define S_END_OF_FILE S_YYEOF
#define TOKEN(id, description) \
  case symbol_kind::S_##id: expected.set(static_cast<size_t>(TokenKind::id)); break;
#include "lexer/tokens.def"
#undef S_END_OF_FILE
      default: break;
    }
  }
  tokens.SyntaxError(expected);
}

// Only called for memory exhaustion: syntax errors go through report_syntax_error.
void kawk::Grammar::error(const Location&, const std::string&) {}
