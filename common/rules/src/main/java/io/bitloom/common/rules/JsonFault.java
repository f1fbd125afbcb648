package io.bitloom.common.rules;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What is probably wrong with a line that is no JSON, and what helps. */
final class JsonFault {

  private static final Pattern COLUMN = Pattern.compile("column (\\d+)");
  private static final Pattern COMMA_AT_THE_END = Pattern.compile(".*\\}\\s*,\\s*", Pattern.DOTALL);
  private static final Pattern COMMA_BEFORE_BRACKET =
      Pattern.compile(".*,\\s*[}\\]].*", Pattern.DOTALL);
  private static final Pattern CSV_QUOTED =
      Pattern.compile("\\s*\"\\s*\\{\\s*\"\".*", Pattern.DOTALL);
  private static final Pattern SINGLE_QUOTES = Pattern.compile("\\s*\\{\\s*'.*", Pattern.DOTALL);
  private static final Pattern TYPOGRAPHIC_QUOTES =
      Pattern.compile("\\s*\\{\\s*[“”„«].*", Pattern.DOTALL);

  private JsonFault() {}

  /**
   * The error of a line.
   *
   * @param parser what the parser says about it
   */
  static PromptLineException of(String line, String parser) {
    Matcher column = COLUMN.matcher(parser);
    String place = column.find() ? " at column " + column.group(1) : "";
    String help = help(line);
    return PromptLineException.ofLine(
        "not valid JSON", help.isEmpty() ? place : place + ": " + help);
  }

  /**
   * Whether it is an object in the quotes of CSV, which is valid JSON up to the first two quotes.
   */
  static boolean isCsvQuoted(String line) {
    return CSV_QUOTED.matcher(line).matches();
  }

  /** Empty if there is nothing to say. */
  private static String help(String line) {
    if (isCsvQuoted(line)) {
      return "the line is quoted as in CSV, \"\" for \"; write it without";
    }
    if (SINGLE_QUOTES.matcher(line).matches()) {
      return "JSON has double quotes, not single ones";
    }
    if (TYPOGRAPHIC_QUOTES.matcher(line).matches()) {
      return "JSON has straight quotes, not typographic ones";
    }
    if (COMMA_AT_THE_END.matcher(line).matches()) {
      return "it ends in a comma; every line is an object of its own, with nothing between them";
    }
    if (COMMA_BEFORE_BRACKET.matcher(line).matches()) {
      return "JSON has no comma before a closing bracket";
    }
    return "";
  }
}
