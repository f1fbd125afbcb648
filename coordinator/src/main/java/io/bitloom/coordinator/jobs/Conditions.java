package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The filters of lists, a small part of AIP-160: conditions joined by AND. Every error names the
 * place in the text.
 */
final class Conditions {

  private static final int MAX_CHARACTERS = 2000;
  private static final int MAX_CONDITIONS = 32;

  private static final Pattern CONDITION =
      Pattern.compile(
          "\\s*(?<field>[A-Za-z_]+)(?<key>\\.(?:[\\w.-]+|\"(?:[^\"\\\\]|\\\\.)*\"))?"
              + "\\s*(?<operator>!=|<=|>=|=|<|>|:)"
              + "\\s*(?<value>\\*|[\\w.:/+-]+\\*?|\"(?:[^\"\\\\]|\\\\.)*\")");
  private static final Pattern AND = Pattern.compile("\\s+AND(?=\\s)");

  private Conditions() {}

  /**
   * The conditions of a filter.
   *
   * @param example a condition, for the error of who has written none
   * @throws BitloomException {@code INVALID_FIELD} for a text that is not a filter
   */
  static List<Condition> parse(String filter, String example) {
    List<Condition> conditions = new ArrayList<>();
    if (filter.isBlank()) {
      return conditions;
    }
    if (filter.length() > MAX_CHARACTERS) {
      throw bad(filter, "must have at most " + MAX_CHARACTERS + " characters");
    }
    int at = 0;
    while (true) {
      Matcher matcher = CONDITION.matcher(filter).region(at, filter.length());
      if (!matcher.lookingAt()) {
        throw bad(
            filter,
            "must have a condition such as " + example + " at character " + (skipped(filter, at)));
      }
      if (conditions.size() == MAX_CONDITIONS) {
        throw bad(filter, "must have at most " + MAX_CONDITIONS + " conditions");
      }
      String key = matcher.group("key");
      conditions.add(
          new Condition(
              filter,
              matcher.group("field"),
              key == null ? "" : unquoted(key.substring(1)),
              matcher.group("operator"),
              unquoted(matcher.group("value"))));
      at = matcher.end();
      if (filter.substring(at).isBlank()) {
        return conditions;
      }
      Matcher and = AND.matcher(filter).region(at, filter.length());
      if (!and.lookingAt()) {
        throw bad(filter, "must have AND or the end at character " + skipped(filter, at));
      }
      at = and.end();
    }
  }

  /** Where the next word begins, counted from 1. */
  private static int skipped(String filter, int from) {
    int at = from;
    while (at < filter.length() && Character.isWhitespace(filter.charAt(at))) {
      at++;
    }
    return at + 1;
  }

  private static String unquoted(String text) {
    return text.startsWith("\"")
        ? text.substring(1, text.length() - 1).replaceAll("\\\\(.)", "$1")
        : text;
  }

  private static BitloomException bad(String filter, String message) {
    return BitloomException.invalid("filter", filter, message);
  }

  /**
   * A condition as it is written.
   *
   * @param filter all of the text, for errors
   * @param key what stands behind the field and a point, or empty
   */
  record Condition(String filter, String field, String key, String operator, String value) {

    BitloomException bad(String message) {
      return Conditions.bad(filter, message);
    }

    /** Equality, or not, with something that has this value. */
    <T> Predicate<T> equality(Predicate<T> equal) {
      return switch (operator) {
        case "=" -> equal;
        case "!=" -> equal.negate();
        default -> throw bad("must compare " + field + " by = or !=, and has " + operator);
      };
    }

    /**
     * Equality with the value, or with how it begins if it ends in {@code *}, or that it is a part,
     * in whatever case.
     */
    <T> Predicate<T> text(Function<T, String> text) {
      if (operator.equals(":")) {
        String part = value.toLowerCase(Locale.ROOT);
        return item -> text.apply(item).toLowerCase(Locale.ROOT).contains(part);
      }
      if (value.endsWith("*")) {
        String beginning = value.substring(0, value.length() - 1);
        return equality(item -> text.apply(item).startsWith(beginning));
      }
      return equality(item -> text.apply(item).equals(value));
    }

    /** What the sign of a comparison with the value must be. */
    IntPredicate order() {
      return switch (operator) {
        case "=" -> sign -> sign == 0;
        case "!=" -> sign -> sign != 0;
        case "<" -> sign -> sign < 0;
        case "<=" -> sign -> sign <= 0;
        case ">" -> sign -> sign > 0;
        case ">=" -> sign -> sign >= 0;
        default -> throw bad("must compare " + field + " by = != < <= > >=, and has :");
      };
    }
  }
}
