package io.bitloom.common.net;

import java.util.regex.Pattern;

/** Addresses as they may be shown in messages and logs: without user and password. */
public final class MaskedUri {

  /** Up to the last {@code @}: people write passwords with any character, also {@code /@?#}. */
  private static final Pattern USER =
      Pattern.compile("^([A-Za-z][A-Za-z0-9+.-]*://)?.*@", Pattern.DOTALL);

  private MaskedUri() {}

  /**
   * @param uri or what was meant as one
   */
  public static String of(String uri) {
    return USER.matcher(uri).replaceFirst("$1***@");
  }
}
