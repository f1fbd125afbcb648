package io.bitloom.common.model;

import io.bitloom.common.error.BitloomException;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How people name a version of a model: {@code NAME}, {@code NAME@LABEL} or {@code NAME@DIGEST}.
 *
 * @param model name of the model
 * @param reference a label, or the first digits of a digest; empty: nothing is said
 */
public record VersionName(String model, String reference) {

  /** Points to what is meant where nothing is said. */
  public static final String LATEST = "latest";

  /** So many digits of a digest make a name. */
  public static final int DIGITS = 12;

  static final Pattern MODEL = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
  private static final Pattern LABEL = Pattern.compile("[A-Za-z][A-Za-z0-9._-]{0,62}");
  private static final Pattern DIGEST = Pattern.compile("(sha256:)?([0-9a-f]{12,64})");
  private static final char SEPARATOR = '@';

  /**
   * Reads a name.
   *
   * @param field names it in the message
   * @throws BitloomException {@code INVALID_FIELD} if it is none
   */
  public static VersionName parse(String field, String name) {
    int at = name.indexOf(SEPARATOR);
    VersionName parsed =
        at < 0
            ? new VersionName(name, "")
            : new VersionName(name.substring(0, at), name.substring(at + 1));
    if (!MODEL.matcher(parsed.model).matches()) {
      throw BitloomException.invalid(
          field, name, "must be the name of a model: letters, digits, dots, dashes, underscores");
    }
    if (at >= 0 && parsed.digest().isEmpty() && !isLabel(parsed.reference)) {
      throw BitloomException.invalid(
          field, name, "must be NAME, NAME@LABEL or NAME@DIGEST with at least 12 digits");
    }
    return parsed;
  }

  /** Whether a name says more than that of a model. */
  public static boolean hasReference(String name) {
    return name.indexOf(SEPARATOR) >= 0;
  }

  /** The name of the model of which a name means a version. */
  public static String modelOf(String name) {
    int at = name.indexOf(SEPARATOR);
    return at < 0 ? name : name.substring(0, at);
  }

  /** The name of the version with a digest, {@code sha256:} and 64 digits. */
  public static String of(String model, String digest) {
    String digits = digest.substring(digest.indexOf(':') + 1);
    return model + SEPARATOR + digits.substring(0, DIGITS);
  }

  /** Whether a text is a whole digest, {@code sha256:} and 64 digits. */
  public static boolean isDigest(String text) {
    return text.matches("sha256:[0-9a-f]{64}");
  }

  /** Whether a text can be a label: it begins with a letter and cannot be taken for a digest. */
  public static boolean isLabel(String text) {
    return LABEL.matcher(text).matches() && !DIGEST.matcher(text).matches();
  }

  /** The first digits of the digest, if that is what is said. */
  public Optional<String> digest() {
    return Optional.of(DIGEST.matcher(reference))
        .filter(found -> found.matches())
        .map(found -> found.group(2));
  }

  /** The label that is meant: the one that is said, else {@link #LATEST}. */
  public String label() {
    return reference.isEmpty() ? LATEST : reference;
  }

  /** The name as people write it. */
  @Override
  public String toString() {
    return reference.isEmpty() ? model : model + SEPARATOR + reference;
  }
}
