package io.bitloom.images;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Takes from packages what a program needs at run time: shared libraries, the locale, certificates,
 * licences, and what scanners look for. Programs, a shell before all, stay behind.
 */
final class DebianFiles {

  private static final Pattern LIBRARY = Pattern.compile(".*\\.so(\\.\\d+)*");
  private static final Predicate<String> WANTED =
      Pattern.compile(
              "lib64/[^/]*|(usr/)?lib/x86_64-linux-gnu/[^/]*\\.so(\\.\\d+)*"
                  + "|usr/lib/x86_64-linux-gnu/engines-3/.*|usr/lib/locale/C\\.utf8/.*"
                  + "|usr/share/doc/[^/]*/copyright|etc/debian_version|usr/lib/os-release|etc/os-release")
          .asMatchPredicate();
  private static final String AUTHORITIES = "usr/share/ca-certificates/mozilla";

  private final Path work;

  /**
   * @param work an empty folder
   */
  DebianFiles(Path work) {
    this.work = work;
  }

  /** Lays down the files of packages below a root, where Debian has them. */
  void base(Map<DebianPackage, Path> packages, Path root) throws IOException, InterruptedException {
    for (Map.Entry<DebianPackage, Path> entry : packages.entrySet()) {
      Path unpacked = unpack(entry.getValue(), entry.getKey().name());
      for (String name : files(unpacked)) {
        if (WANTED.test(name) && !hasShorterName(unpacked, name)) {
          copy(unpacked.resolve(name), root.resolve(name));
        }
      }
      if (Files.isDirectory(unpacked.resolve(AUTHORITIES))) {
        authorities(
            unpacked.resolve(AUTHORITIES), root.resolve("etc/ssl/certs/ca-certificates.crt"));
      }
    }
    status(packages, root);
  }

  /** Lays down the libraries of packages in one folder, and their licences below a root. */
  void libraries(Map<DebianPackage, Path> packages, Path folder, Path root)
      throws IOException, InterruptedException {
    for (Map.Entry<DebianPackage, Path> entry : packages.entrySet()) {
      Path unpacked = unpack(entry.getValue(), entry.getKey().name());
      for (String name : files(unpacked)) {
        Path file = unpacked.resolve(name);
        String last = file.getFileName().toString();
        if (LIBRARY.matcher(last).matches() && !hasShorterName(unpacked, name)) {
          copy(file, folder.resolve(last));
        } else if (name.matches("usr/share/doc/[^/]*/copyright")) {
          copy(file, root.resolve(name));
        }
      }
    }
    status(packages, root);
  }

  /** What scanners of images read in place of dpkg's database. */
  private void status(Map<DebianPackage, Path> packages, Path root)
      throws IOException, InterruptedException {
    Path folder = Files.createDirectories(root.resolve("var/lib/dpkg/status.d"));
    for (Map.Entry<DebianPackage, Path> entry : packages.entrySet()) {
      String control = Command.run(work, List.of("dpkg-deb", "-f", entry.getValue().toString()));
      Files.writeString(folder.resolve(entry.getKey().name()), control);
    }
  }

  private Path unpack(Path file, String name) throws IOException, InterruptedException {
    Path folder = Files.createDirectories(work.resolve(name));
    Command.run(work, List.of("dpkg-deb", "-x", file.toString(), folder.toString()));
    return folder;
  }

  /** All files and links to files, in the order of their names. */
  private static Set<String> files(Path folder) throws IOException {
    try (Stream<Path> paths = Files.walk(folder)) {
      return paths
          .filter(path -> !Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS))
          .map(path -> folder.relativize(path).toString())
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  /**
   * Layers have no links: a library stands under the name that programs ask for, and only there.
   */
  private static boolean hasShorterName(Path root, String name) throws IOException {
    Path file = root.resolve(name);
    if (Files.isSymbolicLink(file) || !LIBRARY.matcher(name).matches()) {
      return false;
    }
    try (Stream<Path> beside = Files.list(file.getParent())) {
      return beside.anyMatch(
          other -> Files.isSymbolicLink(other) && target(other).equals(file.getFileName()));
    }
  }

  private static Path target(Path link) {
    try {
      return Files.readSymbolicLink(link);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A link is followed inside of what was unpacked, and left out if it leads nowhere there. */
  private void copy(Path from, Path to) throws IOException {
    Path file = from;
    if (Files.isSymbolicLink(from)) {
      Path target = target(from);
      file =
          target.isAbsolute()
              ? work.resolve(work.relativize(from).getName(0))
                  .resolve(target.toString().substring(1))
              : from.resolveSibling(target);
    }
    if (Files.isRegularFile(file)) {
      Files.createDirectories(to.getParent());
      Files.copy(file, to, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
    }
  }

  private static void authorities(Path certificates, Path bundle) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (String name : files(certificates)) {
      all.write(Files.readAllBytes(certificates.resolve(name)));
    }
    Files.createDirectories(bundle.getParent());
    Files.write(bundle, all.toByteArray());
  }
}
