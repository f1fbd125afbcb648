package io.bitloom.images;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * A program's jars as an image has them: libraries of Linux on x86-64 lie beside them as files, so
 * that nothing is unpacked at a start or is there twice; those of other systems are left out.
 */
final class ClassPath {

  /**
   * JavaCPP copies OpenBLAS to a second name, which one of its own libraries asks for, at every
   * first start. All others ask for the name inside of it, which it has under that file name as
   * well.
   */
  private static final Map<String, String> OTHER_NAMES =
      Map.of("libopenblas.so.0", "libopenblas_nolapack.so.0");

  /**
   * Libraries that JavaCPP and JNA load from where the class path has them as files. The other
   * loaders would copy what they find there, and have theirs in folders of {@code
   * java.library.path}.
   */
  private static final List<String> LOADED_FROM_CLASS_PATH =
      List.of("com/sun/jna/", "org/bytedeco/");

  private static final String ON_CLASS_PATH = "class-path";
  private static final String ON_LIBRARY_PATH = "library-path";

  private static final LocalDateTime NO_TIME = LocalDateTime.of(2026, 1, 1, 0, 0);

  private final Path jars;
  private final Path natives;
  private final List<String> names = new ArrayList<>();

  /**
   * @param jars an empty folder, for jars
   * @param natives an empty folder, for libraries
   */
  ClassPath(Path jars, Path natives) {
    this.jars = jars;
    this.natives = natives;
  }

  /** The names of the jars, in the order of the class path. */
  List<String> names() {
    return List.copyOf(names);
  }

  /** The folder with libraries that belongs to the class path, below that of all. */
  static String resources() {
    return ON_CLASS_PATH;
  }

  /** The folders that {@code java.library.path} is to have, below that of all libraries. */
  Set<String> libraryFolders() throws IOException {
    try (Stream<Path> files = Files.walk(natives)) {
      Set<String> folders = new TreeSet<>();
      files
          .filter(Files::isRegularFile)
          .map(file -> natives.relativize(file.getParent()))
          .filter(folder -> folder.startsWith(ON_LIBRARY_PATH))
          .forEach(folder -> folders.add(folder.toString()));
      return folders;
    }
  }

  /** Adds a jar. */
  void add(Path jar) throws IOException {
    Path copy = jars.resolve(jar.getFileName());
    names.add(jar.getFileName().toString());
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      if (zip.stream().map(ZipEntry::getName).noneMatch(NativeLibrary::is)) {
        Files.copy(jar, copy);
        return;
      }
      try (ZipOutputStream rest = new ZipOutputStream(Files.newOutputStream(copy))) {
        Enumeration<? extends ZipEntry> entries = zip.entries();
        while (entries.hasMoreElements()) {
          ZipEntry entry = entries.nextElement();
          if (NativeLibrary.is(entry.getName())) {
            extract(zip, entry);
          } else {
            copy(zip, entry, rest);
          }
        }
      }
    }
  }

  private void extract(ZipFile zip, ZipEntry entry) throws IOException {
    byte[] header;
    try (InputStream content = zip.getInputStream(entry)) {
      header = content.readNBytes(NativeLibrary.HEADER_BYTES);
    }
    if (!NativeLibrary.runsHere(entry.getName(), header)) {
      return;
    }
    boolean onClassPath = LOADED_FROM_CLASS_PATH.stream().anyMatch(entry.getName()::startsWith);
    Path folder = natives.resolve(onClassPath ? ON_CLASS_PATH : ON_LIBRARY_PATH);
    Path file = folder.resolve(entry.getName()).normalize();
    if (!file.startsWith(folder)) {
      throw new IOException(zip.getName() + " has an entry " + entry.getName());
    }
    String name = file.getFileName().toString();
    file = file.resolveSibling(OTHER_NAMES.getOrDefault(name, name));
    Files.createDirectories(file.getParent());
    try (InputStream content = zip.getInputStream(entry)) {
      Files.copy(content, file);
    }
  }

  private static void copy(ZipFile zip, ZipEntry entry, ZipOutputStream rest) throws IOException {
    ZipEntry same = new ZipEntry(entry.getName());
    same.setTimeLocal(NO_TIME);
    rest.putNextEntry(same);
    try (InputStream content = zip.getInputStream(entry)) {
      content.transferTo(rest);
    }
    rest.closeEntry();
  }
}
