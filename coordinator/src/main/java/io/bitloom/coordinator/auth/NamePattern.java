package io.bitloom.coordinator.auth;

import java.util.Collection;
import java.util.stream.Collectors;

/**
 * A name, or how names begin.
 *
 * @param text the name, or the beginning with a {@code *} behind it
 */
public record NamePattern(String text) {

  static final NamePattern ANY = new NamePattern("*");

  private static final String REST = "*";
  private static final int MAX_LENGTH = 128;

  /** Whether a text can be one. */
  public static boolean isValid(String text) {
    int star = text.indexOf(REST);
    return !text.isBlank()
        && text.length() <= MAX_LENGTH
        && (star < 0 || star == text.length() - 1)
        && text.chars().noneMatch(Character::isISOControl);
  }

  boolean matches(String name) {
    return text.endsWith(REST)
        ? name.startsWith(text.substring(0, text.length() - 1))
        : name.equals(text);
  }

  public static boolean anyMatches(Collection<NamePattern> patterns, String name) {
    return patterns.stream().anyMatch(pattern -> pattern.matches(name));
  }

  /** For an error: what would have been allowed. */
  static String allowed(Collection<NamePattern> patterns) {
    return patterns.isEmpty()
        ? "none is allowed"
        : "allowed is "
            + patterns.stream().map(NamePattern::text).collect(Collectors.joining(", "));
  }
}
