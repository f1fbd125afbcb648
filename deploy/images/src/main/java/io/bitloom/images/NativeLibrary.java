package io.bitloom.images;

import java.util.Locale;
import java.util.regex.Pattern;

/** Tells shared libraries inside jars apart: those that Linux on x86-64 loads, and all others. */
final class NativeLibrary {

  private static final Pattern LIBRARY =
      Pattern.compile(".*\\.(so(\\.\\d+)*|dll|dylib|jnilib|a)", Pattern.CASE_INSENSITIVE);
  private static final Pattern OTHER_SYSTEM =
      Pattern.compile("(aix|android|darwin|dragonfly|freebsd|mac|netbsd|openbsd|osx|sunos|win).*");

  /** Of an ELF file: where its processor is named, and the number of x86-64. */
  private static final int MACHINE = 18;

  private static final int X86_64 = 62;

  /** As much of a library's beginning as {@link #runsHere} looks at. */
  static final int HEADER_BYTES = 20;

  private NativeLibrary() {}

  /** Whether an entry of a jar is a library for whatever system. */
  static boolean is(String entry) {
    return LIBRARY.matcher(entry).matches();
  }

  /**
   * Whether it is for Linux on x86-64.
   *
   * @param entry its name in the jar, with folders
   * @param header its first bytes
   */
  static boolean runsHere(String entry, byte[] header) {
    for (String folder : entry.toLowerCase(Locale.ROOT).split("/")) {
      if (OTHER_SYSTEM.matcher(folder).matches()) {
        return false;
      }
    }
    return header.length >= HEADER_BYTES
        && header[0] == 0x7f
        && header[1] == 'E'
        && header[2] == 'L'
        && header[3] == 'F'
        && header[MACHINE] == X86_64
        && header[MACHINE + 1] == 0;
  }
}
