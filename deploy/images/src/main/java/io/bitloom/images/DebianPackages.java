package io.bitloom.images;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Fetches packages of the Debian that this machine runs, with {@code apt-get}. */
final class DebianPackages {

  /** What every program needs that is linked with glibc, and the certificates of authorities. */
  static final List<String> BASE =
      List.of(
          "base-files",
          "ca-certificates",
          "gcc-12-base",
          "libc-bin",
          "libc6",
          "libgcc-s1",
          "libssl3",
          "libstdc++6");

  /** What Debian's Java takes from the system, for programs that draw no text on a screen. */
  static final List<String> OF_JAVA = List.of("libjpeg62-turbo", "liblcms2-2", "zlib1g");

  private final Path folder;
  private final Map<String, DebianPackage> pinned;

  /**
   * @param folder for their files
   * @param pinned packages that must be these and no others; empty: the newest of each
   */
  DebianPackages(Path folder, List<DebianPackage> pinned) {
    this.folder = folder;
    this.pinned =
        pinned.stream()
            .collect(Collectors.toMap(DebianPackage::name, Function.identity(), (a, b) -> b));
  }

  /** Reads a list that {@link #write} wrote. */
  static List<DebianPackage> read(Path list) throws IOException {
    return Files.readAllLines(list).stream()
        .filter(line -> !line.isBlank() && !line.startsWith("#"))
        .map(DebianPackage::parse)
        .toList();
  }

  /** Writes a list that says exactly these packages. */
  static void write(List<DebianPackage> packages, Path list) throws IOException {
    Files.write(list, packages.stream().map(DebianPackage::line).sorted().toList());
  }

  /**
   * Their files. apt compares them with the lists that Debian has signed.
   *
   * @throws IOException if one cannot be had, or is not the one that was pinned
   */
  Map<DebianPackage, Path> fetch(List<String> names) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of("apt-get", "-qq", "download"));
    for (String name : names) {
      DebianPackage pin = pinned.get(name);
      if (pin == null && !pinned.isEmpty()) {
        throw new IOException("the list of packages has no " + name);
      }
      words.add(pin == null ? name : name + "=" + pin.version());
    }
    Path fetched = Files.createTempDirectory(Files.createDirectories(folder), "fetched");
    Command.run(fetched, words);
    Map<DebianPackage, Path> files = new TreeMap<>((a, b) -> a.name().compareTo(b.name()));
    try (Stream<Path> downloads = Files.list(fetched)) {
      for (Path file : downloads.toList()) {
        DebianPackage found = describe(file);
        DebianPackage pin = pinned.get(found.name());
        if (pin != null && !pin.equals(found)) {
          throw new IOException("expected " + pin.line() + ", got " + found.line());
        }
        files.put(found, file);
      }
    }
    if (files.size() != names.size()) {
      throw new IOException("asked for " + names + ", got " + files.keySet());
    }
    return files;
  }

  private static DebianPackage describe(Path file) throws IOException, InterruptedException {
    return new DebianPackage(
        field(file, "Package"),
        field(file, "Version"),
        field(file, "Architecture"),
        Sha256.of(file));
  }

  private static String field(Path file, String name) throws IOException, InterruptedException {
    return Command.run(file.getParent(), List.of("dpkg-deb", "-f", file.toString(), name)).strip();
  }
}
