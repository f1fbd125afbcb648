package io.bitloom.client.output;

import io.bitloom.common.prompt.NameIndex;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Gives the images of a folder file names that every file system takes: made of the {@code
 * custom_id}, never outside of the folder, and different even where case does not count.
 *
 * <p>Letters, digits, {@code - _ .} of ASCII stay; a {@code custom_id} with anything else, one that
 * is too long and one that a system reserves gets eight digits of its SHA-256 at the end, so that
 * the name is the same wherever it is made.
 */
final class FileNames {

  private static final int MAX_CHARACTERS = 120;
  private static final Pattern UNSAFE = Pattern.compile("[^A-Za-z0-9._-]");

  /** Device names of Windows, with any extension, and the other files of the folder. */
  private static final Pattern RESERVED =
      Pattern.compile(
          "(con|prn|aux|nul|com\\d|lpt\\d)(\\..*)?|contact-sheet|manifest|logs",
          Pattern.CASE_INSENSITIVE);

  private final NameIndex taken = new NameIndex();

  /** Says that a name is in the folder already. */
  void add(String fileName) {
    take(fileName);
  }

  /**
   * Names for the images of one prompt.
   *
   * @param offset the prompt's offset in its job; keeps names apart that would be the same
   * @param images number of images; several are numbered {@code _0}, {@code _1}…
   * @param extension without the dot
   */
  String[] forPrompt(String customId, long offset, int images, String extension) {
    String stem = stem(customId);
    String[] names = numbered(stem, images, extension);
    for (int attempt = 1; !takeAll(names); attempt++) {
      String apart = stem + "-" + offset + (attempt == 1 ? "" : "." + attempt);
      names = numbered(apart, images, extension);
    }
    return names;
  }

  /** The part of the name before the number and the extension. */
  static String stem(String customId) {
    String safe = UNSAFE.matcher(customId).replaceAll("_").replaceAll("^[.-]|\\.$|^$", "_");
    if (safe.length() > MAX_CHARACTERS) {
      safe = safe.substring(0, MAX_CHARACTERS);
    }
    if (RESERVED.matcher(safe).matches()) {
      safe = "_" + safe;
    }
    return safe.equals(customId) ? safe : safe + "-" + digest(customId);
  }

  private static String[] numbered(String stem, int images, String extension) {
    String[] names = new String[images];
    for (int i = 0; i < images; i++) {
      names[i] = stem + (images == 1 ? "" : "_" + i) + "." + extension;
    }
    return names;
  }

  private boolean takeAll(String[] names) {
    boolean all = true;
    for (String name : names) {
      all &= take(name);
    }
    return all;
  }

  private boolean take(String name) {
    return taken.add(name.toLowerCase(Locale.ROOT), 1).isEmpty();
  }

  private static String digest(String text) {
    try {
      byte[] sha256 =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(sha256, 0, 4);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
