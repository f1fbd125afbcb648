package io.bitloom.images;

import java.util.Locale;

/**
 * A package of Debian, as the list of an image's packages names it: a line {@code NAME VERSION
 * ARCHITECTURE SHA256}.
 *
 * @param sha256 of its file
 */
record DebianPackage(String name, String version, String architecture, String sha256) {

  /** Reads a line; throws {@link IllegalArgumentException} if it is none. */
  static DebianPackage parse(String line) {
    String[] words = line.strip().split("\\s+");
    if (words.length != 4 || !words[3].matches("[0-9a-f]{64}")) {
      throw new IllegalArgumentException(
          "expected NAME VERSION ARCHITECTURE SHA256, got \"" + line + '"');
    }
    return new DebianPackage(words[0], words[1], words[2], words[3]);
  }

  /** The line of the list. */
  String line() {
    return String.join(" ", name, version, architecture, sha256);
  }

  /** Its package URL, by which databases of vulnerabilities know it. */
  String url(String release) {
    return String.format(
        Locale.ROOT,
        "pkg:deb/debian/%s@%s?arch=%s&distro=debian-%s",
        name.replace("+", "%2B"),
        version.replace("+", "%2B").replace(":", "%3A"),
        architecture,
        release);
  }
}
