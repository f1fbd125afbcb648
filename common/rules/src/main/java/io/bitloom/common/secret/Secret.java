package io.bitloom.common.secret;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * 128 random bits that nobody can guess. It is compared in constant time, and its text gets into no
 * log by accident.
 */
public final class Secret {

  /** What is kept from before there were secrets; nobody can name it. */
  public static final Secret NONE = new Secret("");

  private static final int BYTES = 16;
  private static final Pattern TEXT = Pattern.compile("[A-Za-z0-9_-]{22}");
  private static final SecureRandom RANDOM = new SecureRandom();

  private final String text;

  private Secret(String text) {
    this.text = text;
  }

  /** A new one. */
  public static Secret draw() {
    byte[] bits = new byte[BYTES];
    RANDOM.nextBytes(bits);
    return new Secret(Base64.getUrlEncoder().withoutPadding().encodeToString(bits));
  }

  /** Reads {@link #text()}; empty if that is no secret. */
  public static Optional<Secret> parse(String text) {
    return TEXT.matcher(text).matches() ? Optional.of(new Secret(text)) : Optional.empty();
  }

  /** The bits in base64url: 22 letters, digits, {@code -} and {@code _}. */
  public String text() {
    return text;
  }

  /** Whether this is its {@link #text()}. */
  public boolean is(String other) {
    return MessageDigest.isEqual(
        text.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Secret secret && is(secret.text);
  }

  @Override
  public int hashCode() {
    return text.hashCode();
  }

  @Override
  public String toString() {
    return "(secret)";
  }
}
